import CommandSupport
import Foundation
import Interchange
import Reporting
import Study
import SystemPackage

/// A study's folder: plan.yaml (the plan as it was last run), study.json (where it lay), units/ (finished
/// parts), models/, tables and summary; jobs/ if a cluster works on it.
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
      || entries.allSatisfy {
        ["lock", StudyClaim.name, "units", Self.shared].contains($0)
          || $0.hasPrefix(".") && $0.contains(".partial-")
      }
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

  /// Held while a process decides about the study.
  /// - Throws: `StudyIsClaimed`.
  func lock() throws -> StudyClaim { try StudyClaim(path) }

  /// Waits for a while for a process that is at work, as it does when jobs end.
  /// - Throws: `StudyIsClaimed`.
  func patientLock() async throws -> StudyClaim {
    for _ in 0..<120 {
      do { return try lock() } catch is StudyIsClaimed { try await Task.sleep(for: .seconds(0.5)) }
    }
    return try lock()
  }

  /// Removes half-written files of processes that were killed. Where tasks of a cluster may be writing, only those that
  /// nobody has touched for an hour.
  func removeLeftovers() {
    guard FileManager.default.fileExists(atPath: inside(Self.shared)) else {
      WholeFile.removeLeftovers(in: path)
      return
    }
    let files = FileManager.default
    func date(_ name: String) -> Date? {
      (try? files.attributesOfItem(atPath: inside(name)))?[.modificationDate] as? Date
    }
    // By the clock of the file system, which has just dated the claim.
    guard let now = date(StudyClaim.name) else { return }
    let entries = files.enumerator(atPath: path)
    while let entry = entries?.nextObject() as? String {
      let name = FilePath(entry).lastComponent?.string ?? ""
      guard name.hasPrefix("."), name.contains(".partial-"), let then = date(entry),
        now.timeIntervalSince(then) > 3600
      else { continue }
      unlink(inside(entry))
    }
  }

  private static let shared = "jobs"

  /// Says that other processes may be writing units, whoever holds the claim.
  /// - Throws: `FileProblem.cannotCreate`.
  func markShared() throws {
    guard mkdir(inside(Self.shared), 0o777) != 0, errno != EEXIST else { return }
    throw FileProblem.cannotCreate(
      path: inside(Self.shared), reason: String(cString: strerror(errno)))
  }

  /// Whether a plan is the one that was run last.
  func isKept(_ plan: String) throws -> Bool {
    (try? WholeFile.read(self.plan)) == (try WholeFile.read(plan))
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
