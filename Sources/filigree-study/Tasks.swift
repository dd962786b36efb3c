import CommandSupport
import Foundation
import Interchange
import Reporting
import Scheduling
import Study
import SystemPackage

struct Stages: Tool {
  static let configuration = CommandConfiguration(
    abstract:
      "Lists the stages of a plan with the numbers of their units, for filigree-study task.",
    discussion: """
      A unit stands only on units of earlier stages. With --ready it prints the numbers of the units that are \
      missing and can be made now, one a line.

      EXAMPLES
        filigree-study stages quick.yaml --output Reports/quick
        filigree-study stages quick.yaml --output Reports/quick --ready | xargs -n 4 -P 2 filigree-study task quick.yaml --output Reports/quick
      """)

  @Argument(help: "The plan (.yaml).", completion: .file())
  var plan: String

  @Option(name: .shortAndLong, help: "The study's folder; made if it is not there.")
  var output: String

  @Flag(help: "Print the numbers of the units that can be made now.")
  var ready = false

  @OptionGroup var format: FormatOption

  struct Row: Encodable {
    var stage: String
    var first: Int
    var units: Int
    var missing: Int
  }

  mutating func work() async throws {
    let study = try StudyFolder(making: output).study(of: plan, threads: 1)
    if ready {
      try Console.output(study.readyUnits().map { "\($0)\n" }.joined())
      return
    }
    let rows = study.stages().map {
      Row(stage: $0.stage.rawValue, first: $0.first, units: $0.count, missing: $0.missing)
    }
    var table = Table(
      title: "Units of \(plan)", corner: "stage", columns: ["first", "units", "missing"])
    for row in rows {
      table.rows.append(
        (row.stage, [.integer(row.first), .integer(row.units), .integer(row.missing)]))
    }
    try printResult([table], json: rows, format: format.format)
  }
}

struct MakeTask: Tool {
  static let configuration = CommandConfiguration(
    commandName: "task",
    abstract: "Makes units of a plan by their numbers, for any scheduler.",
    discussion: """
      A unit (a member's fit, what an ensemble decides, a judgement, …) is a function of the plan, its number \
      and the data, kept in the study's folder under the hash of these. Any number of tasks may run at once, on any \
      number of machines that share the folder; one that is there is not made again. When all are there, \
      filigree-study run makes the report of them. Exit code 75: a unit waits for others that are missing.

      EXAMPLES
        filigree-study task quick.yaml 0 --output Reports/quick
        filigree-study task quick.yaml 4 5 6 7 --output Reports/quick
      """)

  @Argument(help: "The plan (.yaml).", completion: .file())
  var plan: String

  @Argument(help: "Numbers of units, as filigree-study stages counts them.")
  var units: [Int]

  @Option(name: .shortAndLong, help: "The study's folder; made if it is not there.")
  var output: String

  @Option(
    parsing: .unconditional,
    help: "How many units may be made at once.")
  var threads: Int = 1

  @Flag(name: .shortAndLong, help: "Say nothing on standard error but errors and warnings.")
  var quiet = false

  func validate() throws {
    guard !units.isEmpty else { throw ValidationError("give the number of a unit.") }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads \(threads): must be between 1 and 1024.")
    }
  }

  mutating func work() async throws {
    let folder = try StudyFolder(making: output)
    try folder.markShared()
    let study = try folder.study(of: plan, threads: threads)
    let outcome = TaskOutcome(quiet: quiet)
    let units = units
    try await Interruption.cancelling {
      try await study.make(units) { outcome.note($0, $1, $2) }
    }
    StudyFolder.warn(of: study.damagedParts, "they were made again, or are by their own numbers")
    try outcome.end()
  }
}
