import LinearAlgebra
import Networks
import Structure

/// A function of a network's inputs as a list of nodes, each of earlier ones: affine sums, activations and their
/// slopes, products. Outputs, entries of the Jacobian, differences of models are all of this form, so that one way of
/// bounding serves all of them. Parts that no input reaches are constants, enclosed by intervals.
package struct Expression<R: Rounding>: Sendable {
  typealias Bound = RoundedInterval<R>

  enum Kind: UInt8, Sendable { case input, affine, activation, product }

  /// A node, or a number known to lie in an interval.
  enum Term: Sendable {
    case node(Int)
    case constant(Bound)
  }

  /// The inputs that it reads, by number; they are the first nodes.
  package let inputs: [Int]
  private(set) var kind: [Kind]
  /// The argument of an activation; the first factor of a product.
  private(set) var first: [Int]
  /// The second factor.
  private(set) var second: [Int]
  /// Of an activation: 0 for φ, 1 for φ′; and its number among `shapes`.
  private(set) var order: [Int]
  private(set) var shape: [Int]
  private(set) var shapes: [ActivationShape<R>] = []
  /// The constant of an affine node; and its edges, which are `firstEdge[n]..<firstEdge[n + 1]`.
  private(set) var bias: [Bound]
  private(set) var firstEdge: [Int]
  private(set) var source: [Int] = []
  private(set) var weight: [Double] = []
  /// Nodes by what they are, while the expression is made: what is computed twice is one node.
  private var made: [Description: Int] = [:]
  /// Whether a node is other than an affine function of the inputs.
  private(set) var isCurved: [Bool]

  /// - Parameter inputs: that it reads, by number.
  init(inputs: [Int]) {
    self.inputs = inputs
    let count = inputs.count
    kind = Array(repeating: .input, count: count)
    first = Array(repeating: 0, count: count)
    second = first
    order = first
    shape = first
    bias = Array(repeating: .zero, count: count)
    firstEdge = Array(repeating: 0, count: count + 1)
    isCurved = Array(repeating: false, count: count)
  }

  /// Everything that a node is.
  private struct Description: Hashable {
    var kind: Kind
    var order = 0
    var shape = 0
    var arguments: [Int]
    var weights: [Double] = []
    var bias: [Double] = []
  }

  var count: Int { kind.count }

  /// What the last node is.
  var target: Int { count - 1 }

  private mutating func append(_ kind: Kind, first: Int = 0, second: Int = 0, isCurved: Bool) -> Int
  {
    self.kind.append(kind)
    self.first.append(first)
    self.second.append(second)
    order.append(0)
    shape.append(0)
    bias.append(.zero)
    firstEdge.append(source.count)
    self.isCurved.append(isCurved)
    return count - 1
  }

  // MARK: Terms

  /// bias + Σ weight · term
  mutating func sum(_ terms: [(weight: Double, term: Term)], bias: Bound = .zero) -> Term {
    var constant = bias
    var edges: [(weight: Double, node: Int)] = []
    for (weight, term) in terms where weight != 0 {
      switch term {
      case .constant(let value): constant = constant + weight * value
      case .node(let node): edges.append((weight, node))
      }
    }
    edges = Self.merged(edges)
    guard let only = edges.first else { return .constant(constant) }
    if edges.count == 1, only.weight == 1, constant == .zero { return .node(only.node) }
    let description = Description(
      kind: .affine, arguments: edges.map(\.node), weights: edges.map(\.weight),
      bias: [constant.lower, constant.upper])
    if let known = made[description] { return .node(known) }
    made[description] = count
    for edge in edges {
      source.append(edge.node)
      weight.append(edge.weight)
    }
    let node = append(.affine, isCurved: edges.contains { isCurved[$0.node] })
    self.bias[node] = constant
    return .node(node)
  }

  /// Edges from one node as one, where their weights have an exact sum.
  private static func merged(_ edges: [(weight: Double, node: Int)]) -> [(
    weight: Double, node: Int
  )] {
    var result: [(weight: Double, node: Int)] = []
    var place: [Int: Int] = [:]
    for edge in edges {
      if let known = place[edge.node] {
        let (a, b) = (result[known].weight, edge.weight)
        let sum = a + b
        let part = sum - a
        if (a - (sum - part)) + (b - part) == 0 {
          result[known].weight = sum
          continue
        }
      }
      place[edge.node] = result.count
      result.append(edge)
    }
    return result.filter { $0.weight != 0 }
  }

  /// A term as the sum that it is.
  func expanded(_ term: Term) -> (terms: [(weight: Double, term: Term)], bias: Bound) {
    guard case .node(let node) = term, kind[node] == .affine else { return ([(1, term)], .zero) }
    return (edges(into: node).map { (weight[$0], .node(source[$0])) }, bias[node])
  }

  /// φ or φ′ of a term.
  ///
  /// - Throws: `NoBounds` for an activation without.
  mutating func activation(_ activation: Activation, order: Int, of term: Term) throws -> Term {
    let number = try number(of: activation)
    if let pieces = shapes[number].pieces, pieces.kinks.isEmpty {
      return order == 1
        ? .constant(Bound(pieces.slopes[0])) : sum([(pieces.slopes[0], term)])
    }
    switch term {
    case .constant(let value):
      let shape = shapes[number]
      return .constant(
        shape.range(order, shape.values(at: value.lower), shape.values(at: value.upper)))
    case .node(let argument):
      let description = Description(
        kind: .activation, order: order, shape: number, arguments: [argument])
      if let known = made[description] { return .node(known) }
      made[description] = count
      let node = append(.activation, first: argument, isCurved: true)
      self.order[node] = order
      shape[node] = number
      return .node(node)
    }
  }

  private mutating func number(of activation: Activation) throws -> Int {
    if let known = shapes.firstIndex(where: { $0.activation == activation }) { return known }
    guard let shape = ActivationShape<R>(activation) else { throw NoBounds(activation) }
    shapes.append(shape)
    return shapes.count - 1
  }

  mutating func product(_ a: Term, _ b: Term) -> Term {
    switch (a, b) {
    case (.constant(let x), .constant(let y)): return .constant(x * y)
    case (.constant(let x), .node(let y)), (.node(let y), .constant(let x)):
      if x.lower == x.upper { return sum([(x.lower, .node(y))]) }
      return .node(append(.product, first: y, second: held(x), isCurved: true))
    case (.node(let x), .node(let y)):
      return .node(append(.product, first: x, second: y, isCurved: true))
    }
  }

  /// A constant as a node.
  private mutating func held(_ constant: Bound) -> Int {
    let node = append(.affine, isCurved: false)
    bias[node] = constant
    return node
  }

  /// Makes a term the target, and leaves out what it does not depend on.
  mutating func finish(with term: Term) {
    switch term {
    case .node(let node):
      source.append(node)
      weight.append(1)
      _ = append(.affine, isCurved: isCurved[node])
    case .constant(let value): _ = held(value)
    }
    var isNeeded = [Bool](repeating: false, count: count)
    isNeeded[target] = true
    for node in stride(from: target, through: inputs.count, by: -1) where isNeeded[node] {
      for other in arguments(of: node) { isNeeded[other] = true }
    }
    self = restricted(to: isNeeded)
  }

  /// The nodes that a node is computed of.
  func arguments(of node: Int) -> [Int] {
    switch kind[node] {
    case .input: []
    case .affine: Array(source[edges(into: node)])
    case .activation: [first[node]]
    case .product: [first[node], second[node]]
    }
  }

  func edges(into node: Int) -> Range<Int> { firstEdge[node]..<firstEdge[node + 1] }

  private func restricted(to isNeeded: [Bool]) -> Expression {
    var result = Expression(inputs: inputs)
    result.shapes = shapes
    var place = Array(0..<count)
    for node in inputs.count..<count where isNeeded[node] {
      for edge in edges(into: node) {
        result.source.append(place[source[edge]])
        result.weight.append(weight[edge])
      }
      let new = result.append(
        kind[node], first: place[first[node]], second: place[second[node]],
        isCurved: isCurved[node])
      result.order[new] = order[node]
      result.shape[new] = shape[node]
      result.bias[new] = bias[node]
      place[node] = new
    }
    return result
  }
}

