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
    /// SHA-256 of plan.yaml.
    var planDigest: String
  }

  /// - Throws: `FileProblem` for a folder with something else in it.
  init(making path: String) throws {
    self.path = FilePath(path).lexicallyNormalized().string
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []
    // A study that was killed at once has left its lock, and maybe a file that was not finished; one that has lost
    // its record is known by its plan and its units, and gets the record again.
    let isStudy =
      entries.contains("study.json")
      || ["plan.yaml", "units"].allSatisfy(entries.contains)
      || entries.allSatisfy { $0 == "lock" || $0.hasPrefix(".") && $0.contains(".partial-") }
    guard isStudy else { throw FileProblem.foreignFolder(path: path, entries: entries.sorted()) }
    do {
      try FileManager.default.createDirectory(
        atPath: self.path, withIntermediateDirectories: true)
    } catch {
      throw FileProblem.cannotCreate(path: path, reason: error.localizedDescription)
    }
  }

  /// - Throws: `FileProblem.missing` where there is nothing, `NoStudy` for what is no study.
  init(reading path: String) throws {
    self.path = FilePath(path).lexicallyNormalized().string
    guard FileManager.default.fileExists(atPath: path) else {
      throw FileProblem.missing(path: path)
    }
    guard FileManager.default.fileExists(atPath: inside("study.json")) else {
      throw NoStudy(path)
    }
  }

  /// Held while the study is worked on.
  /// - Throws: `FileProblem.busyStudy`.
  func lock() throws -> FolderLock {
    do {
      return try FolderLock(path)
    } catch .busy(let path) {
      throw FileProblem.busyStudy(path: path)
    }
  }

  /// Says which parts are damaged, and what becomes of them.
  static func warn(of damaged: [String], _ consequence: String) {
    guard !damaged.isEmpty else { return }
    Console.warning(
      "not as they were written: \(damaged.prefix(3).joined(separator: ", "))"
        + (damaged.count > 3 ? " and \(damaged.count - 3) more" : "") + "; \(consequence)")
  }

  static let counting =
    "damaged parts count as missing until filigree-study run makes them again"

  private func inside(_ name: String) -> String { FilePath(path).appending(name).string }

  /// - Parameter readsFiles: whether the plan names files, which are relative to where it lies.
  func keep(_ plan: String, readsFiles: Bool) throws {
    let here = FilePath(FileManager.default.currentDirectoryPath)
    let folder = here.pushing(FilePath(plan)).lexicallyNormalized().removingLastComponent()
    let text = try WholeFile.read(plan)
    let origin = Origin(
      plan: plan, folder: readsFiles ? folder.string : ".", planDigest: ContentDigest.hex(text))
    try write(try SealedJSON.bytes(origin), "study.json")
    try write(text, "plan.yaml")
  }

  /// The study as it was last run.
  func study(threads: Int) throws -> StudyRun {
    let remedy =
      "filigree-study run PLAN --output \(path) writes it again and keeps what is finished"
    let bytes = try WholeFile.read(inside("study.json"))
    guard let origin = try? SealedJSON.value(Origin.self, from: bytes) else {
      throw FileProblem.malformed(
        path: inside("study.json"), place: "",
        reason: "damaged, or not the record of a study; \(remedy)")
    }
    guard ContentDigest.hex(try WholeFile.read(inside("plan.yaml"))) == origin.planDigest else {
      throw FileProblem.malformed(
        path: inside("plan.yaml"), place: "",
        reason: "not the plan that was run last: it was damaged or edited; \(remedy)")
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
