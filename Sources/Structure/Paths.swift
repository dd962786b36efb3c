import HeapModule
import LinearAlgebra
import Networks

/// A path from an input to an output, with the product of its weights.
public struct Path: Equatable, Sendable {
  public var nodes: [PathNode]
  public var product: Double
}

/// The input-output paths of a network along its non-zero weights.
///
/// Strengths and products leave out activations: they are what the weights alone allow. All values are in the
/// network's own (standardised) units; matrices are outputs × inputs. They are computed by one sweep per output,
/// from it back to the inputs, over the non-zero weights that lead to it.
public struct PathAnalysis: Sendable {
  /// Number of paths; nil where it exceeds 2⁶⁴ − 1.
  public let counts: [[UInt64?]]
  /// P: the sum of the positive products. P and N of a node follow from those that it feeds,
  /// P_j = Σ_i w⁺_ij P_i + w⁻_ij N_i and N_j = Σ_i w⁺_ij N_i + w⁻_ij P_i.
  public let positive: Matrix
  /// N: minus the sum of the negative products.
  public let negative: Matrix
  /// Bounds of ∂output/∂input that hold for all inputs: each weight times the interval of what follows, times the
  /// range of the activation's slope. For ReLU chains these are [−N, P].
  public let derivativeLow: Matrix
  public let derivativeHigh: Matrix

  private let graph: EdgeList

  public init(_ network: Network) {
    graph = EdgeList(network)
    var counts: [[UInt64?]] = []
    var positive: [Double] = []
    var negative: [Double] = []
    var low: [Double] = []
    var high: [Double] = []
    var sums = PathSums(nodes: graph.inputCount + graph.unitCount)
    for output in graph.outputs {
      sums.sweep(graph, from: output)
      let inputs = 0..<graph.inputCount
      counts.append(inputs.map { sums.isBeyond[$0] ? nil : sums.count[$0] })
      positive += sums.positive[inputs]
      negative += sums.negative[inputs]
      low += sums.low[inputs]
      high += sums.high[inputs]
    }
    func matrix(_ elements: [Double]) -> Matrix {
      Matrix(rows: counts.count, columns: network.inputCount, elements: elements)
    }
    self.counts = counts
    self.positive = matrix(positive)
    self.negative = matrix(negative)
    derivativeLow = matrix(low)
    derivativeHigh = matrix(high)
  }

  private static func add(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
    guard let a, let b else { return nil }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : sum
  }

  /// P + N, the ℓ1 path strength; zero exactly if no path is left.
  public var strength: Matrix { positive + negative }

  /// The ℓ1 path norm 1ᵀ|W_L|⋯|W_1|1: the sum of the strengths of all paths. For activations whose slope is at most
  /// 1, it bounds how much all outputs together can change per unit of the largest input change (Neyshabur,
  /// Tomioka, Srebro 2015).
  public var norm: Double { strength.elements.reduce(0, +) }

  /// What holds for a pair at all inputs.
  public enum Monotony: String, Sendable, Encodable {
    case increasing, decreasing
  }

  /// The sign of the derivative where its bounds leave only one; nil without a path.
  public func monotony(output: Int, input: Int) -> Monotony? {
    guard counts[output][input] != 0 else { return nil }
    if derivativeLow[output, input] >= 0 { return .increasing }
    return derivativeHigh[output, input] <= 0 ? .decreasing : nil
  }

  /// All paths together; nil beyond 2⁶⁴ − 1.
  public var totalCount: UInt64? { counts.joined().reduce(0) { Self.add($0, $1) } }

  /// Input-output pairs that are still connected.
  public var connectedPairs: Int {
    counts.reduce(0) { $0 + $1.count { $0 != 0 } }
  }

  // MARK: Strongest paths

  /// The `count` paths of largest |product|, per output, strongest first. Equal paths are ordered by their nodes,
  /// compared from the output back. Every unit keeps its best prefixes with back pointers, so nothing is
  /// enumerated: O(E + V k log d) for E weights and V units with d incoming weights each.
  ///
  /// - Parameters:
  ///   - count: the largest number of paths to each output.
  ///   - input: only paths from this input; nil for all.
  public func strongestPaths(_ count: Int, from input: Int? = nil) -> [[Path]] {
    guard count > 0 else { return graph.outputs.map { _ in [] } }
    var best: [[Prefix]] = []
    best.reserveCapacity(graph.unitCount)
    for unit in 0..<graph.unitCount {
      best.append(bestPrefixes(into: unit, from: input, best, count))
    }
    return graph.outputs.map { output in
      best[output].indices.map { rank in
        Path(nodes: nodes(output, rank: rank, in: best), product: best[output][rank].product)
      }
    }
  }