/// An activation that a model has and of which no sound bounds are known here.
public struct NoBounds: Error, CustomStringConvertible {
  let activation: Activation

  init(_ activation: Activation) { self.activation = activation }

  public var description: String {
    "the model has units with \(activation.rawValue), for which there are no proven bounds; there are for "
      + ActivationShape<Outward>.supported.joined(separator: ", ")
  }
}

// MARK: Of networks

extension Expression {
  /// What is asked of an output of a network.
  package enum Question: Sendable {
    case value
    /// ∂f/∂x of this input.
    case slope(Int)
    /// Σ |∂f/∂x| over all inputs: how far the output moves at most where each input moves by one.
    case gradientSize
  }

  /// - Parameters:
  ///   - graph: of a network, with all weights that are not zero.
  ///   - output: of it.
  ///   - question: that the target is to answer.
  /// - Throws: `NoBounds`.
  package init(_ graph: EdgeList, output: Int, _ question: Question) throws {
    self.init(inputs: graph.inputsBehind(output))
    let places = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($1, $0) })
    let values = try add(graph, output: output) { places[$0].map { .node($0) } ?? .constant(.zero) }
    switch question {
    case .value: finish(with: values.result)
    case .slope(let input): finish(with: try slope(graph, output: output, input, values))
    case .gradientSize:
      let slopes = try inputs.map { input in
        let slope = try slope(graph, output: output, input, values)
        return (weight: 1.0, term: try activation(.leakyRelu(slope: -1), order: 0, of: slope))
      }
      finish(with: sum(slopes))
    }
  }

  /// The units of an output, computed: their sums before the activation, and values.
  struct Units {
    var sums: [Int: Term] = [:]
    var result = Term.constant(.zero)
    /// Slopes of activations, made when first needed.
    var slopes: [Int: Term] = [:]
  }

  mutating func add(_ graph: EdgeList, output: Int, input: (Int) -> Term) throws -> Units {
    var units = Units()
    var values: [Int: Term] = [:]
    for unit in graph.unitsBehind(graph.outputs[output]).reversed() {
      let terms = graph.edges(into: unit).map { edge -> (weight: Double, term: Term) in
        let node = graph.source[edge]
        return (
          graph.weight[edge],
          node < graph.inputCount
            ? input(node) : values[node - graph.inputCount] ?? .constant(.zero)
        )
      }
      let sum = sum(terms, bias: Bound(graph.bias[unit]))
      units.sums[unit] = sum
      values[unit] = try activation(graph.activation[unit], order: 0, of: sum)
    }
    units.result = values[graph.outputs[output]] ?? .constant(.zero)
    return units
  }

  /// ∂f/∂x by the chain rule, forward.
  private mutating func slope(
    _ graph: EdgeList, output: Int, _ input: Int, _ units: Units
  ) throws -> Term {
    var derivatives: [Int: Term] = [:]
    for unit in graph.unitsBehind(graph.outputs[output]).reversed() {
      var terms: [(weight: Double, term: Term)] = []
      for edge in graph.edges(into: unit) {
        let node = graph.source[edge]
        if node == input {
          terms.append((graph.weight[edge], .constant(Bound(1))))
        } else if node >= graph.inputCount, let term = derivatives[node - graph.inputCount] {
          terms.append((graph.weight[edge], term))
        }
      }
      guard !terms.isEmpty else { continue }
      let inner = sum(terms)
      let outer = try activation(
        graph.activation[unit], order: 1, of: units.sums[unit] ?? .constant(.zero))
      derivatives[unit] = product(outer, inner)
    }
    return derivatives[graph.outputs[output]] ?? .constant(.zero)
  }
}

extension EdgeList {
  /// The inputs that an output depends on, in order.
  func inputsBehind(_ output: Int) -> [Int] {
    var isRead = [Bool](repeating: false, count: inputCount)
    for unit in unitsBehind(outputs[output]) {
      for edge in edges(into: unit) where source[edge] < inputCount { isRead[source[edge]] = true }
    }
    return isRead.indices.filter { isRead[$0] }
  }
}
