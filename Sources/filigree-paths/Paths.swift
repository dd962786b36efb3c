import CommandSupport
import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure

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

  mutating func work() async throws {
    var ensemble = try Ensemble.load(models, cut: cut.cut, told: reading.description, quietly: describe)
    if describe { return try describeFile(ensemble) }
    let points = try points(ensemble)
    if let points, output == nil { ensemble = ensemble.standardisedBy(points, of: data ?? "") }
    guard explain.isEmpty else { return try explainPair(ensemble, points) }
    if let output { try writeLivePart(ensemble, points, to: output) }
    let reports = ensemble.members.indices.map {
      MemberReport(ensemble, $0, strongest: strongest, perPair: pairs, data: points)
    }
    var tables = [summary(ensemble, reports)]
    if let only = reports.first, reports.count == 1 {
      tables += only.tables()
    } else {
      tables[0].notes.append("For the paths of a member name its file, or ask for JSON.")
    }
    try printResult(
      tables, json: reports.map(\.result), format: format.format, csv: Self.pairsCSV(reports))
  }

  /// One row per member and connected pair.
  private static func pairsCSV(_ reports: [MemberReport]) -> Table {
    Table(
      title: "", corner: "member",
      columns: [
        "output", "input", "paths", "positive", "negative", "derivative_low", "derivative_high",
        "monotony",
      ],
      rows: reports.enumerated().flatMap { member, report in
        report.result.connectedPairs.map { pair in
          (
            String(member),
            [
              .text(pair.output), .text(pair.input), .text(pair.paths), .number(pair.positive),
              .number(pair.negative), .number(pair.derivativeLow), .number(pair.derivativeHigh),
              .text(pair.monotony?.rawValue ?? ""),
            ]
          )
        }
      })
  }

  private struct FileDescription: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var predicts: Prediction
    var report: [String]
  }

  private func describeFile(_ ensemble: Ensemble) throws {
    let model = ensemble.members[0]
    func row(_ variable: Variable, _ name: String, _ mean: Double, _ deviation: Double) -> (
      String, [Cell]
    ) {
      (name, [.text(variable.unit), .number(mean), .number(deviation)])
    }
    let columns = ["unit", "mean", "deviation"]
    let tables = [
      Table(
        title: "\(ensemble.name): inputs, as the file scales them", corner: "input",
        columns: columns,
        rows: model.inputs.enumerated().map {
          row($1, $1.name, model.inputScaling.mean[$0], model.inputScaling.deviation[$0])
        }),
      Table(
        title: "Outputs: \(model.wordForOutputs)", corner: "output", columns: columns,
        rows: model.outputs.enumerated().map {
          row(
            $1, model.label(ofOutput: $0), model.outputScaling.mean[$0],
            model.outputScaling.deviation[$0])
        }, notes: ensemble.report),
    ]
    try printResult(
      tables,
      json: FileDescription(
        inputs: model.inputs, outputs: model.outputs, predicts: model.predicts,
        report: ensemble.report), format: format.format)
  }

  private func points(_ ensemble: Ensemble) throws -> Matrix? {
    guard let data else { return nil }
    return try ensemble.points(of: try tables.read(data), from: data)
  }

  private func writeLivePart(_ ensemble: Ensemble, _ points: Matrix?, to path: String) throws {
    guard ensemble.members.count == 1, var model = ensemble.members.first else {
      throw ValidationError(
        "--output writes one model, and \(models) has \(ensemble.members.count) members: name a member's file."
      )
    }
    let asRead = cut.cut > 0 ? try Ensemble.load(models, told: reading.description, quietly: true).members[0] : model
    try refuseOverwriting(path, [data].compactMap { $0 }, models: [models])
    let check = LivePartCheck(model, asRead: asRead.network, over: points)
    guard check.deviation < LivePartCheck.tolerance else {
      throw DataMismatch("\(models): \(check.words); nothing was written")
    }
    model.network = check.part
    try WholeFile.write(try model.onnx(path: path), to: path, force: force)
    Console.note("\(path): \(check.words)")
    if let change = check.changeByCut(cut.cut) { Console.warning(change) }
  }

  private func explainPair(_ ensemble: Ensemble, _ points: Matrix?) throws {
    func index(_ name: String, of variables: [Variable], _ role: String) throws -> Int {
      let plain =
        ["d/dt ", "next "].first { role == "output" && name.hasPrefix($0) }
        .map { String(name.dropFirst(5)) } ?? name
      guard
        let index = variables.firstIndex(where: { $0.name == name })
          ?? variables.firstIndex(where: { $0.name == plain })
      else {
        let isSwapped =
          ensemble.inputs.contains { $0.name == explain[0] }
          && ensemble.outputs.contains { $0.name == explain[1] }
        throw DataMismatch(
          "\(ensemble.name) has no \(role) \"\(name)\"; "
            + (isSwapped
              ? "the output comes first: --explain \(explain[1]) \(explain[0])"
              : "there are \(variables.listed)"))
      }
      return index
    }
    let output = try index(explain[0], of: ensemble.outputs, "output")
    let input = try index(explain[1], of: ensemble.inputs, "input")
    let explanation = Explanation(
      ensemble, output: output, input: input, strongest: strongest, data: points)
    try printResult(explanation.tables, json: explanation, format: format.format)
  }

  private func summary(_ ensemble: Ensemble, _ reports: [MemberReport]) -> Table {
    Table(
      title: "\(ensemble.name): what survives", corner: "member",
      columns: [
        "weights", "of all", "live neurons", "of neurons", "inputs used", "pairs", "of pairs",
        "paths", "ℓ1 norm",
      ],
      rows: reports.enumerated().map { index, report in
        let result = report.result
        return (
          String(index),
          [
            .integer(result.weights), .integer(result.weightsInAll), .integer(result.liveNeurons),
            .integer(result.neurons), .integer(result.inputsUsed), .integer(result.pairs),
            .integer(result.pairsInAll), .text(result.paths), .number(result.norm),
          ]
        )
      },
      notes: [
        "ℓ1 norm: sum of |product| over all paths; it bounds the slopes of all outputs together."
      ])
  }
}

