import CommandSupport
import Dynamics
import Foundation
import Interchange
import Reporting
import Study

struct Status: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Says what of a study is there, and what is missing.")

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  @OptionGroup var format: FormatOption

  struct Row: Encodable {
    var ensemble: String
    var members: Int
    var trained: Int
    var diverged: Int
    var judged: Int
    var judgements: Int
    /// Members that have been fitted, trained ones included.
    var fitted: Int
    /// Units of a cluster's tasks that run or wait; absent where no jobs were submitted.
    var running: Int?
    var waiting: Int?
  }

  mutating func work() async throws {
    let study = try StudyFolder(reading: folder).study(threads: 1)
    let queue = try await ClusterQueue(study)
    let rows = study.status().map {
      Row(
        ensemble: $0.name, members: $0.members, trained: $0.trained, diverged: $0.diverged,
        judged: $0.judged, judgements: $0.judgements, fitted: $0.fitted,
        running: queue.units($0.name, .running), waiting: queue.units($0.name, .waiting))
    }
    var table = Table(
      title: "What is there of \(folder)", corner: "ensemble",
      columns: ["members", "trained", "diverged", "judged", "of", "fitted"]
        + (queue.isKnown ? ["running", "waiting"] : []))
    for row in rows {
      table.rows.append(
        (
          row.ensemble,
          [
            .integer(row.members), .integer(row.trained), .integer(row.diverged),
            .integer(row.judged), .integer(row.judgements), .integer(row.fitted),
          ] + [row.running, row.waiting].compactMap { $0.map(Cell.integer) }
        ))
    }
    StudyFolder.warn(of: study.damagedParts, StudyFolder.counting)
    queue.tell(folder)
    try printResult([table], json: rows, format: format.format)
  }
}

struct Tables: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Writes the tables and the summary again, from what is there.")

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  mutating func work() async throws {
    let place = try StudyFolder(reading: folder)
    let lock = try place.lock()
    defer { withExtendedLifetime(lock) {} }
    let study = try place.study(threads: 1)
    let results = study.results()
    StudyFolder.warn(of: study.damagedParts, StudyFolder.counting)
    try place.write(results)
    try Console.output(
      StudyTables(results).summaryTables.map { $0.text(width: Console.width) }
        .joined(separator: "\n"))
  }
}

struct Report: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Writes the report again, from what is there.")

  @Argument(help: "The study's folder.", completion: .directory)
  var folder: String

  @OptionGroup var run: RunOptions

  mutating func work() async throws {
    let place = try StudyFolder(reading: folder)
    let lock = try place.lock()
    defer { withExtendedLifetime(lock) {} }
    let study = try place.study(threads: run.threads)
    let report = StudyReport(study)
    StudyFolder.warn(of: study.damagedParts, StudyFolder.counting)
    guard report.hasContent else {
      throw FileProblem.malformed(
        path: folder, place: "",
        reason: "nothing has been trained yet; filigree-study run PLAN --output \(folder) does it")
    }
    try place.write(try await report.document())
    run.note("\(folder): report.html, report.md, figures/")
  }
}

struct Plan: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Prints a plan that comes with the program.",
    discussion: ShippedPlans.all.map { "\($0.name): \($0.meaning)." }.joined(separator: "\n"))

  @Argument(
    help: "\(ShippedPlans.all.map(\.name).joined(separator: " or ")).",
    completion: .list(ShippedPlans.all.map(\.name)))
  var name: String

  @Option(
    help:
      "Simulate this plant instead of the plan's own: \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant: String?

  func validate() throws {
    guard ShippedPlans.all.contains(where: { $0.name == name }) else {
      throw ValidationError(
        "there is no plan \(name); there are "
          + ShippedPlans.all.map(\.name).joined(separator: ", ") + ".")
    }
    guard let plant else { return }
    guard PlantCatalogue.plant(named: plant) != nil else {
      throw ValidationError(
        "--plant \(plant): there are \(PlantCatalogue.names.joined(separator: ", ")).")
    }
    guard ShippedPlans.text(name, plant: plant) != nil else {
      throw ValidationError("--plant: the plan \(name) simulates no plant.")
    }
  }

  mutating func work() async throws {
    if let text = ShippedPlans.text(name, plant: plant) { try Console.output(text) }
  }
}
