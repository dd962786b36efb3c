import CommandSupport
import Dynamics
import Structure

@main
struct Agreement: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-agreement",
    abstract:
      "How far the members of ensembles agree in structure, with each other and with a plant.",
    discussion: """
      A member selects a pair of input and output if a path connects them (structural) and, with \
      --data, if also its mean |J| over the data exceeds --threshold in standardised units \
      (relevant). Φ (Nogueira, Sechidis & Brown 2018) is 1 where all members select the same pairs \
      and about 0 for choices at random; its interval is the jackknife's over members. With --plant \
      the consensus, what more than half of the members select, is scored against the plant's own \
      one-step map.

      EXAMPLES
        filigree-agreement models/sparse
        filigree-agreement models/dense models/sparse --data test.nc
        filigree-agreement models/sparse --plant electrolysis --data test.nc --format json
        filigree-agreement models/sparse --data test.nc --consensus consensus.onnx
        filigree-agreement models/halves --data test.nc --error-bound
      """,
    version: filigreeVersion)

  @Argument(help: "One or two ensembles (folders), or single models.", completion: .directory)
  var ensembles: [String]

  @Option(help: "Trajectories over which relevance is taken.", completion: .file())
  var data: String?

  @Option(
    help:
      "Score against this known plant (needs --data): \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant: String?

  @Option(parsing: .unconditional, help: "Relevance above which a connected pair is selected.")
  var threshold = PairSelection.usualThreshold

  @Option(
    help: """
      How the 95 % interval of Φ is found: jackknife over members (holds its level from four members on), \
      bootstrap or asymptotic (both too short for few members).
      """)
  var interval = IntervalMethod.jackknife

  @Flag(help: "Also the Jaccard index of every two members.")
  var pairwise = false

  @Option(
    help: ArgumentHelp(
      """
      Write what an ensemble agrees on as a model: the member that agrees most with the others, without the \
      pairs that no more than half of the members select.
      """, valueName: "file"), completion: .file(extensions: ["onnx"]))
  var consensus: String?

  @Flag(name: .shortAndLong, help: "Replace the file if it is there already.")
  var force = false

  static let usualShare = 0.9

  @Flag(
    help: """
      For ensembles of filigree-train --bootstrap: a bound on how many of the pairs that most members select are \
      there by chance (stability selection).
      """)
  var errorBound = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --error-bound: the share of members that must select a pair (default: 0.9).",
      valueName: "share"))
  var share: Double?

  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (1...2).contains(ensembles.count) else {
      throw ValidationError("\(ensembles.count) ensembles were given; one or two can be compared.")
    }
    guard threshold.isFinite && threshold >= 0 else {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    if let share {
      guard share > 0.5 && share <= 1 else {
        throw ValidationError("--share \(share): must be above 0.5 and at most 1.")
      }
      guard errorBound else { throw ValidationError("--share belongs to --error-bound.") }
    }
    if let consensus {
      guard ensembles.count == 1 else {
        throw ValidationError("--consensus is of one ensemble; \(ensembles.count) were given.")
      }
      guard consensus.lowercased().hasSuffix(".onnx") else {
        throw ValidationError("--consensus \(consensus): a model's name ends in .onnx.")
      }
    }
    guard let plant else { return }
    _ = try variation.plant(plant)
    guard data != nil else {
      throw ValidationError(
        "--plant needs --data FILE: the plant's dependencies are graded by their strength on data.")
    }
  }

  mutating func work() async throws { try await compare() }
}

extension IntervalMethod: ExpressibleByArgument {}
