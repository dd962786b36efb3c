import CommandSupport
import Training

@main
struct Train: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-train",
    abstract: "Trains an ensemble of sparse or dense networks from trajectories.",
    discussion: """
      Each member learns the rates of the states, (x(k+1) − x(k))/Δt, from states and inputs at \
      sample k. Members differ in initial weights and order of the samples. The output folder holds \
      one ONNX file per member (physical units in and out), ensemble.json, training.csv (losses per \
      epoch) and manifest.json. The models are the same for any number of threads.

      The states of the training are kept beside the output, in a folder of the same name with \
      .training behind it, until it ends. However it was stopped, the same command with --resume goes \
      on from there and ends with the same models.

      EXAMPLES
        filigree-train train.nc --output models/sparse --plot training.svg
        filigree-train train.nc --recipe dense --output models/dense
        filigree-train train.nc --recipe proximal --strength 1e-2 --output models/quick
        filigree-train plant.csv --inputs u1,u2 --members 4 --output models/mine
        filigree-train train.nc --recipe proximal --path --output models/path
        filigree-train train.nc --bootstrap --members 20 --output models/halves
        filigree-train train.nc --output models/sparse --resume
        filigree-train record.csv --inputs pump --lags auto --output models/record
      """,
    version: filigreeVersion)

  @Argument(help: "Trajectories to learn from: NetCDF (.nc) or CSV.", completion: .file())
  var data: String

  @Option(parsing: .unconditional, help: "Use the first so many trajectories; all by default.")
  var trajectories: Int?

  @Option(
    parsing: .unconditional,
    help:
      "Of longer data learn from stretches of 5000 samples, spread evenly, with about so many in all; 0: from all."
  )
  var samples = 1_000_000

  @Option(parsing: .unconditional, help: "How many members to train.")
  var members = 10

  @Option(parsing: .unconditional, help: "Seed of initial weights and of the order of the samples.")
  var seed: UInt64 = 1

  @OptionGroup(title: "Lags") var lags: LagOptions
  @OptionGroup(title: "Recipe") var options: RecipeOptions

  @Flag(
    help: """
      First train one network along rising --strength, each time from where the last left it, and take \
      the largest whose error on the held-out trajectories is within a standard error of the least. The \
      folder then holds path.csv and path.svg too.
      """)
  var path = false

  @Flag(
    help: """
      Let each member learn from a random half of the trajectories, instead of all from all: then \
      filigree-agreement --error-bound can bound how many of the pairs that most members select are there by \
      chance (stability selection).
      """)
  var bootstrap = false

  @Option(
    help: ArgumentHelp("Leave this variable out. May be given again.", valueName: "name"))
  var exclude: [String] = []

  @Option(
    help: """
      What to do with a member whose loss or weights become infinite or NaN: restart (once, from \
      other weights; then leave it out), leave-out or stop.
      """)
  var onDivergence = OnDivergence.restart

  @Flag(help: "Go on with a training that was stopped; begin where there is none.")
  var resume = false

  @Option(
    parsing: .unconditional, help: "Seconds between two states of the training that are kept.")
  var checkpointInterval = 10.0

  @Option(
    help: "Draw the losses of the training, epoch by epoch (training.svg, or .pdf).",
    completion: .file())
  var plot: String?

  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (1...100_000).contains(members) else {
      throw ValidationError("--members \(members): must be between 1 and 100000.")
    }
    guard (0...1e9).contains(checkpointInterval) else {
      throw ValidationError(
        "--checkpoint-interval \(checkpointInterval): must be between 0 and 1e9 seconds.")
    }
    if path, let problem = StrengthPath.problem(try options.made()) {
      throw ValidationError("--path: \(problem.settingsAsOptions).")
    }
    if let plot { try PlotFile.format(plot) }
    if let trajectories, trajectories < 1 {
      throw ValidationError("--trajectories \(trajectories): must be at least 1.")
    }
    guard samples == 0 || samples >= 10_000 else {
      throw ValidationError("--samples \(samples): must be 0 (all) or at least 10000.")
    }
  }

  mutating func work() async throws { try await train() }
}

extension OnDivergence: ExpressibleByArgument {}