  /// The strongest paths of all outputs together.
  public func strongestPathsOverall(_ count: Int) -> [Path] {
    Array(
      strongestPaths(count).enumerated().flatMap { output, paths in
        paths.enumerated().map { (path: $1, output: output, rank: $0) }
      }.sorted {
        let (a, b) = (abs($0.path.product), abs($1.path.product))
        return a != b ? a > b : ($0.output, $0.rank) < ($1.output, $1.rank)
      }.prefix(count).map(\.path))
  }

  /// A path up to some unit: its last step and the rank of the rest among that node's prefixes. Ordered so
  /// that the maximum is the strongest; of equals that from the first source.
  private struct Prefix: Comparable {
    var product: Double
    var edge: Int32
    var rank: Int32

    static func < (a: Prefix, b: Prefix) -> Bool {
      let (x, y) = (abs(a.product), abs(b.product))
      return x != y ? x < y : (b.edge, b.rank) < (a.edge, a.rank)
    }
  }

  private func bestPrefixes(
    into unit: Int, from input: Int?, _ best: [[Prefix]], _ count: Int
  ) -> [Prefix] {
    func candidate(_ edge: Int, _ rank: Int) -> Prefix? {
      let source = graph.source[edge]
      let rest: Double
      if source < graph.inputCount {
        guard rank == 0, input == nil || input == source else { return nil }
        rest = 1
      } else {
        let prefixes = best[source - graph.inputCount]
        guard rank < prefixes.count else { return nil }
        rest = prefixes[rank].product
      }
      return Prefix(product: graph.weight[edge] * rest, edge: Int32(edge), rank: Int32(rank))
    }
    var heap = Heap(graph.edges(into: unit).compactMap { candidate($0, 0) })
    var result: [Prefix] = []
    while result.count < count, let next = heap.max {
      result.append(next)
      if let rest = candidate(Int(next.edge), Int(next.rank) + 1) {
        heap.replaceMax(with: rest)
      } else {
        heap.removeMax()
      }
    }
    return result
  }

  /// The nodes of a prefix from the input to the unit.
  private func nodes(_ unit: Int, rank: Int, in best: [[Prefix]]) -> [PathNode] {
    var numbers = [graph.inputCount + unit]
    var rank = rank
    while let last = numbers.last, last >= graph.inputCount {
      let prefix = best[last - graph.inputCount][rank]
      numbers.append(graph.source[Int(prefix.edge)])
      rank = Int(prefix.rank)
    }
    return numbers.reversed().map(graph.node)
  }
}

/// The sums over all paths from each node to one output.
private struct PathSums {
  var count: [UInt64]
  /// Counts that have left 64 bits.
  var isBeyond: [Bool]
  var positive: [Double]
  var negative: [Double]
  var low: [Double]
  var high: [Double]

  init(nodes: Int) {
    count = Array(repeating: 0, count: nodes)
    isBeyond = Array(repeating: false, count: nodes)
    positive = Array(repeating: 0, count: nodes)
    negative = positive
    low = positive
    high = positive
  }

  mutating func sweep(_ graph: EdgeList, from output: Int) {
    self = PathSums(nodes: count.count)
    let first = graph.inputCount
    count[first + output] = 1
    positive[first + output] = 1
    low[first + output] = 1
    high[first + output] = 1
    for unit in graph.unitsBehind(output) {
      let node = first + unit
      applySlope(graph.activation[unit], at: node)
      for edge in graph.edges(into: unit) {
        pass(graph.weight[edge], from: node, to: graph.source[edge])
      }
    }
  }

  /// Paths from `source` over an edge of this weight and on from `node`.
  private mutating func pass(_ weight: Double, from node: Int, to source: Int) {
    let (sum, overflow) = count[source].addingReportingOverflow(count[node])
    count[source] = sum
    if overflow || isBeyond[node] { isBeyond[source] = true }
    let (p, n) = (positive[node], negative[node])
    positive[source] += weight > 0 ? weight * p : -weight * n
    negative[source] += weight > 0 ? weight * n : -weight * p
    low[source] += weight * (weight > 0 ? low[node] : high[node])
    high[source] += weight * (weight > 0 ? high[node] : low[node])
  }

  /// [low, high] times the interval of the activation's slope.
  private mutating func applySlope(_ activation: Activation, at node: Int) {
    guard activation != .identity else { return }
    let (least, most) = (activation.slopeRange.lowerBound, activation.slopeRange.upperBound)
    let products = [least * low[node], least * high[node], most * low[node], most * high[node]]
    low[node] = products.min() ?? 0
    high[node] = products.max() ?? 0
  }
}

extension Model {
  /// A node of a path as it is called in texts: an input by its name, unit 7 of a hidden layer as "T_bath.h1.7", an
  /// output as "d/dt T_bath".
  public func name(of node: PathNode) -> String {
    switch node {
    case .input(let index): return inputs[index].name
    case .unit(let layer, let unit):
      let outputUnits = network.outputUnits
      if let output = outputUnits.firstIndex(where: { $0.layer == layer && $0.unit == unit }) {
        return label(ofOutput: output)
      }
      return "\(network.layers[layer].name).\(unit)"
    }
  }
}
