import CommandSupport
import Foundation
import Interchange
import Reporting
import Scheduling
import Study
import SystemPackage

struct Jobs: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Lists the tasks of a study's last round of jobs, how they are, and their logs.",
    discussion: """
      EXAMPLES
        filigree-study jobs Reports/paper
        filigree-study jobs Reports/paper --state failed --format json
        filigree-study jobs Reports/paper --unit 17
      """)

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  @Option(help: "Only tasks that are done, failed, running, waiting or lost.")
  var state: String?

  @Option(help: "Only the task that makes this unit.")
  var unit: Int?

  @OptionGroup var format: FormatOption

  func validate() throws {
    if let state, SlurmEngine.PartState.State(rawValue: state) == nil {
      throw ValidationError("--state \(state): there are done, failed, running, waiting and lost.")
    }
  }

  struct Row: Encodable {
    var stage: String
    var task: Int
    var state: String
    var units: [Int]
    var reason: String
    var log: String
  }

  mutating func work() async throws {
    let study = try StudyFolder(reading: folder).study(threads: 1)
    let engine = SlurmEngine(study, program: try ownProgram())
    let rows = try await engine.parts().filter { part in
      (state.map { $0 == part.state.rawValue } ?? true)
        && (unit.map { part.units.contains($0) } ?? true)
    }.map {
      Row(
        stage: $0.stage, task: $0.part, state: $0.state.rawValue, units: $0.units,
        reason: $0.reason, log: FilePath(folder).appending($0.log).string)
    }
    var table = Table(
      title: engine.lastRound.map { "Tasks of round \($0.number)" } ?? "No jobs were submitted",
      corner: "stage", columns: ["task", "state", "units", "log", "reason"])
    for row in rows {
      table.rows.append(
        (
          row.stage,
          [
            .integer(row.task), .text(row.state), .integer(row.units.count), .text(row.log),
            .text(row.reason),
          ]
        ))
    }
    try printResult([table], json: rows, format: format.format)
  }
}

struct Cancel: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Ends the jobs of a study on a cluster; what is finished stays.")

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  mutating func work() async throws {
    let place = try StudyFolder(reading: folder)
    let engine = SlurmEngine(try place.study(threads: 1), program: try ownProgram())
    let count = try await engine.cancel()
    Console.note(
      count == 0
        ? "\(folder): no job waits or runs"
        : "\(folder): \(counted(count, "task")) cancelled; filigree-study run goes on with what is missing"
    )
  }
}
