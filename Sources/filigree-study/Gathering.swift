import CommandSupport
import Foundation
import Interchange
import Reporting
import Study

/// What makes a study of its finished units: tables, summary, models under their names, report and manifest.
struct Gathering {
  let study: StudyRun
  let folder: StudyFolder
  var manifest: Manifest
  let begin: ContinuousClock.Instant
  let run: RunOptions

  /// - Parameters:
  ///   - study: as it was read.
  ///   - folder: its own.
  ///   - plan: the file named in the manifest.
  ///   - begin: when the work began.
  ///   - run: options of the command.
  init(
    _ study: StudyRun, _ folder: StudyFolder, plan: String, begin: ContinuousClock.Instant,
    _ run: RunOptions
  ) throws {
    self.study = study
    self.folder = folder
    self.begin = begin
    self.run = run
    manifest = try Manifest(seed: study.plan.seed, threads: run.threads, inputs: [plan])
  }

  /// To be called by the holder of the study's claim.
  mutating func write() async throws {
    let results = study.results()
    try folder.write(results)
    try folder.write(try await StudyReport(study).document())
    manifest.record("study", ContinuousClock.now - begin)
    manifest.files = StudyFolder.files
    try folder.write(try manifest.bytes(), "manifest.json")
    let times = StudyTables(results).timings.markdown
    let page = manifest.page(
      "How this study was made",
      also: "\nThe last run makes only what was missing; the members themselves took:\n\n\(times)")
    try folder.write(Array(page.utf8), "provenance.md")
  }

  /// Warnings, and the tables of the summary on standard output.
  func tell() throws {
    let results = study.results()
    for row in results.failedMembers.prefix(10) {
      Console.warning(
        "\(row.recipe), \(counted(row.size, "trajectory")), member \(row.member): "
          + (row.reason ?? row.status))
    }
    for warning in (results.emptyModels + results.warnings).prefix(10) {
      Console.warning(StudyTables.words(warning))
    }
    run.note(
      "\(folder.path): done in \(String(format: "%.1f", ProgressLine.seconds(.now - begin))) s; "
        + "report.html, report.md, recipes.csv, members.csv")
    try Console.output(
      StudyTables(results).summaryTables.map { $0.text(width: Console.width) }
        .joined(separator: "\n"))
  }
}
