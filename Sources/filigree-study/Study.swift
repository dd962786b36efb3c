import CommandSupport
import Dynamics
import Foundation
import Interchange
import Networks
import Reporting
import Study
import SystemPackage
import Training

@main
struct StudyCommand: CommandMain {
  static let configuration = CommandConfiguration(
    commandName: "filigree-study",
    abstract: "Carries out whole studies from a plan: simulate, train, judge, report.",
    discussion: """
      A plan (YAML) names data, training-set sizes, levels of noise, recipes (any options of \
      filigree-train) and members. Each member is trained and judged once and kept under the hash of what \
      it depends on: a study that was stopped goes on with the same command, and a plan that was changed \
      redoes only what the change concerns. The folder then holds members.csv (a row per member), \
      recipes.csv (a row per recipe, size and noise, with 95 % intervals over members), summary.md, the \
      models, and report.html: what drives what, how sure that is and how well it forecasts, then output by \
      output, forecasts, agreement, recipes and methods, in one page (report.md with figures/ is the same).

      EXAMPLES
        filigree-study plan quick > quick.yaml
        filigree-study run quick.yaml --output Reports/quick
        filigree-study status Reports/quick
        filigree-study report Reports/quick
        filigree-study compare Reports/quick Reports/other
      """,
    version: filigreeVersion,
    subcommands: [Run.self, Status.self, Report.self, Compare.self, Tables.self, Plan.self])
}

// MARK: - run

struct Run: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Does everything in a plan that is not done yet.")

  @Argument(help: "The plan (.yaml).", completion: .file())
  var plan: String

  @Option(name: .shortAndLong, help: "The study's folder; made, or gone on with.")
  var output: String

  @Flag(help: "Remove finished parts that the plan does not ask for any more.")
  var prune = false

  @OptionGroup var run: RunOptions

  mutating func work() async throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let studyPlan = try StudyPlan(path: plan, parseRecipe: parseRecipe)
    let folder = try StudyFolder(making: output)
    let lock = try folder.lock()
    defer { withExtendedLifetime(lock) {} }
    WholeFile.removeLeftovers(in: folder.path)
    var manifest = try Manifest(seed: studyPlan.seed, threads: run.threads, inputs: [plan])
    let study = try StudyRun(
      studyPlan, path: plan, folder: folder.path, version: filigreeVersion, threads: run.threads)
    if studyPlan.train == studyPlan.test, studyPlan.readsFiles {
      Console.warning(
        "training and test data are the same file: what the study says of forecasts is no more than how well "
          + "they were learnt")
    }
    try folder.keep(plan, readsFiles: studyPlan.readsFiles)
    let cells = study.plan.cells.count
    run.note(
      "\(counted(study.plan.recipes.count, "recipe")), \(counted(cells, "ensemble")) of "
        + counted(study.plan.members, "member"))
    let quiet = run.quiet
    let progress = StageProgress(quiet: quiet)
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
    StudyFolder.warn(of: study.damagedParts, "these parts were made again")
    if prune { study.prune() }
    let results = study.results()
    try folder.write(results)
    try folder.write(try await StudyReport(study).document())
    manifest.record("study", clock.now - begin)
    manifest.files = StudyFolder.files
    try folder.write(try manifest.bytes(), "manifest.json")
    let times = StudyTables(results).timings.markdown
    let page = manifest.page(
      "How this study was made",
      also: "\nThe last run makes only what was missing; the members themselves took:\n\n\(times)")
    try folder.write(Array(page.utf8), "provenance.md")
    for row in results.failedMembers.prefix(10) {
      Console.warning(
        "\(row.recipe), \(counted(row.size, "trajectory")), member \(row.member): "
          + (row.reason ?? row.status))
    }
    for warning in (results.emptyModels + results.warnings).prefix(10) {
      Console.warning(StudyTables.words(warning))
    }
    run.note(
      "\(output): done in \(String(format: "%.1f", ProgressLine.seconds(clock.now - begin))) s; "
        + "report.html, report.md, recipes.csv, members.csv")
    try Console.output(
      StudyTables(results).summaryTables.map { $0.text(width: Console.width) }
        .joined(separator: "\n"))
  }
}
