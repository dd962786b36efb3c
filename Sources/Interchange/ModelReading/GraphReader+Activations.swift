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
    case "Log":
      // ln σ(z) = −softplus(−z), and ln(1 + eᶻ) = softplus(z)
      let x = try features(0)
      var argument = x
      if let sources = preimages(x.elements, .sigmoid) {
        argument.elements = sources.map(\.negated)
        return try negated(activated(.softplus, argument))
      }
      let exponentials = x.elements.map { $0.plus(-1) }
      if let sources = preimages(exponentials, .exponential) {
        argument.elements = sources
        return activated(.softplus, argument)
      }
      throw fail("a logarithm is supported only as that of a sigmoid, or of 1 + eᶻ")
    case "ThresholdedRelu", "Shrink", "Sign", "Floor", "Ceil", "Round":
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

  private mutating func extreme(_ a: GraphValue, _ b: GraphValue) throws(GraphProblem)
    -> GraphValue
  {
    let isMax = node.opType == "Max"
    switch (a, b) {
    case (.features(let x), .constant(let c)), (.constant(let c), .features(let x)):
      if c.isScalar {
        let value = c.values[0]
        if abs(value) > 1e30 || !value.isFinite { return .features(x) }
        return try within(isMax ? value : nil, isMax ? nil : value, x)
      }
    case (.features(let x), .features(let y)):
      // max(z, α z), a leaky ReLU.
      if isMax, x.shape == y.shape {
        if let slope = ratio(y.elements, x.elements), slope < 1 {
          return activated(.leakyRelu(slope: slope), x)
        }
        if let slope = ratio(x.elements, y.elements), slope < 1 {
          return activated(.leakyRelu(slope: slope), y)
        }
      }
    default: break
    }
    let difference = try sum(a, try negated(b))
    guard case .features(let rest) = difference else { throw fail("its operands are constants") }
    let rectified = activated(.relu, rest)
    return isMax ? try sum(b, rectified) : try sum(a, try negated(rectified))
  }

  /// The one number by which all of `a` are `b`; nil where there is none.
  private func ratio(_ a: [Element], _ b: [Element]) -> Double? {
    guard a.count == b.count, let first = zip(a, b).first(where: { !$1.isConstant }) else {
      return nil
    }
    guard let result = Self.ratio(first.0, first.1) else { return nil }
    return zip(a, b).allSatisfy { x, y in
      Self.ratio(x, y).map { abs($0 - result) <= 1e-12 * abs(result) } ?? false
    } ? result : nil
  }

  /// r with a = r b.
  static func ratio(_ a: Element, _ b: Element) -> Double? {
    guard a.node == b.node, a.unit == b.unit, !a.isConstant else { return nil }
    let r = a.scale / b.scale
    return abs(a.shift - r * b.shift) <= 1e-6 * max(abs(a.shift), abs(r * b.shift)) ? r : nil
  }

  /// One of two by a constant choice.
  mutating func choice() throws(GraphProblem) -> GraphValue {
    let condition = try constant(0, "its condition (so that it chooses by value)")
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

  // MARK: Products that are activations

  /// What the units that these elements are are activated from, where they are all bare and of that activation.
  func preimages(_ elements: [Element], _ activation: Activation) -> [Element]? {
    var result: [Element] = []
    for element in elements {
      guard !element.isConstant, element.isBare,
        case .activation(activation, let sources) = nodes[Int(element.node)].kind
      else { return nil }
      result.append(sources[Int(element.unit)])
    }
    return result
  }

  /// x · gate, where the gate is a function of x that makes of it SiLU, GELU, hard swish or Mish.
  mutating func gated(_ x: [Element], by gate: [Element]) -> [Element]? {
    guard let first = gate.first, !first.isConstant,
      case .activation(let function, let sources) = nodes[Int(first.node)].kind,
      gate.allSatisfy({ $0.node == first.node })
    else { return nil }
    // x = ratio · source, one by one.
    var factors: [Double] = []
    var arguments: [Element] = []
    for (value, gate) in zip(x, gate) {
      let source = sources[Int(gate.unit)]
      guard let known = argument(of: function, source, value, gate) else { return nil }
      arguments.append(known.argument)
      factors.append(known.factor)
    }
    guard let name = gatedActivation(function, sources) else { return nil }
    return zip(activated(name, arguments), factors).map { $0.times($1) }
  }

  private func gatedActivation(_ gate: Activation, _ sources: [Element]) -> Activation? {
    switch gate {
    case .sigmoid: .silu
    case .errorFunction: .gelu
    case .clip: .hardSwish
    case .tanh: preimages(sources, .softplus) == nil ? .geluByTanh : .mish
    default: nil
    }
  }

  /// With value · gate = factor · φ(argument), φ the gated activation; nil where it is none.
  private func argument(
    of function: Activation, _ source: Element, _ value: Element, _ gate: Element
  ) -> (argument: Element, factor: Double)? {
    switch function {
    case .sigmoid:
      guard gate.b == 0, let r = Self.ratio(value, source) else { return nil }
      return (source, r * gate.a)
    case .errorFunction:
      // e (1 + erf e) = √2 GELU(√2 e)
      let argument = source.times(2.0.squareRoot()).snapped
      guard abs(gate.b - gate.a) <= 1e-6 * abs(gate.a), let r = Self.ratio(value, argument) else {
        return nil
      }
      return (argument, 2 * r * gate.a)
    case .clip:
      // x · clip(x/6 + ½)
      let argument = source.plus(-0.5).times(6).snapped
      guard gate.b == 0, let r = Self.ratio(value, argument) else { return nil }
      return (argument, r * gate.a)
    case .tanh:
      if let argument = preimages([source], .softplus)?.first {
        guard gate.b == 0, let r = Self.ratio(value, argument) else { return nil }
        return (argument, r * gate.a)
      }
      guard abs(gate.b - gate.a) <= 1e-6 * abs(gate.a), let z = argumentOfGelu(source),
        let r = Self.ratio(value, z)
      else { return nil }
      return (z, 2 * r * gate.a)
    default: return nil
    }
  }

  /// z, where an element is √(2/π)(z + 0.044715 z³).
  private func argumentOfGelu(_ element: Element) -> Element? {
    let c = (2 / Double.pi).squareRoot()
    guard !element.isConstant, case .sum(let terms, _) = nodes[Int(element.node)].kind,
      terms.count == 2, case .each(let first) = terms[0], case .each(let second) = terms[1]
    else { return nil }
    let unit = Int(element.unit)
    for (z, power) in [(first[unit], second[unit]), (second[unit], first[unit])] {
      guard let base = cubes[power.node], unit < base.count, abs(element.b) < 1e-9,
        let r = Self.ratio(z, base[Int(power.unit)])
      else { continue }
      // element.a (r base + power.a base³), with base = z/k
      let k = element.a * r / c
      guard power.b == 0, abs(element.a * power.a - c * 0.044715 * k * k * k) < 1e-5 else {
        continue
      }
      return base[Int(power.unit)].times(k).snapped
    }
    return nil
  }
}
