import Dynamics
import LinearAlgebra
import Networks

/// Hidden units replaced by straight lines of their arguments, as many as a tolerance of the outputs allows, those that
/// stray least first. Units that do not act are replaced by constants.
struct Folding {
  struct Unit {
    var node: PathNode
    /// value ≈ offset + slope · argument
    var offset: Double
    var slope: Double
    var isLine: Bool
    /// The first output that depends on it, and what its line leaves out of the outputs at most, in their deviations.
    var output: Int
    var strays: Double
  }

  private(set) var network: Network
  private(set) var chosen: [Unit] = []
  /// The largest root mean square by which an output strays, in its own deviations.
  private(set) var deviation = 0.0
  private let candidates: [Unit]
  private let tolerance: Double
  private let rows: [[Double]]
  private let before: [[Double]]
  private let outputDeviation: [Double]

  /// Products of weights and values in one comparison with the original.
  private static let mostProducts = 40_000_000

  init(
    _ network: Network, _ moments: UnitMoments, over data: Matrix, _ scaling: Standardisation,
    tolerance: Double
  ) {
    self.network = network
    self.tolerance = tolerance
    outputDeviation = moments.outputDeviation
    candidates = tolerance > 0 ? Self.candidates(network, moments, tolerance) : []
    let size = network.layers.reduce(1) { sum, layer in
      layer.connections.reduce(sum) { $0 + $1.weight.elements.count }
    }
    let count = max(200, min(2000, Self.mostProducts / size))
    rows =
      candidates.isEmpty
      ? []
      : stride(from: 0, to: data.rows, by: max(1, data.rows / count)).map {
        scaling.standardise(data.row($0))
      }
    before = rows.map(network.evaluate)
  }

  private static func candidates(_ network: Network, _ moments: UnitMoments, _ tolerance: Double)
    -> [Unit]
  {
    let outputs = Set(network.outputUnits.map { PathNode.unit(layer: $0.layer, index: $0.unit) })
    return (0..<moments.graph.unitCount).compactMap { unit in
      let node = moments.graph.node(moments.graph.inputCount + unit)
      let responses = (0..<moments.responseSize.rows).map { moments.responseSize[$0, unit] }
      guard !outputs.contains(node), !moments.graph.edges(into: unit).isEmpty,
        let first = responses.firstIndex(where: { $0 > 0 })
      else { return nil }
      func change(_ size: Double) -> Double {
        zip(responses, moments.outputDeviation).map { response, deviation in
          size * response == 0 ? 0 : deviation > 0 ? size * response / deviation : .infinity
        }.max() ?? 0
      }
      let line = moments.lines[unit]
      let isLine = change(moments.deviation[unit]) > 0.1 * tolerance
      return Unit(
        node: node,
        offset: isLine ? line.offset : line.offset + line.slope * moments.meanArgument[unit],
        slope: isLine ? line.slope : 0, isLine: isLine, output: first,
        strays: change(isLine ? line.residual : moments.deviation[unit]))
    }
  }

  /// Output by output, so that one that bends much does not keep the units of others.
  mutating func fold() {
    for output in outputDeviation.indices {
      let own = candidates.filter { $0.output == output }
        .sorted { ($0.strays, $0.node) < ($1.strays, $1.node) }
      // As many as are within the tolerance, between a number that is and one that is not.
      var (kept, beyond) = (0, own.count + 1)
      var best = (network: network, deviation: deviation)
      while beyond - kept > 1 {
        let middle = (kept + beyond) / 2
        let folded = network.replacing(Array(own.prefix(middle)))
        let change = deviation(of: folded)
        if change <= tolerance {
          kept = middle
          best = (folded, change)
        } else {
          beyond = middle
        }
      }
      network = best.network
      deviation = best.deviation
      chosen += own.prefix(kept)
    }
  }

  private func deviation(of folded: Network) -> Double {
    var squares = outputDeviation.map { _ in 0.0 }
    var means = squares
    for (input, expected) in zip(rows, before) {
      for (output, value) in folded.evaluate(input).enumerated() {
        let change = value - expected[output]
        means[output] += change
        squares[output] += change * change
      }
    }
    let count = Double(rows.count)
    return outputDeviation.indices.map { output in
      // A constant is no matter of lines: drawings show none.
      let mean = means[output] / count
      let spread = max(0, squares[output] / count - mean * mean).squareRoot()
      return outputDeviation[output] > 0 ? spread / outputDeviation[output] : 0
    }.max() ?? 0
  }
}

extension Network {
  /// Units replaced by their lines. Those of later layers may read what earlier ones were replaced by.
  fileprivate func replacing(_ units: [Folding.Unit]) -> Network {
    var result = self
    for unit in units.sorted(by: { $0.node < $1.node }) {
      result.replace(unit.node, offset: unit.offset, slope: unit.slope)
    }
    return result
  }

  /// A unit replaced by offset + slope · z of its argument z: what it reads is read directly by what reads it.
  fileprivate mutating func replace(_ node: PathNode, offset: Double, slope: Double) {
    guard case .unit(let number, let unit) = node else { return }
    let layer = layers[number]
    for reader in layers.indices.dropFirst(number + 1) {
      for index in layers[reader].connections.indices
      where layers[reader].connections[index].source == .layer(number) {
        for row in 0..<layers[reader].unitCount {
          let weight = layers[reader].connections[index].weight[row, unit]
          guard weight != 0 else { continue }
          layers[reader].connections[index].weight[row, unit] = 0
          layers[reader].bias[row] += weight * (offset + slope * layer.bias[unit])
          for connection in layer.connections {
            for column in 0..<connection.weight.columns {
              let change = weight * slope * connection.weight[unit, column]
              if change != 0 { add(change, to: reader, connection.source, row, column) }
            }
          }
        }
      }
    }
    for index in layer.connections.indices {
      for column in 0..<layer.connections[index].weight.columns {
        layers[number].connections[index].weight[unit, column] = 0
      }
    }
  }

  /// Adds to the weight between a source's value and a unit, which are connected if they were not.
  package mutating func add(
    _ change: Double, to layer: Int, _ source: Source, _ unit: Int, _ column: Int
  ) {
    let known = layers[layer].connections.firstIndex { $0.source == source && !$0.isCarry }
    let index = known ?? layers[layer].connections.count
    if known == nil {
      layers[layer].connections.append(
        Connection(
          source: source,
          weight: Matrix(rows: layers[layer].unitCount, columns: width(of: source)), weightCount: 0)
      )
    }
    layers[layer].connections[index].weight[unit, column] += change
  }
}
