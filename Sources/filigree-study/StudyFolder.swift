import CommandSupport
import Foundation
import Interchange
import Reporting
import Study
import SystemPackage

/// A study's folder: plan.yaml (the plan as it was last run), study.json (where it lay), units/ (finished
/// parts), models/, tables and summary.
struct StudyFolder {
  static let files = [
    "plan.yaml", "study.json", "members.csv", "recipes.csv", "timings.csv", "summary.md",
    "report.md",
    "report.html", "provenance.md",
  ]

  let path: String

  private struct Origin: Codable {
    var plan: String
    /// That the plan's files are relative to.
    var folder: String
  }

  /// - Throws: `FileProblem` for a folder with something else in it.
  init(making path: String) throws {
    self.path = FilePath(path).lexicallyNormalized().string
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []
    // A study that was killed at once has left its lock, and maybe a file that was not finished.
    let isStudy =
      entries.contains("study.json")
      || entries.allSatisfy { $0 == "lock" || $0.hasPrefix(".") && $0.contains(".partial-") }
    guard isStudy else { throw FileProblem.foreignFolder(path: path, entries: entries.sorted()) }
    do {
      try FileManager.default.createDirectory(
        atPath: self.path, withIntermediateDirectories: true)
    } catch {
      throw FileProblem.cannotCreate(path: path, reason: error.localizedDescription)
    }
  }

  /// - Throws: `FileProblem.missing` for a folder without a study.
  init(reading path: String) throws {
    self.path = FilePath(path).lexicallyNormalized().string
    guard FileManager.default.fileExists(atPath: inside("study.json")) else {
      throw FileProblem.missing(path: inside("study.json"))
    }
  }

  private func inside(_ name: String) -> String { FilePath(path).appending(name).string }

  /// - Parameter readsFiles: whether the plan names files, which are relative to where it lies.
  func keep(_ plan: String, readsFiles: Bool) throws {
    let here = FilePath(FileManager.default.currentDirectoryPath)
    let folder = here.pushing(FilePath(plan)).lexicallyNormalized().removingLastComponent()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let origin = Origin(plan: plan, folder: readsFiles ? folder.string : ".")
    try write(Array(try encoder.encode(origin)) + [0x0A], "study.json")
    try write(try WholeFile.read(plan), "plan.yaml")
  }

  /// The study as it was last run.
  func study(threads: Int) throws -> StudyRun {
    let bytes = try WholeFile.read(inside("study.json"))
    guard let origin = try? JSONDecoder().decode(Origin.self, from: Data(bytes)) else {
      throw FileProblem.malformed(
        path: inside("study.json"), place: "", reason: "not the record of a study")
    }
    let plan = try StudyPlan(
      path: inside("plan.yaml"), folder: FilePath(origin.folder), parseRecipe: parseRecipe)
    return try StudyRun(
      plan, path: inside("plan.yaml"), folder: path, version: filigreeVersion, threads: threads)
  }

  func write(_ results: StudyResults) throws {
    let tables = StudyTables(results)
    try write(Array(tables.members.csv.utf8), "members.csv")
    try write(Array(tables.recipes.csv.utf8), "recipes.csv")
    try write(Array(tables.timings.csv.utf8), "timings.csv")
    try write(Array(tables.summary.utf8), "summary.md")
  }

  /// report.html, report.md and figures/.
  func write(_ document: ReportDocument) throws {
    let figures = FilePath(path).appending("figures").string
    try FileManager.default.createDirectory(atPath: figures, withIntermediateDirectories: true)
    for figure in document.figures { try write(figure.svg, "figures/\(figure.id).svg") }
    let wanted = Set(document.figures.map { "\($0.id).svg" })
    for name in (try? FileManager.default.contentsOfDirectory(atPath: figures)) ?? []
    where name.hasSuffix(".svg") && !wanted.contains(name) {
      unlink(FilePath(figures).appending(name).string)
    }
    try write(Array(document.markdown(figures: "figures").utf8), "report.md")
    try write(Array(try ReportPage.html(document).utf8), "report.html")
  }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try WholeFile.write(bytes, to: inside(name), force: true)
  }
}
