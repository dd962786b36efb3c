import LinearAlgebra

/// Activations that exporters spell out in comparisons, choices, quotients and products.
///
/// Such an operator is a node whose meaning is open. Together with what it reads, down to one value on which all of
/// it depends, it is a function of one number; if that is one of the library's activations, the activation takes
/// its place. If not, it may still be a part of one that is recognised later; else the model is refused.
extension GraphReader {
  /// The operator of this node on its operands, recognised, or open.
  mutating func function(_ operation: ElementwiseOperator) throws(GraphProblem) -> GraphValue {
    var operands: [Features] = []
    for index in 0..<operation.operandCount { operands.append(try features(index)) }
    return try function(operation, operands)
  }

  mutating func function(_ operation: ElementwiseOperator, _ operands: [Features])
    throws(GraphProblem) -> GraphValue
  {
    var result = operands[0]
    for operand in operands.dropFirst() {
      let pair = try paired(result, operand)
      result = Features(shape: pair.shape, elements: pair.a, batchAxis: pair.batchAxis)
    }
    let lists = try operands.map { operand throws(GraphProblem) in try paired(operand, result).a }
    if let known = try recognised(operation, lists) {
      result.elements = known
    } else {
      result.elements = open(operation, lists)
    }
    return .features(result)
  }

  /// The operator as a part of something that may be recognised later.
  mutating func open(_ operation: ElementwiseOperator, _ lists: [[Element]]) -> [Element] {
    var problem = fail(reason(against: operation, lists))
    // A product is open for what one of its factors is.
    if operation == .product, let factor = lists.joined().first(where: isOpen),
      case .function(_, _, let its) = nodes[Int(factor.node)].kind
    {
      problem = its
    }
    return add(.function(operation, lists, problem), width: lists[0].count)
  }

  func isOpen(_ element: Element) -> Bool {
    guard !element.isConstant, case .function = nodes[Int(element.node)].kind else { return false }
    return true
  }

  /// The activations that these units are, in their simplest form; nil where one of them is none.
  mutating func recognised(_ operation: ElementwiseOperator, _ lists: [[Element]])
    throws(GraphProblem) -> [Element]?
  {
    guard !operation.isTruth else { return nil }
    var matches: [(root: Element, match: ScalarMatch)] = []
    for unit in lists[0].indices {
      guard let match = try match(operation, lists.map { $0[unit] }) else { return nil }
      matches.append(match)
    }
    return activated(matches)
  }

  // MARK: Functions of one value

  /// Of the furthest value of which it is an activation: a ReLU of which the least with 6 is taken is one clip.
  private mutating func match(_ operation: ElementwiseOperator, _ operands: [Element])
    throws(GraphProblem) -> (root: Element, match: ScalarMatch)?
  {
    var search = ScalarSearch(.elementwise(operation), operands)
    var best: (root: Element, match: ScalarMatch)?
    while let found = search.next(in: nodes) {
      // A step costs as much to look at as some numbers to make.
      try spend(8 * found.function.steps.count)
      guard let root = found.root else {
        let value = found.function.value(0)
        return value.isFinite ? (.constant(value), ScalarMatch(constant: value)) : best
      }
      if matches[found.function] == nil {
        // Comparing at hundreds of points costs as much as many numbers.
        try spend(4000)
        matches[found.function] = .some(ScalarMatch.of(found.function))
      }
      if let match = matches[found.function] ?? nil { best = (root, match) }
    }
    return best
  }

  /// Layers of activations, one for each kind of match.
  private mutating func activated(_ found: [(root: Element, match: ScalarMatch)]) -> [Element] {
    var matches = found
    func kinds() -> [[Activation]: [Int]] {
      Dictionary(grouping: matches.indices) { matches[$0].match.parts.map(\.activation) }
    }
    if kinds().count > 1 {
      for unit in matches.indices { matches[unit].match = matches[unit].match.withoutSlopes }
    }
    var result = matches.map(\.root)
    for (activations, units) in kinds().sorted(by: { $0.value[0] < $1.value[0] }) {
      var sum = units.map { unit in
        let (root, match) = matches[unit]
        return root.times(match.linear).plus(match.constant)
      }
      for (index, activation) in activations.enumerated() {
        let parts = units.map { matches[$0].match.parts[index] }
        let arguments = zip(units, parts).map {
          let argument = matches[$0].root.times($1.scale).plus($1.shift)
          return activation.isPiecewiseLinear ? argument : argument.snapped
        }
        let values = zip(activated(activation, arguments), parts).map { $0.times($1.factor) }
        sum = self.sum(sum, values)
      }
      for (unit, element) in zip(units, sum) { result[unit] = element }
    }
    return result
  }

  // MARK: Refusals

  private func reason(against operation: ElementwiseOperator, _ lists: [[Element]]) -> String {
    let known = "is no activation that Filigree knows"
    switch operation {
    case .quotient, .reciprocal:
      let divisor = lists[operation == .quotient ? 1 : 0]
      if let first = divisor.first(where: { !$0.isConstant }), isSquareRoot(first) {
        return
          "it divides by the square root of what it computes, as layer normalisation does, which is no "
          + "affine map; train with BatchNormalization or without"
      }
      if let first = divisor.first(where: { !$0.isConstant }), isPartition(first) {
        return
          "it divides by a sum of exponentials, as softmax does; export the values before it"
      }
      return "this divides by a computed value, and the quotient \(known)"
    case .logarithm:
      return
        "it takes the logarithm of a computed value, and the result \(known) (that of a sigmoid, or of "
        + "1 + eᶻ, is one)"
    case .squareRoot, .power:
      return "it takes a root or power of a computed value, and the result \(known)"
    case .choice: return "it chooses by a computed value, and the function that it makes \(known)"
    case .maximum, .minimum, .product:
      return "it uses a comparison of computed values, and the result \(known)"
    default:
      return "it compares computed values, and what is made of that \(known)"
    }
  }

