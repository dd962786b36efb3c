import Dynamics
import Foundation
import LinearAlgebra

/// Several tables as the trajectories of one data set.
public struct PreparedTables: Sendable {
  public var data: Trajectories
  public var reports: [TableReport]

  /// - Parameters:
  ///   - files: in the order in which their trajectories follow each other.
  ///   - settings: what is known about all of them.
  ///   - toleratesUnevenness: accepts rows that are not equally spaced, to examine them.
  /// - Throws: `FileProblem`, also where files differ in variables or sampling step.
  public static func read(
    _ files: [String], settings: TableSettings, toleratesUnevenness: Bool = false
  )
    throws(FileProblem) -> PreparedTables
  {
    var all: Trajectories?
    var reports: [TableReport] = []
    for file in files {
      let (data, report) = try TrajectoryFile.read(
        file, settings: settings, gaps: .inStates, toleratesUnevenness: toleratesUnevenness)
      reports.append(report)
      guard let first = all else {
        all = data
        continue
      }
      all = try joined(first, data, file, files[0])
    }
    guard let all else { throw .missing(path: "") }
    return PreparedTables(data: all, reports: reports)
  }

  private static func joined(
    _ first: Trajectories, _ next: Trajectories, _ file: String, _ model: String
  )
    throws(FileProblem) -> Trajectories
  {
    guard abs(next.timeStep / first.timeStep - 1) < 1e-6 else {
      throw .malformed(
        path: file, place: "",
        reason: "its samples are \(Words.time(next.timeStep)) apart, those of \(model) "
          + "\(Words.time(first.timeStep)); resample both with --every")
    }
    return try locating(file) { () throws(DataProblem) in
      let chosen = try next.selecting(first.variables.map(\.name))
      // Constants of one file may move in another.
      let variables = zip(first.variables, chosen.named(like: first.variables)).map { one, other in
        var variable = one
        if one.role == .observable, other.role == .state { variable.role = .state }
        return variable
      }
      return try Trajectories(
        variables: variables, timeStep: first.timeStep,
        samples: first.samples + chosen.columns(like: first.variables),
        attributes: first.attributes, gaps: .inStates)
    }
  }

  /// The data without, and only, a share of the trajectories.
  /// - Throws: `FileProblem.badData` where nothing can be set aside.
  public func split(test share: Double?) throws(FileProblem) -> (Trajectories, Trajectories?) {
    guard let share else { return (data, nil) }
    let (kept, aside) = data.split(validationFraction: share)
    guard aside != nil else { throw .badData(path: reports.first?.file ?? "", problem: .tooShort) }
    return (kept, aside)
  }

  /// What was done, in words, with file names without their folders, so that the same data give the same file.
  public var history: String {
    reports.map { report in
      "\(Self.name(report.file)): \(report.summary)"
        + report.notes.map { "\n  " + $0.text }.joined()
    }.joined(separator: "\n")
  }

  public var source: String { reports.map { Self.name($0.file) }.joined(separator: ", ") }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

extension Trajectories {
  fileprivate func named(like wanted: [Variable]) -> [Variable] {
    wanted.compactMap { variable in variables.first { $0.name == variable.name } }
  }

  /// The samples with columns in this order.
  fileprivate func columns(like wanted: [Variable]) -> [Matrix] {
    let order = wanted.compactMap { variable in variables.firstIndex { $0.name == variable.name } }
    return samples.map { $0.submatrix(rows: Array(0..<$0.rows), columns: order) }
  }
}
