import Foundation
import Networks
import SystemPackage
import Training

/// The checkpoints of an unfinished training: a folder `<output>.training` beside its output, held by one process
/// at a time.
///
/// `training.json` holds the settings, one text each; every problem has its own file, written whole and renamed
/// into place: one line of JSON, then parameters, moments and whatever else is kept, as little-endian 32-bit
/// floats, then the SHA-256 of all of this. An unfinished training is only resumed with the same settings.
public final class CheckpointFolder: Sendable {
  /// What to do about an unfinished training.
  public enum Start: Sendable {
    /// Refuse it.
    case new
    /// Resume it, or begin if there is none.
    case resume
    /// Discard it.
    case over
  }

  public let path: String
  private let lock: FolderLock

  /// - Throws: `FileProblem.busy` while another process trains into the same output, `.unfinished`,
  ///   `.otherSettings`, or when the folder cannot be made.
  public init(output: String, settings: [String: String], start: Start) throws(FileProblem) {
    path = Self.path(output: output)
    lock = try FolderLock(path)
    try prepare(settings, start)
  }

  /// The folder that belongs to an output folder.
  public static func path(output: String) -> String {
    FilePath(output).lexicallyNormalized().string + ".training"
  }

  private static let settingsName = "training.json"

  private static func inside(_ folder: String, _ name: String) -> String {
    FilePath(folder).appending(name).string
  }

  // MARK: Owning

  private func prepare(_ settings: [String: String], _ start: Start) throws(FileProblem) {
    let file = Self.inside(path, Self.settingsName)
    if FileManager.default.fileExists(atPath: file) {
      switch start {
      case .new: throw .unfinished(path: path)
      case .over: try removeFiles()
      case .resume:
        let differences = Self.differences(try Self.readSettings(file), settings)
        guard differences.isEmpty else {
          throw .otherSettings(path: path, differences: differences)
        }
        return
      }
    } else {
      // States without settings are of a training that was killed while it was thrown away.
      try removeFiles()
    }
    guard let bytes = try? SealedJSON.bytes(settings) else {
      throw .writeFailed(path: file, reason: "settings that are no text")
    }
    try WholeFile.write(bytes, to: file, force: true)
  }

  private static func readSettings(_ file: String) throws(FileProblem) -> [String: String] {
    let bytes = try WholeFile.read(file)
    guard var settings = try? SealedJSON.value([String: String].self, from: bytes) else {
      throw .malformed(
        path: file, place: "",
        reason: "damaged, or not the settings of a training; start over with `force` and without "
          + "`resume`")
    }
    settings["digest"] = nil
    return settings
  }

  /// In words: "epochs: 60 there, 80 here".
  static func differences(_ there: [String: String], _ here: [String: String]) -> [String] {
    Set(there.keys).union(here.keys).sorted().compactMap { key in
      there[key] == here[key]
        ? nil : "\(key): \(there[key] ?? "unknown") there, \(here[key] ?? "unknown") here"
    }
  }

  /// Removes our files and, if nothing else is in it, the folder, once the output exists.
  public func remove() throws(FileProblem) {
    // The settings go first: what is left without them counts as nothing.
    try removeFiles()
    unlink(Self.inside(path, FolderLock.name))
    rmdir(path)
  }

  /// Whether a checkpoint was written; a training that was refused earlier has none.
  public var holdsStates: Bool {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).contains {
      $0.hasSuffix(".state")
    }
  }

  private func removeFiles() throws(FileProblem) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let ours = names.filter { name in
      name == Self.settingsName || name.hasSuffix(".state")
        || name.hasPrefix(".") && name.contains(".partial-")
    }
    for name in ours.sorted(by: { $0 == Self.settingsName && $1 != $0 }) {
      let file = Self.inside(path, name)
      guard unlink(file) == 0 else { throw .cannotCreate(path: file, reason: systemError()) }
    }
  }

  // MARK: States

  private struct Header: Codable {
    var format: Int
    var problem: TrainingProblem
    var divergences: [Divergence]
    var isAbandoned: Bool
    var epochs: [EpochRecord]
    /// Numbers in each of the arrays.
    var counts: [Int]
  }

  /// In their order in the file.
  private static let arrays: [any WritableKeyPath<ProblemState, [Float]> & Sendable] = [
    \.tower.parameters, \.tower.moment1, \.tower.moment2, \.tower.latent, \.tower.average, \.best,
  ]

  public func checkpoints(interval: Duration) -> Checkpoints {
    Checkpoints(
      interval: interval, load: { try self.load($0) }, save: { try self.save($0) })
  }

  private func file(_ problem: TrainingProblem) -> String {
    let tower = problem.tower.map { "-tower-\($0)" } ?? ""
    return Self.inside(path, "member-\(problem.member)\(tower).state")
  }

  private func save(_ state: ProblemState) throws {
    let header = Header(
      format: 3, problem: state.problem, divergences: state.divergences,
      isAbandoned: state.isAbandoned, epochs: state.epochs,
      counts: Self.arrays.map { state[keyPath: $0].count })
    var bytes = try CanonicalJSON.bytes(header, isCompact: true)
    bytes.append(0x0A)
    for array in Self.arrays {
      for value in state[keyPath: array] {
        for shift: UInt32 in [0, 8, 16, 24] {
          bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
      }
    }
    try WholeFile.write(ContentDigest.sealed(bytes), to: file(state.problem), force: true)
  }

  private func load(_ problem: TrainingProblem) throws -> ProblemState? {
    let file = file(problem)
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let bytes = ContentDigest.unsealed(try WholeFile.read(file)) ?? []
    let line = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
    guard !bytes.isEmpty, let header = try? CanonicalJSON.value(Header.self, from: bytes[..<line]),
      header.format == 3, header.problem == problem, header.counts.count == Self.arrays.count,
      header.counts.allSatisfy({ (0...(1 << 40)).contains($0) }),
      bytes.count - line - 1 == 4 * header.counts.reduce(0, +)
    else {
      throw FileProblem.malformed(
        path: file, place: "",
        reason:
          "damaged, or not a whole state of a training; delete it to train this part from the "
          + "start")
    }
    var state = ProblemState(
      problem, divergences: header.divergences, isAbandoned: header.isAbandoned,
      epochs: header.epochs)
    var next = line + 1
    for (array, count) in zip(Self.arrays, header.counts) {
      state[keyPath: array] = (0..<count).map { index in
        let start = next + 4 * index
        return Float(
          bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
      }
      next += 4 * count
    }
    return state
  }
}
