import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange

struct Prepare: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Makes trajectories of tables, and says what was done.",
    discussion: """
      Each file is a trajectory, or several: runs are told apart by a column such as trajectory, experiment or \
      run, and where the clock begins anew. What was done is said, and kept in the file's history.
      """)

  @Argument(help: "Tables: text (CSV and the like), NetCDF, NumPy (.npz).", completion: .file())
  var files: [String]

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Tables") var tables: TableOptions

  @Option(
    help: ArgumentHelp(
      "The states, separated by commas; by default all that are no inputs.", valueName: "names"))
  var states: String?

  @Option(help: ArgumentHelp("Columns to leave out.", valueName: "names"))
  var ignore: String?

  @Option(help: ArgumentHelp("The column that tells runs apart.", valueName: "name"))
  var trajectory: String?

  @Option(help: ArgumentHelp("Units, as level=m,pump=%.", valueName: "list"))
  var units: String?

  @Option(
    help: ArgumentHelp(
      "What variables mean, as level=\"level of the first tank\".", valueName: "list"))
  var longNames: String?

  @Option(
    help: ArgumentHelp(
      "Set this share of the trajectories aside as test data; of a single one its end.",
      valueName: "share"))
  var test: Double?

  @Option(help: ArgumentHelp("Where the test data go.", valueName: "file"))
  var testOutput: String?

  @Flag(name: .shortAndLong, help: "Say nothing on standard error but errors and warnings.")
  var quiet = false

  func validate() throws {
    if let test, !(0..<1).contains(test) || test == 0 {
      throw ValidationError("--test \(test): must be between 0 and 1.")
    }
    guard (test == nil) == (testOutput == nil) else {
      throw ValidationError("--test and --test-output belong together.")
    }
  }

  mutating func work() async throws {
    for path in [output.output] + (testOutput.map { [$0] } ?? []) {
      try TrajectoryFile.checkFormat(path)
      try refuseOverwriting(path, files, models: [])
      try WholeFile.checkWritable(path, force: output.force)
    }
    let settings = try made()
    let prepared = try PreparedTables.read(files, settings: settings)
    let (kept, aside) = try prepared.split(test: test)
    try write(kept, to: output.output, prepared)
    if let aside, let testOutput { try write(aside, to: testOutput, prepared) }
    report(prepared, kept, aside)
  }

  private func made() throws -> TableSettings {
    var settings = try tables.made()
    settings.states = states.map { NameList.parse($0) } ?? settings.states
    settings.ignore = ignore.map { NameList.parse($0) } ?? settings.ignore
    settings.trajectory = trajectory ?? settings.trajectory
    for (option, list, path) in [
      ("--units", units, \TableSettings.units),
      ("--long-names", longNames, \TableSettings.longNames),
    ] {
      guard let list else { continue }
      var pairs = settings[keyPath: path] ?? [:]
      for pair in NameList.parse(list) {
        guard let mark = pair.firstIndex(of: "=") else {
          throw ValidationError("\(option) \(pair): must be name=text.")
        }
        pairs[String(pair[..<mark])] = String(pair[pair.index(after: mark)...])
      }
      settings[keyPath: path] = pairs
    }
    return settings
  }

  private func write(_ data: Trajectories, to path: String, _ prepared: PreparedTables) throws {
    var data = data
    data.attributes["history"] = prepared.history
    data.attributes["source"] = prepared.source
    try TrajectoryFile.write(data, to: path, force: output.force)
  }

  private func report(_ prepared: PreparedTables, _ kept: Trajectories, _ aside: Trajectories?) {
    guard !quiet else { return }
    for report in prepared.reports {
      Console.note("\(report.file): \(report.summary)")
      for note in report.notes { Console.note("  \(note.text)") }
    }
    for (path, data) in [(output.output, kept)] + (aside.map { [(testOutput ?? "", $0)] } ?? []) {
      Console.note(
        "\(path): \(TableReport.summary(data)); states \(data.states.listed), inputs "
          + (data.controls.isEmpty ? "none (name them with --inputs)" : data.controls.listed))
    }
  }
}
