import CommandSupport
import Foundation
import Interchange
import Reporting
import Scheduling
import Study
import SystemPackage

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
