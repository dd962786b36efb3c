import HeapModule
import LinearAlgebra
import Networks

/// A place on a path.
public enum PathNode: Hashable, Comparable, Sendable {
  case input(Int)
  case unit(layer: Int, index: Int)
}

/// A path from an input to an output, with the product of its weights.
public struct Path: Equatable, Sendable {
  public var nodes: [PathNode]
  public var product: Double
}

/// The input-output paths of a network along its non-zero weights.
///
/// Activations are left out of strengths and products: they are what the weights alone allow. All
/// values are in the network's own (standardised) units; matrices are outputs × inputs.
public struct PathAnalysis: Sendable {
  /// Number of paths; nil where it exceeds 2⁶⁴ − 1.
  public let counts: [[UInt64?]]
  /// P: the sum of the positive products. P and N follow from P_l = W⁺P + W⁻N, N_l = W⁺N + W⁻P.
  public let positive: Matrix
  /// N: minus the sum of the negative products.
  public let negative: Matrix
  /// Bounds of ∂output/∂input over all inputs whatever: each weight times the interval of what
  /// enters, times the range of the activation's slope. For ReLU chains these are [−N, P].
  public let derivativeLow: Matrix
  public let derivativeHigh: Matrix

  private let network: Network

  public init(_ network: Network) {
    self.network = network
    let inputs = network.inputCount
    var counts: [[[UInt64?]]] = []
    var intervals: [(positive: Matrix, negative: Matrix, low: Matrix, high: Matrix)] = []
    for layer in network.layers {
      let zero = Matrix(rows: layer.unitCount, columns: inputs)
      var count = [[UInt64?]](
        repeating: Array(repeating: 0, count: inputs), count: layer.unitCount)
      var sum = (positive: zero, negative: zero, low: zero, high: zero)
      for connection in layer.connections {
        for unit in 0..<layer.unitCount {
          for column in 0..<connection.weight.columns {
            let weight = connection.weight[unit, column]
            if weight == 0 { continue }
            switch connection.source {
            case .inputs:
              count[unit][column] = Self.add(count[unit][column], 1)
              sum.positive[unit, column] += max(weight, 0)
              sum.negative[unit, column] += max(-weight, 0)
              sum.low[unit, column] += weight
              sum.high[unit, column] += weight
            case .layer(let index):
              let source = intervals[index]
              for input in 0..<inputs {
                count[unit][input] = Self.add(count[unit][input], counts[index][column][input])
                let (p, n) = (source.positive[column, input], source.negative[column, input])
                sum.positive[unit, input] += weight > 0 ? weight * p : -weight * n
                sum.negative[unit, input] += weight > 0 ? weight * n : -weight * p
                let (low, high) = (source.low[column, input], source.high[column, input])
                sum.low[unit, input] += weight * (weight > 0 ? low : high)
                sum.high[unit, input] += weight * (weight > 0 ? high : low)
              }
            }
          }
        }
      }
      let slope = layer.activation.slopeRange
      if layer.activation != .identity {
        for index in sum.low.elements.indices {
          let corners = [slope.lowerBound, slope.upperBound].flatMap {
            [$0 * sum.low.elements[index], $0 * sum.high.elements[index]]
          }
          sum.low.elements[index] = corners.min() ?? 0
          sum.high.elements[index] = corners.max() ?? 0
        }
      }
      counts.append(count)
      intervals.append(sum)
    }
    let units = network.outputUnits
    self.counts = units.map { counts[$0.layer][$0.unit] }
    func gathered(_ part: ((positive: Matrix, negative: Matrix, low: Matrix, high: Matrix)) -> Matrix)
      -> Matrix
    {
      Matrix(rows: units.count, columns: inputs) {
        part(intervals[units[$0].layer])[units[$0].unit, $1]
      }
    }
    positive = gathered { $0.positive }
    negative = gathered { $0.negative }
    derivativeLow = gathered { $0.low }
    derivativeHigh = gathered { $0.high }
  }

  private static func add(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
    guard let a, let b else { return nil }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : sum
  }

  /// P + N, the ℓ1 path strength; zero exactly where no path is left.
  public var strength: Matrix { positive + negative }

  /// All paths together; nil beyond 2⁶⁴ − 1.
  public var totalCount: UInt64? { counts.joined().reduce(0) { Self.add($0, $1) } }

