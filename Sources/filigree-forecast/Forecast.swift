import CommandSupport
import Dynamics
import Networks

@main
struct Forecast: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-forecast",
    abstract: "Rolling forecasts: how far models stay on the track, and for how long.",
    discussion: """
      Every member of every ensemble starts from the true state of every trajectory and goes on alone, \
      x(k+1) = x(k) + Δt · rates(x(k), u(k)), with the inputs of the data. Errors are divided by each \
      state's deviation in the training data. A horizon counts samples, the start included. A forecast \
      has diverged at the first sample at which the mean error of the states exceeds 3 deviations; \
      errors are averages over the pairs of member and trajectory that have not, and, for comparisons, \
      over those in which no compared ensemble has.

      For reference: persistence (nothing changes), the linear least-squares model of --training, and \
      the plant itself.

      EXAMPLES
        filigree-forecast models/sparse --data test.nc
        filigree-forecast models/dense models/sparse --data test.nc --training train.nc
        filigree-forecast models/sparse --data test.nc --horizons 500 --by-state --format markdown
        filigree-forecast models/sparse --data test.nc --plot forecast.svg --trajectory 3 --states T_bath
      """,
    version: filigreeVersion)

  @Argument(help: "Ensembles (folders) or models (.onnx).", completion: .directory)
  var ensembles: [String]

  @Option(help: "Trajectories to forecast.", completion: .file())
  var data: String

  @Option(
    help: ArgumentHelp(
      "Samples over which errors are taken, separated by commas.", valueName: "samples,…"))
  var horizons = "100,1000,2500,5000"

  @Option(help: "Data for the linear reference and for the deviations.", completion: .file())
  var training: String?

  @Option(
    help: "Also run this plant: \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant: String?

  @Option(
    help: """
      Of the networks: single, as other runtimes evaluate them, or double. States are double in any \
      case.
      """)
  var precision = Rollout.Precision.single

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With training data: also the linear model (ARX) that reads so many moments of states and inputs.",
      valueName: "order"))
  var arx: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Forecast only what lies behind this share of each trajectory; what lies before is the training data.",
      valueName: "share"))
  var split: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Begin a forecast, as long as the longest horizon, every so many samples.",
      valueName: "samples"))
  var origins: Int?

  @Flag(help: "Also the errors of each state.")
  var byState = false

  @Flag(help: "Also the errors of each member.")
  var byMember = false

  @Option(
    name: .shortAndLong, help: "Write mean forecasts and bands to this file (.nc).",
    completion: .file())
  var output: String?

  @Option(
    help: "Draw a trajectory's truth, forecasts and inputs (.svg or .pdf).", completion: .file())
  var plot: String?

  @Option(parsing: .unconditional, help: "The trajectory to draw, from 0.")
  var trajectory = 0

  @Option(help: ArgumentHelp("The states to draw; all by default.", valueName: "names"))
  var states: String?

  @Flag(name: .shortAndLong, help: "Replace output files that are there already.")
  var force = false

  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws { try checkOptions() }

  mutating func work() async throws { try await forecast() }
}

extension Rollout.Precision: ExpressibleByArgument {}
