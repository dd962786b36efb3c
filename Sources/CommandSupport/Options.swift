import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting

public struct FormatOption: ParsableArguments {
  @Option(help: "How to print the result: table, json, csv or markdown.")
  public var format = OutputFormat.table

  public init() {}
}

public struct RunOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "How many threads may work at once; all processors by default. Changes no result.")
  public var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Flag(name: .shortAndLong, help: "Say nothing on standard error but errors and warnings.")
  public var quiet = false

  public init() {}

  public func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads \(threads): must be between 1 and 1024.")
    }
  }

  public func note(_ text: String) { if !quiet { Console.note(text) } }

  public func say(_ remarks: [Remark]) {
    for remark in remarks {
      if remark.isWarning { Console.warning(remark.text) } else { note(remark.text) }
    }
  }
}

public struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The file or folder to make.")
  public var output: String

  @Flag(name: .shortAndLong, help: "Replace the output if it is there already.")
  public var force = false

  public init() {}
}

public struct CutOption: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Weights of smaller magnitude count as zero; at 0 only exact zeros do.", valueName: "weight"))
  public var cut = 0.0

  public init() {}

  public func validate() throws {
    guard cut.isFinite && cut >= 0 else {
      throw ValidationError("--cut \(cut): must be zero or positive.")
    }
  }
}

public struct VariationOption: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Take, instead of the plant as it is known, one of its kind with constants drawn at random within \
      20 % of its own from this seed.
      """, valueName: "seed"))
  public var vary: UInt64?

  public init() {}

  /// - Throws: `ValidationError` for a name that is not a plant's.
  public func plant(_ name: String) throws -> any Plant {
    guard let known = PlantCatalogue.plant(named: name) else {
      throw ValidationError(
        "--plant \(name): there is no such plant; there are "
          + "\(PlantCatalogue.names.joined(separator: ", ")).")
    }
    guard let vary else { return known }
    guard let varied = known.varied(seed: vary) else {
      throw ValidationError("--vary: the plant \(name) has no constants that vary.")
    }
    return varied
  }
}

/// Names separated by commas; a name may be enclosed in double quotes.
public enum NameList {
  public static func parse(_ text: String) -> [String] {
    var names: [String] = []
    var current = ""
    var isQuoted = false
    for character in text {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        names.append(current)
        current = ""
      default: current.append(character)
      }
    }
    if !text.isEmpty { names.append(current) }
    return names
  }
}

extension Ensemble {
  /// Reads a model or an ensemble and applies the cut; prints a note where names were made up.
  public static func load(
    _ path: String, cut: Double = 0, told: ModelDescription = ModelDescription(),
    quietly: Bool = false
  ) throws -> Ensemble {
    var ensemble = try EnsembleFolder.read(path, told: told)
    if quietly { return ensemble }
    if ensemble.isGuessed {
      Console.note(
        "note: \(path) has no ensemble.json; all \(counted(ensemble.members.count, "model")) in it "
          + "are taken for its members")
    }
    if ensemble.members[0].hasMadeUpNames {
      let model = ensemble.members[0]
      Console.note(
        "note: \(path) does not name all of its variables; its inputs are called "
          + "\(ensemble.inputs.listed), its outputs "
          + (model.predicts == .value
            ? "\(ensemble.outputs.listed)"
            : "are taken for the \(model.wordForOutputs) of the first of them")
          + " (--input-names and --output-names give others; filigree-paths --describe tells more)")
    }
    if cut > 0 { ensemble.members = ensemble.members.map { $0.cut(cut) } }
    if let remark = EmptyModels.remark(on: ensemble) { Console.warning("\(path): \(remark)") }
    return ensemble
  }

  /// All samples of a file in the order of the models' inputs (samples × inputs, physical units). Warns where
  /// they lie outside the training data.
  ///
  /// - Throws: `DataMismatch` where an input is missing.
  public func points(of data: Trajectories, from path: String) throws -> Matrix {
    let points: Matrix
    do {
      points = try data.points(of: inputs)
    } catch {
      throw DataMismatch("\(path): \(error)")
    }
    warnOfOtherUnits(data, path)
    guard let (share, byInput) = members[0].outside(points), share > 0 else { return points }
    let most = zip(inputs, byInput).filter { $1 > 0 }.sorted { $0.1 > $1.1 }.prefix(3)
      .map { "\($0.name) \(Self.percent($1))" }
    Console.warning(
      "\(Self.percent(share)) of the samples of \(path) lie far outside the training data of \(name) "
        + "(\(most.joined(separator: ", "))); what the models say there is extrapolation")
    return points
  }

  private func warnOfOtherUnits(_ data: Trajectories, _ path: String) {
    let other = inputs.compactMap { input -> String? in
      guard let found = data.variables.first(where: { $0.name == input.name }),
        !found.unit.isEmpty, !input.unit.isEmpty, found.unit != input.unit
      else { return nil }
      return "\(input.name) [\(found.unit)], [\(input.unit)] in \(name)"
    }
    guard !other.isEmpty else { return }
    Console.warning(
      "units differ: \(other.prefix(5).joined(separator: "; ")); the numbers of \(path) are taken as they are"
    )
  }

  private static func percent(_ share: Double) -> String {
    String(format: "%.2g %%", 100 * share)
  }
}
