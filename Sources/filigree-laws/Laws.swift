import CommandSupport
import Laws

@main
struct LawsTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-laws",
    abstract: "Which inputs act together, formulas in physical units, and what is conserved.",
    discussion: """
      Interactions: exact second derivatives over data say which pairs of inputs act together on an output; where no \
      unit of the networks sees both, they stand apart exactly, and the output is a sum of functions of groups of \
      inputs. Formulas: for every output the simplest expression in physical units whose step (the formula \
      integrated over Δt with the inputs held) is as good as the networks' on held-out rows; constants have \
      intervals over the members. Conservation: combinations of rates that depend on inputs from outside alone.

      A formula that is no law is told as such: it only approximates the networks. The functions written by \
      --format c and python return "not a number" in its place.

      EXAMPLES
        filigree-laws models/sparse --data test.nc
        filigree-laws models/sparse --data test.nc --show interactions --plot groups.svg
        filigree-laws models/sparse --data test.nc --show formulas,conservation --format json
        filigree-laws models/sparse --data test.nc --format latex
        filigree-laws models/sparse --data test.nc --format c --output rates.c
        filigree-laws models/sparse --at T_bath=965,I_line=140000
      """,
    version: filigreeVersion)

  enum Part: String, CaseIterable {
    case interactions, formulas, conservation
  }

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv, markdown, latex, sympy, c, python
  }

  @Argument(help: "A model (.onnx) or the folder of an ensemble.", completion: .file())
  var models: String

  @Option(
    help: "Trajectories over which the models are read and formulas are judged.",
    completion: .file())
  var data: String?

  @Option(
    help: ArgumentHelp(
      "What to tell: interactions, formulas, conservation, separated by commas (default: all).",
      valueName: "parts"))
  var show: String?

  @Option(
    help: ArgumentHelp(
      "Instead: the affine formula at a point in physical units, with how far it holds; what is not named stays "
        + "at the training mean.", valueName: "name=value,…"))
  var at: String?

  @Option(
    parsing: .unconditional,
    help: "A formula is a law if its error is within this factor of the networks' own.")
  var factor = Formulas.usualFactor

  @Option(
    parsing: .unconditional,
    help: "Strength above which two inputs act together, in standardised units.")
  var threshold = 0.01

  @Option(
    parsing: .unconditional,
    help: "Interactions are averaged over at most so many samples, evenly spaced.")
  var samples = 2000

  @Option(
    help:
      "How to print the result: table, json, csv, markdown; formulas alone as latex, sympy, c or python."
  )
  var format = Format.table

  @Option(
    help: "Draw every output with the groups of inputs that act together (.svg, .png or .pdf).",
    completion: .file(extensions: ["svg", "png", "pdf"]))
  var plot: String?

  @Option(
    name: .shortAndLong, help: "Write formulas as latex, sympy, c or python to this file.",
    completion: .file())
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace files that are there already.")
  var force = false

  @OptionGroup var cut: CutOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var run: RunOptions

  func validate() throws { try checkOptions() }

  mutating func work() async throws { try await answer() }
}
