import Dynamics
import Foundation
import Interchange

/// The content of `filigree-data check`, apart from its presentation.
public struct DataOverview: Encodable, Sendable {
  public var version = 1
  public var files: [TableReport]
  public var summary: String
  /// Δt in seconds.
  public var timeStep: Double
  /// Samples of each trajectory.
  public var trajectories: [Int]
  public var check: DataCheck
  /// Variables that look like inputs and were not declared.
  public var proposedInputs: [String]
  public var findings: [String]
  public var commands: [String]
  /// What was looked at: with what is proposed in its role.
  private let data: Trajectories

  private enum CodingKeys: String, CodingKey {
    case version, files, summary, timeStep, trajectories, check, proposedInputs, findings, commands
  }

  /// - Parameters:
  ///   - names: of the files as they were given, for the commands.
  ///   - prepared: what they hold.
  ///   - words: the options that were given, as on a command line.
  public init(files names: [String], prepared: PreparedTables, words: [String]) {
    files = prepared.reports
    proposedInputs = prepared.data.controls.isEmpty ? Self.likelyInputs(prepared.data) : []
    // What is proposed is looked at as what it would be.
    let data =
      proposedInputs.isEmpty
      ? prepared.data : (try? prepared.data.declaring(controls: proposedInputs)) ?? prepared.data
    self.data = data
    summary = TableReport.summary(data)
    timeStep = data.timeStep
    trajectories = data.samples.map(\.rows)
    check = DataCheck(data)
    let inputs = proposedInputs
    var prepare = ["filigree-data", "prepare"] + names + words
    if !inputs.isEmpty {
      prepare += [
        "--inputs", inputs.map { $0.contains(",") ? "\"\($0)\"" : $0 }.joined(separator: ","),
      ]
    }
    if let every = files.compactMap(\.every).first { prepare += ["--every", every] }
    prepare += ["--output", "mine.nc"]
    commands = [
      prepare.map(Self.quoted).joined(separator: " "),
      "filigree-train mine.nc --output models/mine",
    ]
    findings = []
    findings =
      DataPage(
        title: "", data: data, reports: [], check: check, proposed: proposedInputs, commands: []
      ).findings
  }

  /// Variables that hold their value for several samples, unless all do.
  private static func likelyInputs(_ data: Trajectories) -> [String] {
    let likely = data.variables.indices.filter { column in
      guard data.variables[column].role == .state else { return false }
      var (changes, steps, missing) = (0, 0, 0)
      for matrix in data.samples where steps < 20_000 {
        for row in 1..<max(1, min(matrix.rows, 20_000)) {
          let (before, now) = (matrix[row - 1, column], matrix[row, column])
          steps += 1
          if before.isNaN || now.isNaN { missing += 1 } else if before != now { changes += 1 }
        }
      }
      return changes > 0 && changes * 5 < steps * 2 && missing * 2 < steps
    }
    return likely.count < data.states.count ? likely.map { data.variables[$0].name } : []
  }

  private static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "_-./,=+%:".contains($0))
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  /// The page for a browser.
  /// - Throws: what Mustache throws of a template that does not parse.
  public func page(title: String) throws -> String {
    try DataPage(
      title: title, data: data, reports: files, check: check, proposed: proposedInputs,
      commands: commands
    ).html()
  }

  /// A draft of settings in YAML, with what was given and what is proposed, to be corrected by the user.
  public func draft(_ settings: TableSettings) -> String {
    func list(_ names: [String]) -> String {
      "[" + names.map(Self.yaml).joined(separator: ", ") + "]"
    }
    var lines = [
      "# What filigree-data found in \(files.map { Self.yaml($0.file) }.joined(separator: ", ")); correct it and hand it over with --settings."
    ]
    for note in files.flatMap(\.notes) { lines.append("# \(note.text.replacing("\n", with: " "))") }
    if let time = settings.time { lines.append("time: \(Self.yaml(time))") }
    if let unit = settings.timeUnit { lines.append("time-unit: \(unit)") }
    if let order = settings.dateOrder { lines.append("date-order: \(order.rawValue)") }
    if let sampling = settings.sampling { lines.append("sampling: \(Self.yaml(sampling))") }
    if let decimal = settings.decimal { lines.append("decimal: \(Self.yaml(decimal))") }
    if let every = settings.every { lines.append("every: \(Self.yaml(every))") }
    if let gaps = settings.gaps { lines.append("gaps: \(Self.yaml(gaps))") }
    if let missing = settings.missing { lines.append("missing: \(list(missing))") }
    let inputs = data.controls.map(\.name)
    if !proposedInputs.isEmpty {
      lines.append("# proposed, because they stay where they are for several samples:")
    }
    lines.append("inputs: \(list(inputs))")
    lines.append("states: \(list(data.states.map(\.name).filter { !inputs.contains($0) }))")
    let units = data.variables.filter { !$0.unit.isEmpty }
    lines.append(
      "units: {\(units.map { "\(Self.yaml($0.name)): \(Self.yaml($0.unit))" }.joined(separator: ", "))}"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  /// A text as YAML, in double quotes.
  private static func yaml(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        result += String(format: "\\x%02x", scalar.value)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