  /// Whether it is a sum of exponentials.
  private func isPartition(_ element: Element) -> Bool {
    guard case .sum(let terms, _) = nodes[Int(element.node)].kind else { return false }
    return terms.contains {
      guard case .product(_, let elements) = $0, let first = elements.first, !first.isConstant,
        case .activation(.exponential, _) = nodes[Int(first.node)].kind
      else { return false }
      return true
    }
  }

  private func isSquareRoot(_ element: Element) -> Bool {
    switch nodes[Int(element.node)].kind {
    case .function(.squareRoot, _, _), .function(.power, _, _): true
    case .sum(let terms, _):
      terms.contains {
        guard case .each(let elements) = $0 else { return false }
        let part = elements[Int(element.unit)]
        return !part.isConstant && isSquareRoot(part)
      }
    default: false
    }
  }
}

/// Looks for the values on which an operator's result depends alone: the nearest first.
private struct ScalarSearch {
  private struct Unit: Hashable {
    var node: Int32
    var unit: Int32
  }
  /// Top down: each unit's operation and what it reads.
  private var expanded: [(unit: Unit?, operation: ScalarFunction.Operation, operands: [Element])]
  private var frontier: [Unit] = []
  private var isDone = false
  /// Longer functions are none of ours.
  private static let longest = 64

  init(_ operation: ScalarFunction.Operation, _ operands: [Element]) {
    expanded = [(nil, operation, operands)]
    read(operands)
  }

  private mutating func read(_ operands: [Element]) {
    for element in operands where !element.isConstant {
      let unit = Unit(node: element.node, unit: element.unit)
      if !frontier.contains(unit) { frontier.append(unit) }
    }
  }

  /// The next value and the function of it that the operator is; without a value where it depends on none.
  mutating func next(in nodes: [GraphNode]) -> (root: Element?, function: ScalarFunction)? {
    while !isDone {
      let only = frontier.count == 1 ? frontier[0] : nil
      let found = frontier.count > 1 ? nil : function(of: only)
      // Nobody reads a later node, so the last of them is read by none that is still to come.
      if let place = frontier.indices.max(by: { order(frontier[$0]) < order(frontier[$1]) }),
        expanded.count < Self.longest,
        let (operation, operands) = Self.operation(of: frontier[place], in: nodes)
      {
        expanded.append((frontier.remove(at: place), operation, operands))
        read(operands)
      } else {
        isDone = true
      }
      if let found { return found }
    }
    return nil
  }

  private func order(_ unit: Unit) -> Int64 { Int64(unit.node) << 32 + Int64(unit.unit) }

  private static func operation(of unit: Unit, in nodes: [GraphNode]) -> (
    ScalarFunction.Operation, [Element]
  )? {
    let index = Int(unit.unit)
    switch nodes[Int(unit.node)].kind {
    case .inputs: return nil
    case .activation(let activation, let elements):
      return (.activation(activation), [elements[index]])
    case .function(let operation, let lists, _):
      return (.elementwise(operation), lists.map { $0[index] })
    case .sum(let terms, let bias):
      var elements: [Element] = []
      for term in terms {
        guard case .each(let list) = term else { return nil }
        elements.append(list[index])
      }
      return (.sum(bias: bias[index]), elements)
    }
  }

  /// Of the first affine map of the root that a step reads, so that all units of a layer have the same one.
  private func function(of root: Unit?) -> (root: Element?, function: ScalarFunction) {
    let bottomUp = expanded.reversed()
    func isRoot(_ element: Element) -> Bool {
      root.map { !element.isConstant && element.node == $0.node && element.unit == $0.unit }
        ?? false
    }
    let first = bottomUp.lazy.flatMap(\.operands).first(where: isRoot)
    var places: [Unit: Int] = [:]
    var steps: [ScalarFunction.Step] = []
    for (unit, operation, elements) in bottomUp {
      let operands = elements.map { element -> ScalarFunction.Operand in
        if element.isConstant { return .init(step: -1, a: 0, b: element.b) }
        if let first, isRoot(element) { return Self.operand(element, of: first) }
        let place = places[Unit(node: element.node, unit: element.unit)] ?? 0
        return .init(step: place, a: element.scale, b: element.shift)
      }
      steps.append(.init(operation: operation, operands: operands))
      if let unit { places[unit] = steps.count }
    }
    return (first, ScalarFunction(steps: steps))
  }

  /// An element as an affine map of another one of the same unit; what rounding leaves is cut off, so that equal
  /// functions are found to be equal.
  private static func operand(_ element: Element, of root: Element) -> ScalarFunction.Operand {
    if element == root { return .init(step: 0, a: 1, b: 0) }
    let a = element.scale / root.scale
    let b = element.shift - a * root.shift
    if root.isBare { return .init(step: 0, a: a, b: b) }
    let isNoise = abs(b) <= 1e-12 * max(abs(element.shift), abs(a * root.shift))
    return .init(step: 0, a: rounded(a), b: isNoise ? 0 : rounded(b))
  }

  /// To 40 bits.
  private static func rounded(_ x: Double) -> Double {
    guard x != 0, x.isFinite else { return x }
    let unit = Double(sign: .plus, exponent: x.exponent - 40, significand: 1)
    return (x / unit).rounded() * unit
  }
}
