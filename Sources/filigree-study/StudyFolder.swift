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

  struct Origin: Codable {
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

  func inside(_ name: String) -> String { FilePath(path).appending(name).string }
}
