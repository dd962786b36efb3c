import Foundation
import Interchange
import SystemPackage

/// A chain of jobs that was submitted for a study: an array for each stage, and one that follows when all have ended.
/// It lies in jobs/NNNN of the study's folder, with the plan that it was submitted for, a list of parts and a folder
/// of logs and summaries for each stage.
public struct Round: Codable, Equatable, Sendable {
  public struct Stage: Codable, Equatable, Sendable {
    public var stage: String
    /// Slurm's number.
    public var job: String
    public var parts: Int
    public var units: Int
  }

  public var number: Int
  /// Who submitted it.
  public var user: UInt32
  public var stages: [Stage] = []
  /// The job that looks what is missing and goes on; nil until it is submitted.
  public var follow: String?
  /// Units that were missing.
  public var missing: Int
  /// Rounds before it in a row that brought nothing.
  public var idle: Int
  /// Whether it only measures how long units take.
  public var isPilot: Bool

  public var jobs: [String] { stages.map(\.job) + (follow.map { [$0] } ?? []) }
}

/// What came of a part: some units that one task of a job makes one after the other.
public struct PartSummary: Codable, Sendable {
  public struct Failure: Codable, Sendable {
    public var unit: Int
    public var name: String
    public var reason: String
  }

  public struct Time: Codable, Sendable {
    public var units: Int
    public var seconds: Double
  }

  public var host: String
  public var made = 0
  public var there = 0
  /// Units that what they stand on is missing of.
  public var waits = 0
  public var failures: [Failure] = []
  /// By kind and ensemble.
  public var times: [String: Time] = [:]
}

/// The files of rounds.
struct RoundFolder: Sendable {
  /// Of all rounds.
  let jobs: FilePath

  init(_ study: String) { jobs = FilePath(study).appending("jobs") }

  static func name(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 4 - "\(number)".count)) + "\(number)"
  }

  func path(_ number: Int) -> FilePath { jobs.appending(Self.name(number)) }

  var numbers: [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: jobs.string)) ?? [])
      .compactMap { Int($0) }.sorted()
  }

  /// Those whose record can be read, the oldest first.
  var rounds: [Round] {
    numbers.compactMap { number in
      (try? WholeFile.read(path(number).appending("round.json").string)).flatMap {
        try? SealedJSON.value(Round.self, from: $0)
      }
    }
  }

  /// A folder for another round, which no other process has.
  func make() throws -> Int {
    try FileManager.default.createDirectory(
      atPath: jobs.string, withIntermediateDirectories: true)
    var number = (numbers.last ?? 0) + 1
    while mkdir(path(number).string, 0o777) != 0 {
      guard errno == EEXIST else {
        throw FileProblem.cannotCreate(
          path: path(number).string, reason: String(cString: strerror(errno)))
      }
      number += 1
    }
    return number
  }

  /// Takes back a round of which nothing was submitted.
  func remove(_ number: Int) { try? FileManager.default.removeItem(atPath: path(number).string) }

  func save(_ round: Round) throws {
    try WholeFile.write(
      try SealedJSON.bytes(round), to: path(round.number).appending("round.json").string,
      force: true)
  }

  // MARK: Parts

  /// One line for each part, with the numbers of its units.
  func save(_ parts: [[Int]], _ number: Int, _ stage: StudyRun.Stage) throws {
    let folder = path(number).appending(stage.rawValue).string
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let text = parts.map { $0.map(String.init).joined(separator: " ") + "\n" }.joined()
    try WholeFile.write(Array(text.utf8), to: folder + ".txt", force: true)
  }

  /// - Throws: `FileProblem`.
  func parts(_ number: Int, _ stage: String) throws -> [[Int]] {
    let path = path(number).appending("\(stage).txt").string
    let text = String(decoding: try WholeFile.read(path), as: UTF8.self)
    return try text.split(separator: "\n").enumerated().map { line, words in
      let numbers = words.split(separator: " ").map { Int($0) }
      guard !numbers.contains(nil) else {
        throw FileProblem.malformed(
          path: path, place: "line \(line + 1)", reason: "numbers of units are needed")
      }
      return numbers.compactMap { $0 }
    }
  }

  func summaryPath(_ number: Int, _ stage: String, _ part: Int) -> String {
    path(number).appending(stage).appending("\(part).json").string
  }

  func summary(_ number: Int, _ stage: String, _ part: Int) -> PartSummary? {
    (try? WholeFile.read(summaryPath(number, stage, part))).flatMap {
      try? SealedJSON.value(PartSummary.self, from: $0)
    }
  }

  /// Relative to the study's folder; `part` may be Slurm's sign for it.
  static func log(_ number: Int, _ stage: String, _ part: String) -> String {
    "jobs/\(name(number))/\(stage)/\(part).log"
  }

  /// How long units took in all rounds, by kind and ensemble.
  func times() -> [String: PartSummary.Time] {
    var sums: [String: PartSummary.Time] = [:]
    for round in rounds {
      for stage in round.stages {
        for part in 0..<stage.parts {
          for (key, time) in summary(round.number, stage.stage, part)?.times ?? [:] {
            sums[key, default: .init(units: 0, seconds: 0)].units += time.units
            sums[key, default: .init(units: 0, seconds: 0)].seconds += time.seconds
          }
        }
      }
    }
    return sums
  }
}
