import CommandSupport

@main
struct Paths: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-paths",
    abstract: "Lists the input-output paths that survive in a model.",
    discussion: """
      A path runs along weights that are not zero. Its strength is the product of its weights, in \
      standardised units, activations left out. For each pair of input and output: the number of \
      paths, P (sum of the positive products), N (minus the sum of the negative ones), and bounds of \
      the derivative that hold everywhere; where they leave one sign, the rate can only rise, or only fall, \
      with the input. With --data, of each path the share of the samples at which it is active.

      EXAMPLES
        filigree-paths models/sparse
        filigree-paths models/sparse/member-00.onnx --strongest 10
        filigree-paths models/sparse --strongest 5 --format json
        filigree-paths models/sparse/member-00.onnx --data test.nc --output live.onnx
        filigree-paths models/sparse --explain T_bath m_sl --data test.nc
        filigree-paths theirs.onnx --describe
      """,
    version: filigreeVersion)

  @Argument(help: "A model (.onnx) or the folder of an ensemble.", completion: .file())
  var models: String

  @Option(
    parsing: .unconditional,
    help: "How many of the strongest paths to list, overall and per output.")
  var strongest = 5

  @Flag(help: "List the strongest paths of every connected pair of input and output as well.")
  var pairs = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Explain one pair in full: the output, then the input.", valueName: "output input"))
  var explain: [String] = []

  @Option(
    help: "Trajectories over which slopes and the share of active paths are taken.",
    completion: .file())
  var data: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      """
      Write what is alive as a smaller model (.onnx): without the neurons that do nothing, constant ones \
      folded into biases. It is compared with the original first.
      """, valueName: "file"), completion: .file(extensions: ["onnx"]))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace the output if it is there already.")
  var force = false

  @Flag(help: "Say what was read of the file, what was folded and assumed, and how to give names.")
  var describe = false

  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var cut: CutOption
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard (0...1_000_000).contains(strongest) else {
      throw ValidationError("--strongest \(strongest): must be between 0 and 1000000.")
    }
    guard explain.isEmpty || !pairs else {
      throw ValidationError("--pairs lists all pairs; it does not go with --explain.")
    }
    guard explain.isEmpty || explain.count == 2 else {
      throw ValidationError(
        "--explain takes an output and an input, for example --explain T_bath I_line.")
    }
    guard !describe || explain.isEmpty && !pairs && output == nil && data == nil else {
      throw ValidationError("--describe tells of the file; it does not go with other questions.")
    }
    guard output == nil || explain.isEmpty else {
      throw ValidationError("--output writes a model; it does not go with --explain.")
    }
    guard output.map({ $0.lowercased().hasSuffix(".onnx") }) ?? true else {
      throw ValidationError("--output \(output ?? ""): a model's name ends in .onnx.")
    }
  }

  mutating func work() async throws { try answer() }
}
