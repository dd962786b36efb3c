import Dynamics
import Foundation
import Interchange
import Yams

/// How tables are to be understood, for every tool that reads data.
public struct TableOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "For data that do not say which variables are inputs (a table from elsewhere): their names, "
        + "separated by commas. All others are states.", valueName: "names"))
  public var inputs: String?

  @Option(
    help: ArgumentHelp(
      "The column of time, or date+time of day, where it is not found.", valueName: "name"))
  public var time: String?

  @Option(
    help: ArgumentHelp(
      "What numbers of time count: s, ms, us, ns, min, h, d, epoch, epoch-ms, excel, matlab.",
      valueName: "unit"))
  public var timeUnit: String?

  @Option(help: "Which comes first in dates such as 03/04/2024: dmy or mdy.")
  public var dateOrder: TableSettings.DateOrder?

  @Option(
    help: ArgumentHelp(
      "How far rows are apart in a table without time, such as 5s.", valueName: "time"))
  public var sampling: String?

  @Option(
    help: ArgumentHelp(
      "The decimal sign, \".\" or \",\", where both are possible.", valueName: "sign"))
  public var decimal: String?

  @Option(
    help: ArgumentHelp(
      "Resample to this distance, such as 5s: states linear between samples, inputs held.",
      valueName: "time"))
  public var every: String?

  @Option(
    help: ArgumentHelp(
      "Missing samples: split into trajectories there, or \"fill N\": bridge up to N in a row (10).",
      valueName: "rule"))
  public var gaps: String?

  @Option(
    help: ArgumentHelp(
      "Words and numbers that stand for missing values, separated by commas, besides Bad, NaN, #N/A and the "
        + "like.", valueName: "words"))
  public var missing: String?

  @Option(help: "Single values far outside all others: drop them, or only report them.")
  public var outliers: TableSettings.Outliers?

  @Option(
    help: ArgumentHelp(
      "All of this, and more, in a YAML file (filigree-data check --write-settings drafts it).",
      valueName: "file"),
    completion: .file())
  public var settings: String?

  public init() {}

  /// The names as a list; a name with a comma in it is quoted as in CSV.
  public var names: [String]? { inputs.map { NameList.parse($0) } }

  /// The options as given on the command line, in words; nil if there were none but the inputs.
  public var said: String? {
    let parts: [(String, String?)] = [
      ("time", time), ("time-unit", timeUnit), ("date-order", dateOrder?.rawValue),
      ("sampling", sampling),
      ("decimal", decimal), ("every", every), ("gaps", gaps), ("missing", missing),
      ("outliers", outliers?.rawValue),
      ("settings", settings),
    ]
    let texts = parts.compactMap { name, value in value.map { "\(name) \($0)" } }
    return texts.isEmpty ? nil : texts.joined(separator: ", ")
  }

  /// The options as words of a command line, without the inputs.
  public var words: [String] {
    let parts: [(String, String?)] = [
      ("--time", time), ("--time-unit", timeUnit), ("--date-order", dateOrder?.rawValue),
      ("--sampling", sampling), ("--decimal", decimal), ("--every", every), ("--gaps", gaps),
      ("--missing", missing),
      ("--outliers", outliers?.rawValue), ("--settings", settings), ("--inputs", inputs),
    ]
    return parts.flatMap { name, value in value.map { [name, $0] } ?? [] }
  }

  public func validate() throws {
    if let problem = own.problem { throw ValidationError("--\(problem).") }
  }

  /// The settings given by the options alone.
  private var own: TableSettings {
    var own = TableSettings()
    own.inputs = names
    own.time = time
    own.timeUnit = timeUnit
    own.dateOrder = dateOrder
    own.sampling = sampling
    own.decimal = decimal
    own.every = every
    own.gaps = gaps
    own.missing = missing.map { NameList.parse($0) }
    own.outliers = outliers
    return own
  }

  /// The settings: options take precedence over the side file, the side file over what is found in the table.
  /// - Throws: `FileProblem` for a side file that cannot be understood.
  public func made() throws -> TableSettings {
    guard let settings else { return own }
    return own.completed(by: try TableSettings.read(settings))
  }

  /// Reads data and says on one line what was read.
  ///
  /// - Parameters:
  ///   - path: of a file of trajectories or any other table.
  ///   - gaps: whether values of states may be missing.
  ///   - quiet: whether to say nothing.
  public func read(_ path: String, gaps: Gaps = .refused, quiet: Bool = false) throws
    -> Trajectories
  {
    let (data, report) = try TrajectoryFile.read(path, settings: try made(), gaps: gaps)
    if !quiet { Console.note("\(path): \(report.line())") }
    return data
  }
}

extension TableSettings.DateOrder: ExpressibleByArgument {}
extension TableSettings.Outliers: ExpressibleByArgument {}

extension TableSettings {
  /// Settings of a YAML file.
  /// - Throws: `FileProblem` with the line, also for an unknown key.
  public static func read(_ path: String) throws -> TableSettings {
    let bytes = try WholeFile.read(path)
    guard bytes.count < 1 << 20, let text = String(validating: bytes, as: UTF8.self) else {
      throw FileProblem.malformed(path: path, place: "", reason: "these are no settings in YAML")
    }
    if text.allSatisfy(\.isWhitespace) { return TableSettings() }
    do {
      let node = try Yams.compose(yaml: text)
      for (key, _) in node?.mapping ?? [:] {
        let name = key.string ?? ""
        guard keys.contains(name) else {
          throw FileProblem.malformed(
            path: path, place: key.mark.map { "line \($0.line)" } ?? "",
            reason:
              "there is no setting \"\(name.prefix(60))\"; there are \(keys.joined(separator: ", "))"
          )
        }
      }
      let settings = try YAMLDecoder().decode(TableSettings.self, from: text)
      if let problem = settings.problem {
        throw FileProblem.malformed(path: path, place: "", reason: problem)
      }
      return settings
    } catch let problem as FileProblem {
      throw problem
    } catch {
      let words = "\(error)".split(separator: "\n").joined(separator: " ").prefix(200)
      throw FileProblem.malformed(
        path: path, place: "", reason: "these are no settings in YAML: \(words)")
    }
  }
}
