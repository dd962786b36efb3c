import LinearAlgebra
import Networks

/// Activations, and the arithmetic by which exporters express some of them.
extension GraphReader {
  mutating func activated(_ activation: Activation, _ x: Features) -> GraphValue {
    var result = x
    result.elements = activated(activation, x.elements)
    return .features(result)
  }

  mutating func activated(_ activation: Activation, _ elements: [Element]) -> [Element] {
    if elements.allSatisfy(\.isConstant) {
      return elements.map { .constant(activation.value($0.b)) }
    }
    return add(.activation(activation, elements), width: elements.count)
  }

  mutating func applied(_ activation: Activation, to value: GraphValue) throws(GraphProblem)
    -> GraphValue
  {
    guard case .features(let x) = value else { throw fail("it activates a constant") }
    return activated(activation, x)
  }

  static func activation(named name: String, alpha: Double) -> Activation? {
    switch name {
    case "Relu": .relu
    case "Tanh": .tanh
    case "Sigmoid": .sigmoid
    case "LeakyRelu": .leakyRelu(slope: alpha)
    case "Elu": .elu(scale: alpha)
    case "Softplus": .softplus
    case "Softsign": .softsign
    case "HardSwish": .hardSwish
    case "Mish": .mish
    case "Erf": .errorFunction
    case "Exp": .exponential
    case "Sin": .sine
    case "Cos": .cosine
    default: nil
    }
  }

  /// Nil where the node's operator is not an elementwise activation.
  mutating func elementwiseActivation() throws(GraphProblem) -> GraphValue? {
    let name = node.opType
    switch name {
    case "LeakyRelu": return activated(.leakyRelu(slope: number("alpha", 0.01)), try features(0))
    case "Elu": return activated(.elu(scale: number("alpha", 1)), try features(0))
    case "Gelu":
      return activated(text("approximate") == "tanh" ? .geluByTanh : .gelu, try features(0))
    case "HardSigmoid":
      let x = scaled(try features(0), by: number("alpha", 0.2))
      return activated(.clip, shifted(x, by: number("beta", 0.5)))
    case "Celu":
      // α ELU(z/α)
      let alpha = number("alpha", 1)
      guard alpha != 0 else { throw fail("its alpha is 0") }
      return try scaledResult(
        activated(.elu(scale: 1), scaled(try features(0), by: 1 / alpha)), alpha)
    case "Selu":
      let (alpha, gamma) = (number("alpha", 1.67326319), number("gamma", 1.05070102))
      let isUsual = abs(alpha - 1.6732632) < 1e-6 && abs(gamma - 1.0507010) < 1e-6
      if isUsual { return activated(.selu, try features(0)) }
      return try scaledResult(activated(.elu(scale: alpha), try features(0)), gamma)
    case "Swish":
      let alpha = number("alpha", 1)
      guard alpha != 0 else { throw fail("its alpha is 0") }
      return try scaledResult(activated(.silu, scaled(try features(0), by: alpha)), 1 / alpha)
    case "ThresholdedRelu", "Shrink", "Floor", "Ceil", "Round":
      throw fail("this function jumps, so that it has no slope there; it is not supported")
    default:
      guard let activation = Self.activation(named: name, alpha: number("alpha", 1)) else {
        return nil
      }
      return activated(activation, try features(0))
    }
  }

  private func scaledResult(_ value: GraphValue, _ factor: Double) throws(GraphProblem)
    -> GraphValue
  {
    try scaled(value, by: Tensor(shape: [], values: [factor]), divides: false)
  }

  private func shifted(_ x: Features, by value: Double) -> Features {
    var result = x
    result.elements = x.elements.map { $0.plus(value) }
    return result
  }

  /// z within bounds; ReLU6 is one.
  mutating func clip() throws(GraphProblem) -> GraphValue {
    func bound(_ index: Int, _ name: String) throws(GraphProblem) -> Double? {
      let value: Double
      if has(index) {
        let tensor = try constant(index, "its bound")
        guard tensor.isScalar else { throw fail("its bound must be one number") }
        value = tensor.values[0]
      } else if let attribute = attribute(name) {
        value = Double(attribute.f)
      } else {
        return nil
      }
      // What stands for "no bound" in some exporters.
      return value.isFinite && abs(value) < 1e30 ? value : nil
    }
    return try within(try bound(1, "min"), try bound(2, "max"), try features(0))
  }

