import CommandSupport
import Findings
import Foundation

@main
struct Certify: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-certify",
    abstract: "Proves what a model does at every point of a box: signs, bounds, differences.",
    discussion: """
      For a box of states and inputs, in physical units: which way each input acts on each rate (proved, refuted \
      with points, or open), bounds of every slope and every rate, and how far two models differ at most. Bounds hold \
      for every point of the box, not only for samples; beside each stands the most extreme value that was found \
      inside. They speak of the real function that the stored weights define, and are rounded outward at every \
      operation.

      The box is that of the 1 % to 99 % quantiles of --data, or of a file, or the range of the data the model was \
      trained on; --where changes sides of it, --everywhere takes all states whatever.

      EXAMPLES
        filigree-certify models/sparse --data test.nc
        filigree-certify models/sparse --data test.nc --explain T_bath I_line
        filigree-certify models/sparse --data test.nc --where "T_bath=960..980,f_tap=0" --units physical
        filigree-certify models/sparse --box box.yaml --format json
        filigree-certify models/sparse --everywhere
        filigree-certify models/sparse/member-00.onnx --against models/sparse/member-01.onnx --data test.nc
      """,
    version: filigreeVersion)

  @Argument(help: "A model (.onnx) or the folder of an ensemble.", completion: .file())
  var models: String

  @OptionGroup(title: "The box") var place: BoxOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "One pair in full, with the points found: the output, then the input.",
      valueName: "output input"))
  var explain: [String] = []

  @Option(
    help: ArgumentHelp(
      "How far this model (.onnx) differs from the first at most, output by output.",
      valueName: "model"),
    completion: .file(extensions: ["onnx"]))
  var against: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --against: is the difference at most so many standard deviations of the output?",
      valueName: "deviations"))
  var within: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      How far a bound may be from a value that is reached, as a share of the range of values found (0.05 by \
      default; not less than 0.01 in standardised units).
      """, valueName: "share"))
  var tolerance = 0.05

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "For each bound, how many boxes may be looked at (20000 by default, fewer in large networks).",
      valueName: "number"))
  var boxes: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Stop after so many seconds with what is proved by then; results depend on the machine then.",
      valueName: "seconds"))
  var timeLimit: Double?

  @Option(help: "Of slopes: standardised or physical.")
  var units = JacobianUnits.standardised

  @OptionGroup var cut: CutOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws { try checkOptions() }

  mutating func work() async throws { try await answer() }
}

extension JacobianUnits: ExpressibleByArgument {}
