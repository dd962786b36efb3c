import Dynamics
import LinearAlgebra
import Networks

/// A network as it acts over data: units that never act there are gone, units that act as a line are lines, and every
/// weight has an effect.
///
/// Effects are in standard deviations of an output per standard deviation of what the edge leaves: of an edge from an
/// input the mean over the samples of the part of ∂output/∂input that passes through it, which for a path through one
/// hidden unit is the effect of that path; of an edge from a hidden unit what a deviation of that unit's value does.
public struct ActingNetwork: Sendable {
  /// The original's layers and units, without the incoming and outgoing weights of units that were folded; what they
  /// did as lines is part of the weights between what they read and what reads them.
  public let network: Network
  /// Units that act as lines, and units that do not act.
  public let lines: [PathNode]
  public let idle: [PathNode]
  /// How far an output strays from the original's over the samples: the largest root mean square, in the output's own
  /// deviations.
  public let deviation: Double
  /// Outputs × inputs over the samples: mean J and mean |J| of the original.
  public let meanJacobian: Matrix
  public let meanMagnitude: Matrix
  /// By output, layer and connection: as its weights, the effects.
  private let effectsByOutput: [[[Matrix]]]
  private let scaling: Standardisation
  private let data: Matrix

  /// How much an output may change by the folding of units unless another share is asked for: 1 % of its deviation.
  public static let usualTolerance = 0.01

  /// - Parameters:
  ///   - model: whose network is looked at.
  ///   - data: samples × inputs in physical units, at least one.
  ///   - tolerance: how far an output may stray from the original's (root mean square) in its own deviations over the
  ///     samples; 0 folds nothing.
  public init(_ model: Model, over data: Matrix, tolerance: Double = usualTolerance) {
    let original = LiveStructure(model.network).network
    scaling = model.inputScaling
    self.data = data
    let before = UnitMoments(original, over: data, scaling)
    var folding = Folding(original, before, over: data, scaling, tolerance: tolerance)
    folding.fold()
    network = folding.chosen.isEmpty ? original : LiveStructure(folding.network).network
    lines = folding.chosen.filter(\.isLine).map(\.node).sorted()
    idle = folding.chosen.filter { !$0.isLine }.map(\.node).sorted()
    deviation = folding.deviation
    let moments =
      folding.chosen.isEmpty ? before : UnitMoments(network, over: data, scaling)
    meanJacobian = before.meanJacobian
    meanMagnitude = before.meanMagnitude
    effectsByOutput = Self.effects(network, moments)
  }

  // MARK: Effects

  /// By layer and connection, as its weights: the largest effect on any of these outputs.
  ///
  /// - Parameter outputs: by number; all where there are none.
  public func effects(on outputs: [Int] = []) -> [[Matrix]] {
    let wanted = outputs.isEmpty ? Array(effectsByOutput.indices) : outputs
    guard var result = wanted.first.map({ effectsByOutput[$0] }) else { return [] }
    for output in wanted.dropFirst() {
      for layer in result.indices {
        for number in result[layer].indices {
          for (index, value) in effectsByOutput[output][layer][number].elements.enumerated()
          where abs(value) > abs(result[layer][number].elements[index]) {
            result[layer][number].elements[index] = value
          }
        }
      }
    }
    return result
  }

  private static func effects(_ network: Network, _ moments: UnitMoments) -> [[[Matrix]]] {
    var first: [Int] = []
    var count = 0
    for layer in network.layers {
      first.append(count)
      count += layer.unitCount
    }
    return network.outputUnits.indices.map { output in
      network.layers.enumerated().map { number, layer in
        layer.connections.map { connection in
          Matrix(rows: connection.weight.rows, columns: connection.weight.columns) { unit, column in
            let size =
              switch connection.source {
              case .inputs: 1.0
              case .layer(let source): moments.deviation[first[source] + column]
              }
            return connection.weight[unit, column] * size
              * moments.meanResponse[output, first[number] + unit]
          }
        }
      }
    }
  }

  // MARK: Routes

  /// A way from an input to an output: one path, or all paths of a pair that cancel each other, as their sum.
  public struct Route: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
      case path
      /// Of so many paths; nil beyond 2⁶⁴ − 1.
      case sum(of: UInt64?)
    }

    public var kind: Kind
    /// From the input to the output; of a sum these two alone.
    public var nodes: [PathNode]
    /// Mean over the samples of what it adds to ∂output/∂input; of a sum mean ∂output/∂input itself.
    public var effect: Double
  }

  /// The ways of largest effect. Where the paths of a pair cancel, so that less than half of what they carry is left,
  /// their sum is one way, and none of them alone.
  ///
  /// - Parameters:
  ///   - count: how many there are at most.
  ///   - outputs: to these; to all where there are none.
  ///   - inputs: from these; from all where there are none.
  public func strongestRoutes(_ count: Int, to outputs: [Int] = [], from inputs: [Int] = [])
    -> [Route]
  {
    let analysis = PathAnalysis(network)
    let sources = inputs.isEmpty ? Array(0..<network.inputCount) : inputs
    let targets = outputs.isEmpty ? Array(network.outputUnits.indices) : outputs
    let candidates = sources.map { source in
      let paths = analysis.strongestPaths(PathActivity.candidates, from: source)
      return targets.map { (output: $0, paths: paths[$0]) }
    }
    let activity = PathActivity(
      candidates.joined().flatMap(\.paths), of: network, over: data, scaling)
    let routes = zip(sources, candidates).flatMap { input, found in
      found.flatMap { output, paths in
        ways(paths, activity, input: input, output: output, count: analysis.counts[output][input])
      }
    }
    let order = routes.indices.sorted {
      let (a, b) = (abs(routes[$0].effect), abs(routes[$1].effect))
      return a != b ? a > b : $0 < $1
    }
    return order.prefix(count).map { routes[$0] }
  }

  /// Of one pair.
  private func ways(
    _ paths: [Path], _ activity: PathActivity, input: Int, output: Int, count: UInt64?
  ) -> [Route] {
    let effects = paths.map { $0.product * (activity[$0]?.meanSlope ?? 0) }
    let total = meanJacobian[output, input]
    guard paths.count > 1, abs(total) < 0.5 * effects.reduce(0, { $0 + abs($1) }) else {
      return zip(paths, effects).map { Route(kind: .path, nodes: $0.nodes, effect: $1) }
    }
    let unit = network.outputUnits[output]
    return [
      Route(
        kind: .sum(of: count),
        nodes: [.input(input), .unit(layer: unit.layer, index: unit.unit)], effect: total)
    ]
  }
}