  mutating func within(_ low: Double?, _ high: Double?, _ x: Features) throws(GraphProblem)
    -> GraphValue
  {
    switch (low, high) {
    case (nil, nil): return .features(x)
    case (let low?, nil):
      guard low != 0 else { return activated(.relu, x) }
      return try added(activated(.relu, shifted(x, by: -low)), low)
    case (nil, let high?):
      // high − relu(high − x)
      let rest = shifted(scaled(x, by: -1), by: high)
      return try added(try negated(activated(.relu, rest)), high)
    case (let low?, let high?):
      guard low < high else { throw fail("its bounds are \(low) and \(high)") }
      let unit = activated(.clip, scaled(shifted(x, by: -low), by: 1 / (high - low)))
      return try added(try scaledResult(unit, high - low), low)
    }
  }

  private mutating func added(_ value: GraphValue, _ number: Double) throws(GraphProblem)
    -> GraphValue
  {
    number == 0 ? value : try sum(value, .constant(Tensor(shape: [], values: [number])))
  }

  /// max(a, b) = b + relu(a − b), and min(a, b) = a − relu(a − b).
  mutating func extreme() throws(GraphProblem) -> GraphValue {
    var result = try operand(0)
    for index in node.input.indices.dropFirst() {
      result = try extreme(result, try operand(index))
    }
    return result
  }

  mutating func extreme(_ a: GraphValue, _ b: GraphValue) throws(GraphProblem)
    -> GraphValue
  {
    let isMax = node.opType.hasSuffix("Max")
    // A clip, or max(z, α z), a leaky ReLU.
    func bend(_ x: Features, _ y: Features) throws(GraphProblem) -> GraphValue? {
      let pair = try paired(x, y)
      return try recognised(isMax ? .maximum : .minimum, [pair.a, pair.b]).map {
        .features(Features(shape: pair.shape, elements: $0, batchAxis: pair.batchAxis))
      }
    }
    switch (a, b) {
    case (.features(let x), .constant(let c)), (.constant(let c), .features(let x)):
      if c.isScalar, abs(c.values[0]) > 1e30 { return .features(x) }
      let constants = Features(shape: c.shape, elements: c.values.map(Element.constant))
      if let known = try bend(x, constants) { return known }
    case (.features(let x), .features(let y)):
      if let known = try bend(x, y) { return known }
    default: break
    }
    let difference = try sum(a, try negated(b))
    guard case .features(let rest) = difference else { throw fail("its operands are constants") }
    let rectified = activated(.relu, rest)
    return isMax ? try sum(b, rectified) : try sum(a, try negated(rectified))
  }

  /// One of two, by a constant choice or by value.
  mutating func choice() throws(GraphProblem) -> GraphValue {
    guard case .constant(let condition) = try operand(0) else { return try function(.choice) }
    let (a, b) = (try features(1), try features(2))
    let pair = try paired(a, b)
    guard let shape = Shape.broadcast(pair.shape, condition.shape), shape == pair.shape else {
      throw fail("shapes \(pair.shape) and \(condition.shape) do not go together")
    }
    let places = Shape.places(from: condition.shape, in: shape)
    return .features(
      Features(
        shape: shape,
        elements: places.indices.map {
          condition.values[places[$0]] != 0 ? pair.a[$0] : pair.b[$0]
        }, batchAxis: pair.batchAxis))
  }

  /// A slope below zero for each channel.
  mutating func leakyByChannel() throws(GraphProblem) -> GraphValue {
    let x = try features(0)
    let slopes = try constant(1, "its slope")
    if let first = slopes.values.first, slopes.values.allSatisfy({ $0 == first }) {
      return activated(.leakyRelu(slope: first), x)
    }
    // relu(z) − a relu(−z)
    let below = try scaled(activated(.relu, scaled(x, by: -1)), by: slopes, divides: false)
    return try sum(activated(.relu, x), try negated(below))
  }
}