/// Everything that is said about one member.
private struct MemberReport {
  struct Layer: Encodable {
    var name: String
    var units: Int
    var live: Int
    var constant: Int
    var unused: Int
    var weights: Int
    var weightsInAll: Int
  }

  struct Pair: Encodable {
    var output: String
    var input: String
    /// As text, because JSON's numbers end at 2⁵³; ">2^64" beyond 64 bits.
    var paths: String
    var positive: Double
    var negative: Double
    var derivativeLow: Double
    var derivativeHigh: Double
    /// "increasing" or "decreasing" where the bounds leave one sign.
    var monotony: PathAnalysis.Monotony?
    /// Only where asked for.
    var strongest: [PathEntry]?
  }

  struct Output: Encodable {
    var output: String
    var strongest: [PathEntry]
  }

  struct Result: Encodable {
    /// Counted from 0.
    var member: Int
    var model: String
    var weights: Int
    var weightsInAll: Int
    var liveNeurons: Int
    var neurons: Int
    var inputsUsed: Int
    var pairs: Int
    var pairsInAll: Int
    var paths: String
    var norm: Double
    var layers: [Layer]
    var connectedPairs: [Pair]
    var outputs: [Output]
    var strongest: [PathEntry]
  }

  let model: Model
  let analysis: PathAnalysis
  let result: Result

  init(
    _ ensemble: Ensemble, _ member: Int, strongest count: Int, perPair: Bool, data: Matrix?
  ) {
    let model = ensemble.members[member]
    let structure = LiveStructure(model.network)
    let analysis = PathAnalysis(structure.network)
    func strongest(_ paths: [Path]) -> [Path] {
      PathActivity.strongest(
        count, of: paths, in: structure.network, over: data, model.inputScaling)
    }
    let wanted = data == nil || count == 0 ? count : max(count, PathActivity.candidates)
    let best = analysis.strongestPaths(wanted).map(strongest)
    let bestByInput =
      perPair
      ? model.inputs.indices.map { analysis.strongestPaths(wanted, from: $0).map(strongest) } : []
    let overall =
      data == nil ? analysis.strongestPathsOverall(count) : strongest(Array(best.joined()))
    let activity = PathActivity(
      overall + (best + bestByInput.joined()).joined(), of: structure.network, over: data,
      model.inputScaling)
    func entry(_ path: Path) -> PathEntry { PathEntry(path, of: model, activity) }
    var pairs: [Pair] = []
    for (row, output) in model.outputs.enumerated() {
      for (column, input) in model.inputs.enumerated() where analysis.counts[row][column] != 0 {
        pairs.append(
          Pair(
            output: output.name, input: input.name,
            paths: Self.text(analysis.counts[row][column]),
            positive: analysis.positive[row, column], negative: analysis.negative[row, column],
            derivativeLow: analysis.derivativeLow[row, column],
            derivativeHigh: analysis.derivativeHigh[row, column],
            monotony: analysis.monotony(output: row, input: column),
            strongest: perPair ? bestByInput[column][row].map(entry) : nil))
      }
    }
    result = Result(
      member: member, model: ensemble.name, weights: structure.network.survivingWeightCount,
      weightsInAll: model.network.weightCount,
      liveNeurons: structure.liveNeuronCount, neurons: structure.neuronCount,
      inputsUsed: structure.liveInputs.count { $0 }, pairs: analysis.connectedPairs,
      pairsInAll: model.inputs.count * model.outputs.count,
      paths: Self.text(analysis.totalCount), norm: analysis.norm,
      layers: Self.layers(model.network, structure),
      connectedPairs: pairs,
      outputs: zip(model.outputs, best).map {
        Output(output: $0.name, strongest: $1.map(entry))
      }, strongest: overall.map(entry))
    self.model = model
    self.analysis = analysis
  }

