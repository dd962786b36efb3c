import CommandSupport
import Dynamics
import Foundation
import Interchange
import Study

struct Check: Tool {
  static let configuration = CommandConfiguration(
    abstract:
      "Says what tables hold: how they are written, samples, gaps, noise, excitation, delays.",
    discussion: """
      Prints a table (or JSON), and with --output a page in HTML with a small plot of every variable. Nothing is \
      changed; which variables look like inputs is proposed, never assumed.
      """)

  @Argument(help: "Tables: text (CSV and the like), NetCDF, NumPy (.npz).", completion: .file())
  var files: [String]

  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Also write a page for a browser.", valueName: "page.html"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Also write what was found as settings that --settings reads.", valueName: "file.yaml"))
  var writeSettings: String?

  @Flag(name: .shortAndLong, help: "Replace outputs that are there already.")
  var force = false

  mutating func work() async throws {
    for path in [output, writeSettings].compactMap(\.self) {
      try refuseOverwriting(path, files, models: [])
      try WholeFile.checkWritable(path, force: force)
    }
    var settings = try tables.made()
    settings.outliers = settings.outliers ?? .report
    let prepared = try PreparedTables.read(files, settings: settings, toleratesUnevenness: true)
    let overview = DataOverview(files: files, prepared: prepared, words: tables.words)
    if let output {
      let title =
        files.count == 1 ? "What is in \(Self.name(files[0]))" : "What is in \(files.count) tables"
      try WholeFile.write(
        Array(try overview.page(title: title).utf8), to: output, force: force)
    }
    if let writeSettings {
      let draft = overview.draft(try tables.made())
      try WholeFile.write(Array(draft.utf8), to: writeSettings, force: force)
    }
    try printResult([table(overview)], json: overview, format: format.format)
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private func table(_ overview: DataOverview) -> Table {
    var table = Table(
      title: overview.summary, corner: "variable",
      columns: [
        "role", "least", "largest", "missing", "resolution", "changes %", "longest stretch",
        "noise", "noise %", "outliers",
      ])
    for variable in overview.check.variables {
      let isProposed = overview.proposedInputs.contains(variable.name)
      table.rows.append(
        (
          variable.unit.isEmpty ? variable.name : "\(variable.name) [\(variable.unit)]",
          [
            .text(isProposed ? "input?" : variable.role.rawValue), .number(variable.least),
            .number(variable.largest),
            .integer(variable.missing), variable.resolution.map(Cell.number) ?? .missing,
            .number(100 * variable.moves), .integer(variable.longestStretch),
            variable.noise.map(Cell.number) ?? .missing,
            variable.noiseShare.map { .number(100 * $0) } ?? .missing,
            .integer(variable.outliers.count),
          ]
        ))
    }
    for report in overview.files {
      table.notes.append("\(report.file): \(report.line(limit: 30))")
    }
    table.notes += overview.findings
    table.notes += ["Go on with:"] + overview.commands.map { "  " + $0 }
    return table
  }
}
