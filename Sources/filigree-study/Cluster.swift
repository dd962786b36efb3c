import CommandSupport
import Foundation
import Interchange
import Reporting
import Scheduling
import Study
import SystemPackage

/// What carries out a study.
enum Engine: String, CaseIterable, ExpressibleByArgument {
  case local, slurm
}

extension SchedulingProblem: ExitCoded {
  public var exitCode: Int32 { EX_UNAVAILABLE }
}

extension StudyIsClaimed: ExitCoded {
  public var exitCode: Int32 { EX_CANTCREAT }
}

extension StudyRun.NoSuchUnit: ExitCoded {
  public var exitCode: Int32 { EX_USAGE }
}

/// Units that are missing when nothing is left to wait for.
struct UnfinishedStudy: ExitCoded, CustomStringConvertible {
  let description: String
  let exitCode = EX_TEMPFAIL

  init(_ folder: String, missing: Int) {
    description =
      "\(folder): \(counted(missing, "unit")) could not be made; filigree-study jobs \(folder) says why and names "
      + "the logs, and filigree-study run tries again"
  }
}

/// The path of this program, for jobs that start it on other machines.
func ownProgram() throws -> String {
  try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
}

/// A study on a cluster.
struct ClusterStudy: Sendable {
  let folder: StudyFolder
  let study: StudyRun
  let engine: SlurmEngine
  let quiet: Bool

  init(_ folder: StudyFolder, _ study: StudyRun, quiet: Bool) throws {
    self.folder = folder
    self.study = study
    self.quiet = quiet
    engine = SlurmEngine(study, program: try ownProgram())
  }

  /// Submits what is missing. To be called by the holder of the claim.
  func advance(isAsked: Bool) async throws -> SlurmEngine.Step {
    let step = try await engine.advance(isAsked: isAsked) { try folder.copyPlan(to: $0) }
    switch step {
    case .submitted(let round):
      let tasks = round.stages.reduce(0) { $0 + $1.parts }
      note(
        "round \(round.number): \(counted(round.stages.reduce(0) { $0 + $1.units }, "unit")) in "
          + "\(counted(tasks, "task"))"
          + (round.isPilot ? ", to measure how long units take" : "")
          + "; jobs \(round.jobs.joined(separator: ", "))")
    case .queued(let round, let tasks):
      let running = tasks.count(where: \.isRunning)
      note("round \(round.number): \(running) running, \(tasks.count - running) waiting")
    case .finished, .givenUp: break
    }
    return step
  }

  private func note(_ text: String) { if !quiet { Console.note(text) } }

  /// Waits until no job is left and nothing is missing.
  /// - Throws: `UnfinishedStudy`; `Interruption`, which leaves the jobs alone.
  func wait() async throws {
    while true {
      try await waitForQueue()
      let claim = try await folder.patientLock()
      defer { withExtendedLifetime(claim) {} }
      // The job that follows may have submitted another round.
      switch try await advance(isAsked: false) {
      case .finished: return
      case .givenUp(let missing):
        try folder.write(study.results())
        throw UnfinishedStudy(folder.path, missing: missing)
      case .queued, .submitted: continue
      }
    }
  }

  private func waitForQueue() async throws {
    var (done, all) = engine.progress()
    let line = ProgressLine(total: all, done: done, unit: "tasks", quiet: quiet)
    defer { line.finish() }
    var pause = 0.5
    while !(try await engine.queued()).isEmpty {
      try await Task.sleep(for: .seconds(pause))
      pause = min(15, pause * 1.3)
      let now = engine.progress()
      if now.all == all && now.done > done { line.advance(by: now.done - done, "") }
      (done, all) = now
    }
  }
}

// MARK: - Commands

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

struct Part: Tool {
  static let configuration = CommandConfiguration(
    abstract: "What a task of a cluster's job runs.",
    discussion: "Its number is SLURM_ARRAY_TASK_ID.", shouldDisplay: false)

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  @Argument(help: "The number of the round.")
  var round: Int

  @Argument(help: "The stage.")
  var stage: String

  mutating func work() async throws {
    let environment = ProcessInfo.processInfo.environment
    guard let part = environment["SLURM_ARRAY_TASK_ID"].flatMap({ Int($0) }) else {
      throw ValidationError("SLURM_ARRAY_TASK_ID is no number: this is run by a cluster's job.")
    }
    let cores = environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) } ?? 1
    let study = try StudyFolder(reading: folder).study(threads: max(1, cores), round: round)
    let engine = SlurmEngine(study, program: try ownProgram())
    let (round, stage) = (round, stage)
    let summary = try await Interruption.cancelling {
      try await engine.make(round: round, stage: stage, part: part) {
        try? Console.output($0 + "\n")
      }
    }
    guard summary.isWhole else { throw ExitCode(EX_TEMPFAIL) }
  }
}

struct Follow: Tool {
  static let configuration = CommandConfiguration(
    abstract: "What the last job of a round runs: submits what is missing, or makes the report.",
    shouldDisplay: false)

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  @OptionGroup var run: RunOptions

  mutating func work() async throws {
    let begin = ContinuousClock.now
    let place = try StudyFolder(reading: folder)
    let claim = try await place.patientLock()
    defer { withExtendedLifetime(claim) {} }
    let study = try place.study(threads: run.threads)
    let cluster = try ClusterStudy(place, study, quiet: run.quiet)
    switch try await cluster.advance(isAsked: false) {
    case .submitted, .queued: return
    case .givenUp(let missing):
      try place.write(study.results())
      throw UnfinishedStudy(folder, missing: missing)
    case .finished:
      // Nothing is missing: this only gives the models their names.
      try await study.run(starting: { _, _ in }, report: { _ in })
      var gathering = try Gathering(study, place, plan: place.plan, begin: begin, run)
      try await gathering.write()
      run.note("\(folder): report.html, report.md, recipes.csv, members.csv")
    }
  }
}

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
