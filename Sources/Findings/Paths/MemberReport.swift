import LinearAlgebra
import Networks
import Structure

/// Everything that is said about one member.
struct MemberReport {
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
}
