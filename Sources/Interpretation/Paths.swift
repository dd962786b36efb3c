import HeapModule
import LinearAlgebra
import Networks

/// A place on a path.
public enum PathNode: Hashable, Comparable, Sendable {
  case input(Int)
  case unit(layer: Int, index: Int)
}

extension PathNode {
  /// The unit in `column` of what a connection reads.
  init(_ source: Network.Source, _ column: Int) {
    switch source {
    case .inputs: self = .input(column)
    case .layer(let layer): self = .unit(layer: layer, index: column)
    }
  }
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
    var sums: [LayerSums] = []
    for layer in network.layers {
      var sum = LayerSums(units: layer.unitCount, inputs: network.inputCount)
      for connection in layer.connections {
        switch connection.source {
        case .inputs: sum.addInputs(connection.weight)
        case .layer(let index): sum.add(connection.weight, of: sums[index])
        }
      }
      sum.applySlopes(layer.activation)
      sums.append(sum)
    }
    let units = network.outputUnits
    let inputs = network.inputCount
    func gathered(_ part: KeyPath<LayerSums, [Double]>) -> Matrix {
      Matrix(
        rows: units.count, columns: inputs,
        elements: units.flatMap { output in
          sums[output.layer][keyPath: part][
            (output.unit * inputs)..<((output.unit + 1) * inputs)]
        })
    }
    counts = units.map { output in
      (0..<inputs).map { sums[output.layer].count(output.unit * inputs + $0) }
    }
    positive = gathered(\.positive)
    negative = gathered(\.negative)
    derivativeLow = gathered(\.low)
    derivativeHigh = gathered(\.high)
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
  ///
  /// - Parameter input: only paths from this input; nil for all.
  public func strongestPaths(_ count: Int, from input: Int? = nil) -> [[Path]] {
    guard count > 0 else { return network.outputUnits.map { _ in [] } }
    var best: [[[Prefix]]] = []
    for layer in network.layers {
      best.append(
        (0..<layer.unitCount).map {
          bestPrefixes(into: $0, of: layer, from: input, earlier: best, count)
        })
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
    into unit: Int, of layer: Network.Layer, from input: Int?, earlier: [[[Prefix]]], _ count: Int
  ) -> [Prefix] {
    func candidate(_ source: PathNode, _ rank: Int, _ weight: Double) -> Candidate? {
      switch source {
      case .input(let index):
        guard rank == 0, input == nil || input == index else { return nil }
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
        if let first = candidate(PathNode(connection.source, column), 0, weight) {
          heap.insert(first)
        }
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

/// The sums over all paths into a layer's units, unit by unit, all inputs of each.
private struct LayerSums {
  let inputs: Int
  var counts: [UInt64]
  /// Counts that have left 64 bits.
  var isBeyond: [Bool]
  var positive: [Double]
  var negative: [Double]
  var low: [Double]
  var high: [Double]

  init(units: Int, inputs: Int) {
    self.inputs = inputs
    counts = Array(repeating: 0, count: units * inputs)
    isBeyond = Array(repeating: false, count: units * inputs)
    positive = Array(repeating: 0, count: units * inputs)
    negative = positive
    low = positive
    high = positive
  }

  func count(_ index: Int) -> UInt64? { isBeyond[index] ? nil : counts[index] }

  mutating func addInputs(_ weight: Matrix) {
    for (index, value) in weight.elements.enumerated() where value != 0 {
      addCount(1, false, at: index)
      positive[index] += max(value, 0)
      negative[index] += max(-value, 0)
      low[index] += value
      high[index] += value
    }
  }

  mutating func add(_ weight: Matrix, of source: LayerSums) {
    for unit in 0..<weight.rows {
      for column in 0..<weight.columns {
        let value = weight[unit, column]
        if value == 0 { continue }
        for input in 0..<inputs {
          let (target, from) = (unit * inputs + input, column * inputs + input)
          addCount(source.counts[from], source.isBeyond[from], at: target)
          let (p, n) = (source.positive[from], source.negative[from])
          positive[target] += value > 0 ? value * p : -value * n
          negative[target] += value > 0 ? value * n : -value * p
          low[target] += value * (value > 0 ? source.low[from] : source.high[from])
          high[target] += value * (value > 0 ? source.high[from] : source.low[from])
        }
      }
    }
  }

  private mutating func addCount(_ count: UInt64, _ beyond: Bool, at index: Int) {
    let (sum, overflow) = counts[index].addingReportingOverflow(count)
    counts[index] = sum
    if overflow || beyond { isBeyond[index] = true }
  }

  /// [low, high] times the interval of the activation's slope.
  mutating func applySlopes(_ activation: Activation) {
    guard activation != .identity else { return }
    let (least, most) = (activation.slopeRange.lowerBound, activation.slopeRange.upperBound)
    // What no path reaches stays at zero, however steep.
    func product(_ slope: Double, _ bound: Double) -> Double { bound == 0 ? 0 : slope * bound }
    for index in low.indices {
      let (a, b) = (product(least, low[index]), product(least, high[index]))
      let (c, d) = (product(most, low[index]), product(most, high[index]))
      low[index] = min(a, b, c, d)
      high[index] = max(a, b, c, d)
    }
  }
}

extension Model {
  /// A node of a path as people name it: an input by its name, unit 7 of a hidden layer as
  /// "T_bath.h1.7", an output as "d/dt T_bath".
  public func name(of node: PathNode) -> String {
    switch node {
    case .input(let index): return inputs[index].name
    case .unit(let layer, let unit):
      let outputUnits = network.outputUnits
      if let output = outputUnits.firstIndex(where: { $0.layer == layer && $0.unit == unit }) {
        return "d/dt \(outputs[output].name)"
      }
      return "\(network.layers[layer].name).\(unit)"
    }
  }
}
