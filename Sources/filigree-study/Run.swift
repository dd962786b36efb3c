import CommandSupport
import Foundation
import Interchange
import Reporting
import Study
import SystemPackage

struct Run: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Does everything in a plan that is not done yet.",
    discussion: """
      With --engine slurm the units are made by array jobs, and the last job of each round submits what is missing, or \
      makes the report. The command waits for them; Ctrl-C leaves them alone, and so does --detach. The plan's key \
      "cluster" names the partition, limits and so on.

      EXAMPLES
        filigree-study run quick.yaml --output Reports/quick
        filigree-study run paper.yaml --engine slurm --detach --output Reports/paper
      """)

  @Argument(help: "The plan (.yaml).", completion: .file())
  var plan: String

  @Option(name: .shortAndLong, help: "The study's folder; made, or gone on with.")
  var output: String

  @Option(
    help: "What makes the units: this machine (local), or a cluster (slurm).",
    completion: .list(Engine.allCases.map(\.rawValue)))
  var engine = Engine.local

  @Flag(help: "With --engine slurm: submit the jobs and end.")
  var detach = false

  @Flag(help: "Remove finished parts that the plan does not ask for any more.")
  var prune = false

  @OptionGroup var run: RunOptions

  func validate() throws {
    if engine == .local && detach {
      throw ValidationError("--detach needs --engine slurm: there are no jobs to leave alone.")
    }
    if engine == .slurm && prune {
      throw ValidationError(
        "--prune needs --engine local; when the jobs have ended, run the same without --engine.")
    }
  }

  mutating func work() async throws {
    let begin = ContinuousClock.now
    let studyPlan = try StudyPlan(path: plan, parseRecipe: parseRecipe)
    // Jobs start in folders of their own.
    let here = FilePath(FileManager.default.currentDirectoryPath)
    let folder = try StudyFolder(
      making: engine == .local ? output : here.pushing(FilePath(output)).string)
    var claim: StudyClaim? = try folder.lock()
    defer { withExtendedLifetime(claim) {} }
    folder.removeLeftovers()
    let study = try StudyRun(
      studyPlan, path: plan, folder: folder.path, version: filigreeVersion, threads: run.threads)
    if studyPlan.train == studyPlan.test, studyPlan.readsFiles {
      Console.warning(
        "training and test data are the same file: what the study says of forecasts is no more than how well "
          + "they were learnt")
    }
    var gathering = try Gathering(study, folder, plan: plan, begin: begin, run)
    let cluster = engine == .slurm ? try ClusterStudy(folder, study, quiet: run.quiet) : nil
    if let cluster, let round = cluster.engine.lastRound,
      try await !cluster.engine.queued().isEmpty, try !folder.isKept(plan)
    {
      throw StudyIsClaimed(
        folder: output,
        holder:
          "jobs of round \(round.number), of another plan; filigree-study cancel \(output) ends them"
      )
    }
    try folder.keep(plan, readsFiles: studyPlan.readsFiles)
    run.note(
      "\(counted(study.plan.recipes.count, "recipe")), \(counted(study.plan.cells.count, "ensemble")) of "
        + counted(study.plan.members, "member"))
    if let cluster {
      let step = try await cluster.advance(isAsked: true)
      claim = nil
      if detach, case .finished = step {
      } else if detach {
        run.note(
          "\(output): filigree-study status says how far it is, filigree-study cancel ends it")
        return
      }
      try await wait(for: cluster)
      claim = try await folder.patientLock()
    }
    try await runHere(study, folder)
    StudyFolder.warn(of: study.damagedParts, "these parts were made again")
    if prune { study.prune() }
    try await gathering.write()
    try gathering.tell()
  }

  private func wait(for cluster: ClusterStudy) async throws {
    do {
      try await Interruption.cancelling { try await cluster.wait() }
    } catch var interruption as Interruption {
      interruption.remedy =
        "the jobs go on; the same command waits for them again, filigree-study cancel \(output) ends them"
      throw interruption
    }
  }

  /// Makes what is missing, which after a cluster's work is nothing, and names the models.
  private func runHere(_ study: StudyRun, _ folder: StudyFolder) async throws {
    let progress = StageProgress(quiet: run.quiet || engine == .slurm)
    do {
      try await Interruption.cancelling {
        try await study.run(
          starting: { progress.begin($0, $1) }, report: { progress.report($0) })
      }
    } catch var interruption as Interruption {
      progress.finish()
      try folder.write(study.results())
      interruption.remedy = "what was finished is kept in \(output); the same command goes on"
      throw interruption
    }
    progress.finish()
  }
}
