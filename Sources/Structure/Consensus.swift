import LinearAlgebra
import Networks

/// What an ensemble agrees on, as one model: the member that agrees most with the others, without the pairs that
/// are not in the consensus.
public struct Consensus: Sendable {
  public var model: Model
  /// The member from which it is made.
  public var member: Int
  /// Pairs (output, input) of that member that are not in the consensus and were removed: for that rate the input
  /// is replaced by its training mean.
  public var removed: [(output: Int, input: Int)] = []
  /// Pairs that are not in the consensus and remain, because the units that carry them serve other outputs too.
  public var shared: [(output: Int, input: Int)] = []
  /// Pairs of the consensus that this member does not have.
  public var lacking: [(output: Int, input: Int)] = []

  public init(_ ensemble: Ensemble, _ selection: Selection) {
    member = selection.mostTypicalMember
    let original = ensemble.members[member]
    let chosen = selection.consensus
    let inputs = original.inputs.count
    func isChosen(_ output: Int, _ input: Int) -> Bool { chosen[output * inputs + input] }
    model = original
    model.network = Self.pruned(LiveStructure(original.network).network, isChosen)
    let before = PathAnalysis(original.network).counts
    let after = PathAnalysis(model.network).counts
    for output in original.outputs.indices {
      for input in 0..<inputs {
        switch (isChosen(output, input), before[output][input] != 0, after[output][input] != 0) {
        case (false, true, false): removed.append((output, input))
        case (false, true, true): shared.append((output, input))
        case (true, false, _): lacking.append((output, input))
        default: break
        }
      }
    }
  }

  /// Without the weights from inputs into units none of whose outputs select the input.
  private static func pruned(_ network: Network, _ isChosen: (Int, Int) -> Bool) -> Network {
    var result = network
    let graph = EdgeList(network)
    var outputsOf = [[Int]](repeating: [], count: graph.unitCount)
    for (output, unit) in graph.outputs.enumerated() {
      for behind in graph.unitsBehind(unit) { outputsOf[behind].append(output) }
    }
    var first = 0
    for layer in network.layers.indices {
      for number in network.layers[layer].connections.indices
      where network.layers[layer].connections[number].source == .inputs {
        for unit in 0..<network.layers[layer].unitCount {
          for input in 0..<network.inputCount
          where !outputsOf[first + unit].contains(where: { isChosen($0, input) }) {
            result.layers[layer].connections[number].weight[unit, input] = 0
          }
        }
      }
      first += network.layers[layer].unitCount
    }
    return result
  }
}

extension Consensus {
  /// By how much, in deviations, a consensus changes the rates of the member that it is made of: the output that
  /// changes most, by the root of the mean square.
  ///
  /// - Parameters:
  ///   - ensemble: that it is the consensus of.
  ///   - points: samples × inputs in physical units; of many, some two thousand are taken.
  public func largestChange(of ensemble: Ensemble, over points: Matrix) -> (
    size: Double, output: String
  )? {
    let original = ensemble.members[member]
    var squares = [Double](repeating: 0, count: original.outputs.count)
    let step = max(1, points.rows / 2000)
    let rows = Array(stride(from: 0, to: points.rows, by: step))
    for row in rows {
      let z = original.inputScaling.standardise(points.row(row))
      let values = zip(original.network.evaluate(z), model.network.evaluate(z))
      for (output, pair) in values.enumerated() {
        squares[output] += (pair.0 - pair.1) * (pair.0 - pair.1) / Double(rows.count)
      }
    }
    guard let most = squares.indices.max(by: { squares[$0] < squares[$1] }) else { return nil }
    return (squares[most].squareRoot(), original.label(ofOutput: most))
  }
}
