import CommandSupport
import Findings
import Structure

@main
struct Sensitivity: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-sensitivity",
    abstract: "Exact Jacobians of a model, and the input-relevance table.",
    discussion: """
      Over data: mean |J| of each rate with respect to each input, the mean of an ensemble's members \
      with their spread. At a point: J itself. Along a trajectory: J at every sample, to NetCDF, or the modes \
      of the model linearised there. Standardised units compare inputs with each other (deviations of the \
      output per deviation of the input, both of the training data); physical units are rates per unit of \
      the input. A dot means that no path is left: exactly zero.

      Where the inputs are set by feedback from the states, data alone cannot tell their effects \
      apart; a relevance is a statement about the model.

      EXAMPLES
        filigree-sensitivity models/sparse --data test.nc
        filigree-sensitivity models/sparse --data test.nc --plot relevance.svg
        filigree-sensitivity models/sparse --data test.nc --units physical --format csv
        filigree-sensitivity models/sparse --data test.nc --statistics
        filigree-sensitivity models/sparse --data test.nc --by T_bath
        filigree-sensitivity models/sparse --data test.nc --measure permutation
        filigree-sensitivity models/sparse --data test.nc --trajectory 3 --output jacobian.nc
        filigree-sensitivity models/sparse --data test.nc --stability --plant electrolysis
        filigree-sensitivity models/sparse/member-00.onnx --point T_bath=965,I_line=140000
        filigree-sensitivity models/sparse --point I_line=140000 --stability --plant electrolysis
      """,
    version: filigreeVersion)

  enum Measure: String, ExpressibleByArgument, CaseIterable {
    case jacobian
    case gradientInput = "gradient-input"
    case integratedGradients = "integrated-gradients"
    case permutation

    var attribution: Attribution.Measure? { .init(rawValue: rawValue) }
  }

  @Argument(help: "A model (.onnx) or the folder of an ensemble.", completion: .file())
  var models: String

  @Option(help: "Trajectories to average over.", completion: .file())
  var data: String?

  @Option(
    help: ArgumentHelp(
      "A point in physical units; what is not named stays at the training mean.",
      valueName: "name=value,…"))
  var point: String?

  @Option(help: "standardised or physical.")
  var units = JacobianUnits.standardised

  @Option(
    help: ArgumentHelp(
      """
      How an input's share is measured: jacobian (mean |J|), gradient-input (slope times distance from the \
      training mean; misleads where the function bends), integrated-gradients (the same along the straight \
      way from the mean, so that shares add up; the way may pass states that never occur), or permutation \
      (rise in squared error when the input is shuffled; misleads where inputs are correlated).
      """))
  var measure = Measure.jacobian

  @Flag(help: "Also the signed mean, the share of samples with each sign, and quantiles of J.")
  var statistics = false

  @Option(
    help: ArgumentHelp(
      "Relevance by operating region: where this variable is low, medium and high (terciles of the data).",
      valueName: "variable"))
  var by: String?

  @Option(
    parsing: .unconditional,
    help:
      "For --stability and measures other than jacobian: at most so many samples, evenly spaced (default: 2000)."
  )
  var samples: Int?
  static let usualSamples = 2000

  @Option(
    parsing: .unconditional, help: "Only this trajectory of the data, counted from 0.")
  var trajectory: Int?

  @Option(
    name: .shortAndLong,
    help: "Write the Jacobian along the trajectory, member by member, to this file (.nc).",
    completion: .file(extensions: ["nc"]))
  var output: String?

  @Flag(
    help: ArgumentHelp(
      """
      The modes of x + Δt · rates, linearised along the data: eigenvalues as time constants, which integrate, \
      which grow.
      """))
  var stability = false

  @Option(
    help: "With --stability: the modes of this plant beside the model's: electrolysis, duffing.")
  var plant: String?

  @Option(
    help: "Draw the relevance table as a heat map (.svg or .pdf).",
    completion: .file(extensions: ["svg", "pdf"]))
  var plot: String?

  @Option(
    parsing: .unconditional, help: "Decides the shufflings of --measure permutation (default: 1).")
  var seed: UInt64?

  @Flag(name: .shortAndLong, help: "Replace files that are there already.")
  var force = false

  @OptionGroup var variation: VariationOption
  @OptionGroup var cut: CutOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws { try checkOptions() }

  mutating func work() async throws { try await answer() }
}

extension JacobianUnits: ExpressibleByArgument {}