  /// Input-output pairs that are still connected.
  public var connectedPairs: Int {
    counts.reduce(0) { $0 + $1.count { $0 != 0 } }
  }

  // MARK: Strongest paths

  /// The `count` paths of largest |product|, per output, strongest first; equal ones in the order of
  /// their nodes. Every unit keeps its best prefixes with pointers back, so nothing is enumerated:
  /// O(E + V k log d) for E weights, V units of d incoming weights.
  public func strongestPaths(_ count: Int) -> [[Path]] {
    guard count > 0 else { return network.outputUnits.map { _ in [] } }
    var best: [[[Prefix]]] = []
    for layer in network.layers {
      best.append(
        (0..<layer.unitCount).map { bestPrefixes(into: $0, of: layer, earlier: best, count) })
    }
    return network.outputUnits.map { output in
      best[output.layer][output.unit].indices.map { rank in
        Path(
          nodes: nodes(.unit(layer: output.layer, index: output.unit), rank: rank, in: best),
          product: best[output.layer][output.unit][rank].product)
      }
    }
  }

  /// The strongest paths of all outputs together.
  public func strongestPathsOverall(_ count: Int) -> [Path] {
    let all = strongestPaths(count).joined().sorted {
      abs($0.product) != abs($1.product)
        ? abs($0.product) > abs($1.product) : $0.nodes.lexicographicallyPrecedes($1.nodes)
    }
    return Array(all.prefix(count))
  }

  /// A path up to some unit: its last step and the rank of the rest among that node's prefixes.
  private struct Prefix {
    var product: Double
    var previous: PathNode
    var rank: Int
  }

  /// A candidate for the next best prefix, ordered so that the heap's maximum is the strongest; of
  /// equals the first in the order of nodes.
  private struct Candidate: Comparable {
    var prefix: Prefix
    var weight: Double
    /// Nodes up to the unit, filled in only where products are equal.
    var nodes: () -> [PathNode]

    static func == (a: Candidate, b: Candidate) -> Bool { !(a < b) && !(b < a) }
    static func < (a: Candidate, b: Candidate) -> Bool {
      let (x, y) = (abs(a.prefix.product), abs(b.prefix.product))
      return x != y ? x < y : b.nodes().lexicographicallyPrecedes(a.nodes())
    }
  }

  private func bestPrefixes(
    into unit: Int, of layer: Network.Layer, earlier: [[[Prefix]]], _ count: Int
  ) -> [Prefix] {
    func candidate(_ source: PathNode, _ rank: Int, _ weight: Double) -> Candidate? {
      switch source {
      case .input:
        guard rank == 0 else { return nil }
        return Candidate(
          prefix: Prefix(product: weight, previous: source, rank: 0), weight: weight,
          nodes: { [source] })
      case .unit(let index, let column):
        guard rank < earlier[index][column].count else { return nil }
        return Candidate(
          prefix: Prefix(
            product: weight * earlier[index][column][rank].product, previous: source, rank: rank),
          weight: weight, nodes: { nodes(source, rank: rank, in: earlier) })
      }
    }
    var heap = Heap<Candidate>()
    for connection in layer.connections {
      for column in 0..<connection.weight.columns {
        let weight = connection.weight[unit, column]
        if weight == 0 { continue }
        let source: PathNode =
          switch connection.source {
          case .inputs: .input(column)
          case .layer(let index): .unit(layer: index, index: column)
          }
        if let first = candidate(source, 0, weight) { heap.insert(first) }
      }
    }
    var result: [Prefix] = []
    while result.count < count, let next = heap.popMax() {
      result.append(next.prefix)
      let rest = candidate(next.prefix.previous, next.prefix.rank + 1, next.weight)
      if let rest { heap.insert(rest) }
    }
    return result
  }

  /// The nodes of a prefix from the input to `end`.
  private func nodes(_ end: PathNode, rank: Int, in best: [[[Prefix]]]) -> [PathNode] {
    var result = [end]
    var rank = rank
    while case .unit(let layer, let index) = result[result.count - 1] {
      let prefix = best[layer][index][rank]
      result.append(prefix.previous)
      rank = prefix.rank
    }
    return result.reversed()
  }
}
