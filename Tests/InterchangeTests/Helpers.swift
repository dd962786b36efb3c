import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import TestSupport
import Testing

/// Trajectories compared bit by bit: `==` takes "é" and "e" with an accent for the same name, and 0
/// and −0 for the same number.
struct Exact: Equatable {
  private var variables: [[[UInt8]]]
  private var timeStep: UInt64
  private var samples: [[[UInt64]]]
  private var attributes: [[UInt8]: [UInt8]]

  init(_ data: Trajectories) {
    variables = data.variables.map { variable in
      [variable.name, variable.unit, variable.longName, variable.role.rawValue].map {
        Array($0.utf8)
      }
    }
    timeStep = data.timeStep.bitPattern
    samples = data.samples.map { matrix in
      (0..<matrix.rows).map { matrix.row($0).map(\.bitPattern) }
    }
    attributes = Dictionary(
      uniqueKeysWithValues: data.attributes.map { (Array($0.key.utf8), Array($0.value.utf8)) })
  }
}

/// Trajectories of the given lengths with numbers of any size.
func randomTrajectories(
  seed: UInt64, variables: [Variable], lengths: [Int], timeStep: Double = 0.1,
  attributes: [String: String] = [:]
) throws -> Trajectories {
  var stream = RandomStream(seed: seed)
  let samples = lengths.map { length in
    Matrix(rows: length, columns: variables.count) { _, _ in finiteNumber(&stream) }
  }
  return try Trajectories(
    variables: variables, timeStep: timeStep, samples: samples, attributes: attributes)
}

/// A finite number of random bits: of any exponent, also subnormal.
func finiteNumber(_ stream: inout RandomStream) -> Double {
  while true {
    let number = Double(bitPattern: stream.next())
    if number.isFinite { return number }
  }
}

/// The bytes with one to four of them changed, the same for the same seed.
func damaged(_ bytes: [UInt8], seed: UInt64) -> [UInt8] {
  var stream = RandomStream(seed: seed)
  var result = bytes
  for _ in 0..<stream.integer(in: 1...4) {
    let place = stream.integer(in: 0...(bytes.count - 1))
    switch stream.integer(in: 0...3) {
    case 0: result[place] = 0xFF
    case 1: result[place] = 0
    case 2: result[place] ^= 1 << UInt8(stream.integer(in: 0...7))
    default: result[place] = UInt8(stream.integer(in: 0...255))
    }
  }
  return result
}

/// A file of these bytes in a fresh folder.
func temporaryFile(_ bytes: some Collection<UInt8>, named name: String) throws -> String {
  let path = try temporaryPath(name)
  try replace(path, bytes)
  return path
}

/// Writes without waiting for the disk.
func replace(_ path: String, _ bytes: some Collection<UInt8>) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// What is read from a file of these bytes, which is gone afterwards.
/// - Parameter ending: "nc" or "csv".
func read(_ bytes: some Collection<UInt8>, as ending: String) throws -> Trajectories {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("filigree-test-\(UUID().uuidString).\(ending)").path
  try replace(path, bytes)
  defer { unlink(path) }
  return try TrajectoryFile.read(path)
}

/// What comes back of the data through a file.
func written(_ data: Trajectories, as ending: String) throws -> Trajectories {
  try read(try TrajectoryFile.bytes(data, for: "a." + ending), as: ending)
}

/// A path in a fresh folder, with nothing there yet.
func temporaryPath(_ name: String) throws -> String {
  try Fixture.temporaryFolder() + "/" + name
}

/// Names in a folder, hidden ones too.
func entries(_ folder: String) throws -> Set<String> {
  Set(try FileManager.default.contentsOfDirectory(atPath: folder))
}

/// What kind of problem a file has, for tests that do not care about its words.
enum ProblemKind: String {
  case missing, unreadable, exists, foreignFolder, cannotCreate, writeFailed, malformed, badData
  case busy, unfinished, otherSettings
}

extension FileProblem {
  var kind: ProblemKind {
    switch self {
    case .missing: .missing
    case .unreadable: .unreadable
    case .exists: .exists
    case .foreignFolder: .foreignFolder
    case .cannotCreate: .cannotCreate
    case .writeFailed: .writeFailed
    case .malformed: .malformed
    case .badData: .badData
    case .busy, .busyStudy: .busy
    case .unfinished: .unfinished
    case .otherSettings: .otherSettings
    }
  }

  /// What it says behind the path of the file.
  var words: String {
    let text = description
    return text.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? text
  }
}

/// The problem that `body` throws; the test fails where it throws none.
func problem<Result>(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) throws -> FileProblem {
  try #require(
    throws: FileProblem.self, sourceLocation: sourceLocation, performing: { _ = try body() })
}
