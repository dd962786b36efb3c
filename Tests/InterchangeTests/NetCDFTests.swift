import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import TestSupport
import Testing

@Suite("NetCDF files of our own")
struct NetCDFTests {
  @Test("Numbers, lengths, names, units, meanings, roles, order and attributes come back")
  func roundTrip() throws {
    let data = try plantData()
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("Any finite numbers come back bit by bit", arguments: 1...20 as ClosedRange<UInt64>)
  func randomNumbers(seed: UInt64) throws {
    var stream = RandomStream(seed: seed, path: [1])
    let roles: [Role] = [.state, .state, .control, .observable]
    let count = stream.integer(in: 1...6)
    let variables = (0..<count).map { index in
      Variable("v\(index)", role: index == 0 ? .state : roles[stream.integer(in: 0...3)])
    }
    let lengths = [2] + (0..<stream.integer(in: 0...4)).map { _ in stream.integer(in: 0...9) }
    let data = try randomTrajectories(
      seed: seed, variables: variables, lengths: lengths, timeStep: exp(stream.normal()))
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("Numbers that mark gaps elsewhere are numbers here")
  func fillValues() throws {
    let values = [9.969209968386869e36, -999, 1e20, -9.223372036854776e18, 0, -0.0]
    let data = try Trajectories(
      variables: [Variable("x", role: .state)], timeStep: 1,
      samples: [Matrix(rows: 6, columns: 1, elements: values)])
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("Names come back as they were, whatever is in them", arguments: hostileNames)
  func names(name: String) throws {
    let variables = [
      Variable(name, unit: name, longName: name, role: .state), Variable("x1", role: .state),
      Variable("u", role: .control),
    ]
    let data = try randomTrajectories(seed: 5, variables: variables, lengths: [3, 2])
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("All of these names live in one file")
  func namesTogether() throws {
    var variables = hostileNames.enumerated().map { index, name in
      Variable(name, role: [Role.state, .control, .observable][index % 3])
    }
    variables += (1...3).map { Variable("x\($0)", role: .state) }
    variables += [Variable("u1", role: .control), Variable("y2", role: .state)]
    let data = try randomTrajectories(seed: 6, variables: variables, lengths: [2])
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("Attributes come back, hostile values too")
  func attributes() throws {
    let attributes = [
      "plant": "", "seed": "18446744073709551615", "note": "\"two\"\nlines, 日本, e\u{301}",
      "µ": String(repeating: "long ", count: 2000),
    ]
    let data = try randomTrajectories(
      seed: 7, variables: [Variable("x", role: .state)], lengths: [2], attributes: attributes)
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("The same data give the same bytes")
  func reproducible() throws {
    let data = try plantData()
    #expect(try TrajectoryFile.bytes(data, for: "a.nc") == TrajectoryFile.bytes(data, for: "b.nc"))
  }

  @Test("Eight tasks write and read at once")
  func concurrently() async throws {
    let data = try plantData()
    let expected = try TrajectoryFile.bytes(data, for: "a.nc")
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try TrajectoryFile.bytes(data, for: "a.nc") == expected
            && written(data, as: "nc") == data
        }
      }
      for try await isSame in group { #expect(isSame) }
    }
  }

  @Test(
    "A number that is not finite is refused with its place", arguments: [Double.nan, .infinity])
  func notFinite(value: Double) throws {
    var samples = [Matrix(rows: 4, columns: 2), Matrix(rows: 3, columns: 2)]
    samples[1][2, 0] = value
    let variables = [Variable("u", role: .control), Variable("x", role: .state)]
    let error = #expect(throws: DataProblem.self) {
      try Trajectories(variables: variables, timeStep: 1, samples: samples)
    }
    guard case .notFinite("u", trajectory: 1, sample: 2, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("A file that is cut off anywhere is refused, or whole but for padding")
  func cutOff() throws {
    let data = try plantData()
    let bytes = try TrajectoryFile.bytes(data, for: "a.nc")
    let lastOfContent = try #require(bytes.lastIndex { $0 != 0 })
    let path = try temporaryPath("cut.nc")
    for length in stride(from: 1, to: bytes.count, by: 151) {
      try replace(path, bytes.prefix(length))
      do {
        let found = try TrajectoryFile.read(path)
        #expect(found == data && length > lastOfContent, "cut at \(length)")
      } catch {
        #expect(error.kind == .malformed, "cut at \(length)")
      }
    }
  }

  @Test("Damaged files never crash", arguments: 0...3 as ClosedRange<UInt64>)
  func damage(part: UInt64) throws {
    let bytes = try TrajectoryFile.bytes(try plantData(), for: "a.nc")
    let end = try #require(bytes.lastIndex { $0 != 0 })
    let path = try temporaryPath("damaged.nc")
    for seed in 0..<100 {
      let changed = damaged(Array(bytes[...end]), seed: 1000 * part + UInt64(seed))
      try replace(path, changed + bytes[(end + 1)...])
      readsOrComplains(path)
    }
  }

  @Test("Wrong sizes in the global heap, which libhdf5 follows anywhere, are refused")
  func damagedHeap() throws {
    let bytes = try TrajectoryFile.bytes(try plantData(), for: "a.nc")
    let heap = try #require(
      bytes.indices.first { bytes[$0...].starts(with: Array("GCOL".utf8)) })
    let path = try temporaryPath("heap.nc")
    // The size of the heap, then number and size of its first two objects.
    for offset in [8, 15, 16, 24, 25, 31, 48, 49] {
      var changed = bytes
      changed[heap + offset] = changed[heap + offset] == 0 ? 0x80 : 0
      try replace(path, changed)
      readsOrComplains(path)
    }
  }

  @Test("The bytes that mark a heap may also stand in a text")
  func heapInText() throws {
    let data = try randomTrajectories(
      seed: 8, variables: [Variable("GCOL", longName: "GCOL and GCOL\u{1}", role: .state)],
      lengths: [2])
    #expect(Exact(try written(data, as: "nc")) == Exact(data))
  }

  @Test("What is no NetCDF file is refused", arguments: ["", "hello", "\u{89}HDF\r\n", "CDF\u{1}"])
  func noNetCDF(content: String) throws {
    let problem = try problem { try read(content.utf8, as: "nc") }
    #expect(
      problem.words.contains("not a NetCDF file")
        || problem.words.contains("NetCDF file is damaged"))
  }

  @Test("A folder and a missing file are told apart")
  func noFile() throws {
    let folder = try temporaryPath("folder.nc")
    #expect(try problem { try TrajectoryFile.read(folder) }.kind == .missing)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let asFolder = try problem { try TrajectoryFile.read(folder) }
    #expect(asFolder.kind == .unreadable)
    #expect(asFolder.words.contains("folder"))
    #expect(try problem { try TrajectoryFile.read(folder + "/a.nc") }.kind == .missing)
  }

  @Test("A NetCDF file with another ending is still read as one")
  func otherEnding() throws {
    let data = try plantData()
    #expect(try read(try TrajectoryFile.bytes(data, for: "a.nc"), as: "csv") == data)
  }

  @Test("Other endings are not written", arguments: ["a", "a.txt", ".nc", "a.nc.gz", "nc"])
  func unknownEnding(path: String) throws {
    #expect(
      try problem { try TrajectoryFile.bytes(try plantData(), for: path) }.kind == .cannotCreate)
  }
}

// MARK: Values

private func plantData() throws -> Trajectories {
  try randomTrajectories(
    seed: 1,
    variables: [
      Variable("T [°C]", unit: "°C", longName: "bath temperature", role: .state),
      Variable("mass", unit: "kg", role: .state),
      Variable("current", unit: "A", longName: "line current", role: .control),
      Variable("noise", role: .observable),
    ],
    lengths: [7, 2, 5], timeStep: 0.1, attributes: ["plant": "cell", "seed": "3"])
}

private func readsOrComplains(_ path: String) {
  do {
    _ = try TrajectoryFile.read(path)
  } catch {
    #expect(error.kind == .malformed || error.kind == .badData, "\(error)")
  }
}

/// None equal to another even in Unicode's sense.
private let hostileNames = [
  "time", "trajectory", "length", "", "a/b", " x", "x ", "T [°C]", "日本", "e\u{301}", "a\nb",
  String(repeating: "n", count: 300), String(repeating: "界", count: 86), "\"quoted\"", "it's",
  "_FillValue", "_underscore", "9lives", "-minus", "(x)", "x\u{7F}", "tab\t", "\\N", "a;b{c}", "🫖",
  "\u{FEFF}bom", "name", "role", "TIME",
]
