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
