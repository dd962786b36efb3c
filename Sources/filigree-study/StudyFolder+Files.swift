import CommandSupport
import Foundation
import Interchange
import Reporting
import Study
import SystemPackage

extension StudyFolder {
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

  /// The plan as it was last run.
  var plan: String { inside("plan.yaml") }

  /// The study of a plan, whether or not it was ever run.
  func study(of plan: String, threads: Int) throws -> StudyRun {
    try StudyRun(
      try StudyPlan(path: plan, parseRecipe: parseRecipe), path: plan, folder: path,
      version: filigreeVersion, threads: threads)
  }

  /// Copies the plan, and where it lay, into another folder.
  func copyPlan(to folder: String) throws {
    for name in ["plan.yaml", "study.json"] {
      let bytes = try WholeFile.read(inside(name))
      try WholeFile.write(bytes, to: FilePath(folder).appending(name).string, force: true)
    }
  }

  /// The study as it was last run, or as it was when a round of jobs was submitted.
  func study(threads: Int, round: Int? = nil) throws -> StudyRun {
    guard let round else { return try study(threads: threads, in: "") }
    let number = String(repeating: "0", count: max(0, 4 - "\(round)".count)) + "\(round)"
    return try study(threads: threads, in: "jobs/\(number)/")
  }

  private func study(threads: Int, in place: String) throws -> StudyRun {
    let remedy =
      "filigree-study run PLAN --output \(path) writes it again and keeps what is finished"
    let bytes = try WholeFile.read(inside(place + "study.json"))
    guard let origin = try? SealedJSON.value(Origin.self, from: bytes) else {
      throw FileProblem.malformed(
        path: inside(place + "study.json"), place: "",
        reason: "damaged, or not the record of a study; \(remedy)")
    }
    let planFile = inside(place + "plan.yaml")
    guard ContentDigest.hex(try WholeFile.read(planFile)) == origin.planDigest else {
      throw FileProblem.malformed(
        path: planFile, place: "",
        reason: "not the plan that was run last: it was damaged or edited; \(remedy)")
    }
    let plan = try StudyPlan(
      path: planFile, folder: FilePath(origin.folder), parseRecipe: parseRecipe)
    return try StudyRun(
      plan, path: planFile, folder: path, version: filigreeVersion, threads: threads)
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