  private static func text(_ count: UInt64?) -> String { count.map(String.init) ?? ">2^64" }

  private static func layers(_ network: Network, _ structure: LiveStructure) -> [Layer] {
    network.layers.indices.map { index in
      let states = structure.states[index]
      return Layer(
        name: network.layers[index].name.isEmpty ? "output" : network.layers[index].name,
        units: states.count, live: states.count { $0 == .live },
        constant: states.count { if case .constant = $0 { true } else { false } },
        unused: states.count { $0 == .unused },
        weights: structure.network.layers[index].survivingWeightCount,
        weightsInAll: network.layers[index].weightCount)
    }
  }

  func tables() -> [Table] {
    let layers = Table(
      title: "Layers", corner: "layer",
      columns: ["units", "live", "constant", "unused", "weights", "of all"],
      rows: result.layers.map {
        (
          $0.name,
          [
            .integer($0.units), .integer($0.live), .integer($0.constant), .integer($0.unused),
            .integer($0.weights), .integer($0.weightsInAll),
          ]
        )
      },
      notes: [
        "constant: no input reaches it (its value is part of the next biases); unused: reaches no "
          + "output."
      ])
    let counts = pairTable("Number of paths; rows are \(model.wordForOutputs)", analysis.counts) {
      $0.map { $0 == 0 ? .trueZero : Int(exactly: $0).map(Cell.integer) ?? .text("\($0)") }
        ?? .text(">2^64")
    }
    func rows(_ matrix: Matrix) -> [[Double]] { (0..<matrix.rows).map { Array(matrix.row($0)) } }
    let positive = pairTable("P: sum of the positive products", rows(analysis.positive)) {
      $0 == 0 ? .trueZero : .number($0)
    }
    let negative = pairTable("N: minus the sum of the negative products", rows(analysis.negative)) {
      $0 == 0 ? .trueZero : .number($0)
    }
    var tables = [layers, counts, positive, negative, signs]
    tables.append(pathTable("Strongest paths", result.strongest))
    tables += result.outputs.enumerated().map {
      pathTable("Strongest paths to \(model.label(ofOutput: $0))", $1.strongest)
    }
    for pair in result.connectedPairs {
      guard let strongest = pair.strongest else { continue }
      tables.append(
        pathTable("Strongest paths from \(pair.input) to \(label(pair.output))", strongest))
    }
    return tables.filter { !$0.rows.isEmpty }
  }

  private func label(_ output: String) -> String {
    model.outputs.firstIndex { $0.name == output }.map(model.label(ofOutput:)) ?? output
  }

  /// Which pairs can only rise, or only fall.
  private var signs: Table {
    let rows = model.outputs.indices.map { output in
      model.inputs.indices.map { input -> Cell in
        guard analysis.counts[output][input] != 0 else { return .trueZero }
        switch analysis.monotony(output: output, input: input) {
        case .increasing: return .text("+")
        case .decreasing: return .text("−")
        case nil: return .text("±")
        }
      }
    }
    var table = pairTable("Signs that the derivative can have, whatever the state", rows) { $0 }
    table.notes = ["+: it can only rise with the input; −: only fall; ±: the weights allow both."]
    return table
  }

  private func pathTable(_ title: String, _ paths: [PathEntry]) -> Table {
    let hasData = paths.contains { $0.activeShare != nil }
    return Table(
      title: title, columns: ["product"] + (hasData ? ["active", "effect"] : []),
      rows: paths.map { path in
        (
          path.nodes.joined(separator: " → "),
          [.number(path.product)]
            + [path.activeShare, path.meanContribution].compactMap { $0.map(Cell.number) }
        )
      },
      notes: hasData ? [PathActivity.note] : [])
  }

  private func pairTable<Value>(
    _ title: String, _ values: [[Value]], _ cell: (Value) -> Cell
  ) -> Table {
    Table(
      title: title, columns: model.inputs.map(\.name),
      rows: zip(model.outputs, values).map { ($0.name, $1.map(cell)) })
  }
}
