import Dynamics
import LinearAlgebra
import Networks

/// What each operator makes of its operands.
extension GraphReader {
  mutating func gemm() throws(GraphProblem) -> GraphValue {
    guard case .constant(let tensor) = try operand(1), tensor.shape.count == 2 else {
      throw fail("its second operand must be a constant matrix")
    }
    guard attribute("transA")?.i ?? 0 == 0 else { throw fail("transA = 1 is not supported") }
    let alpha = attribute("alpha").map { Double($0.f) } ?? 1
    let beta = attribute("beta").map { Double($0.f) } ?? 1
    var weight = Matrix(rows: tensor.shape[0], columns: tensor.shape[1], elements: tensor.values)
    if attribute("transB")?.i ?? 0 == 0 { weight = weight.transposed }
    if alpha != 1 { weight = weight.map { alpha * $0 } }
    var bias = [Double](repeating: 0, count: weight.rows)
    let hasBias = node.input.count > 2 && !node.input[2].isEmpty
    if hasBias {
      guard case .constant(let tensor) = try operand(2) else {
        throw fail("its third operand must be constant")
      }
      bias = try vector(tensor, width: weight.rows).map { beta * $0 }
    }
    // First, because it may add a layer of which `product` must know.
    let sources = try sources(try operand(0))
    return .affine(try product(sources, weight, bias: bias))
  }

  mutating func matMul() throws(GraphProblem) -> GraphValue {
    guard case .constant(let tensor) = try operand(1), tensor.shape.count == 2 else {
      throw fail("its second operand must be a constant matrix")
    }
    let weight = Matrix(rows: tensor.shape[0], columns: tensor.shape[1], elements: tensor.values)
      .transposed
    let bias = [Double](repeating: 0, count: weight.rows)
    // First, because it may add a layer of which `product` must know.
    let sources = try sources(try operand(0))
    return .affine(try product(sources, weight, bias: bias))
  }

  mutating func add(sign: Double) throws(GraphProblem) -> GraphValue {
    let (a, b) = (try operand(0), try operand(1))
    switch (a, b) {
    case (.constant(let x), .constant(let y)):
      return .constant(try combine(x, y) { $0 + sign * $1 })
    case (_, .constant(let c)): return try shift(a, by: c, sign: sign)
    case (.constant(let c), _):
      return sign == 1 ? try shift(b, by: c, sign: 1) : try shift(try negated(b), by: c, sign: 1)
    default:
      let left = try affine(a)
      var right = try affine(b)
      guard left.bias.count == right.bias.count else {
        throw fail("it adds \(left.bias.count) and \(right.bias.count) values")
      }
      if sign < 0 {
        for index in right.connections.indices {
          right.connections[index].weight = right.connections[index].weight.map { -$0 }
        }
        right.bias = right.bias.map { -$0 }
      }
      return .affine(
        AffineValue(
          connections: merged(left.connections, right.connections),
          bias: zip(left.bias, right.bias).map { $0 + $1 },
          name: left.name.isEmpty ? right.name : left.name))
    }
  }

  mutating func negated(_ value: GraphValue) throws(GraphProblem) -> GraphValue {
    try scale(value, by: Tensor(shape: [], values: [-1]), divide: false)
  }

  mutating func shift(_ value: GraphValue, by tensor: Tensor, sign: Double)
    throws(GraphProblem) -> GraphValue
  {
    switch value {
    case .input(let scaling):
      // (x − μ)/σ + c = (x − (μ − σ c))/σ
      let c = try vector(tensor, width: scaling.count)
      let mean = zip(scaling.mean, zip(scaling.deviation, c)).map { $0 - sign * $1.0 * $1.1 }
      return .input(Standardisation(mean: mean, deviation: scaling.deviation))
    case .scaled(let layers, let scaling):
      let c = try vector(tensor, width: scaling.count)
      return .scaled(
        layers: layers,
        Standardisation(
          mean: zip(scaling.mean, c).map { $0 + sign * $1 }, deviation: scaling.deviation))
    default:
      var result = try affine(value)
      let c = try vector(tensor, width: result.bias.count)
      result.bias = zip(result.bias, c).map { $0 + sign * $1 }
      result.node = nil
      return .affine(result)
    }
  }

  mutating func multiply() throws(GraphProblem) -> GraphValue {
    let (a, b) = (try operand(0), try operand(1))
    switch (a, b) {
    case (.constant(let x), .constant(let y)): return .constant(try combine(x, y) { $0 * $1 })
    case (_, .constant(let c)): return try scale(a, by: c, divide: false)
    case (.constant(let c), _): return try scale(b, by: c, divide: false)
    case (_, .sigmoid(let name)) where name == node.input[0]:
      return .sources([.layer(layer(try affine(a), activation: .silu))])
    case (.sigmoid(let name), _) where name == node.input[1]:
      return .sources([.layer(layer(try affine(b), activation: .silu))])
    case (_, _) where node.input[0] == node.input[1]:
      return .sources([.layer(layer(try affine(a), activation: .square))])
    default:
      throw fail("a product of two computed values is supported only as SiLU or as a square")
    }
  }

  mutating func divide() throws(GraphProblem) -> GraphValue {
    let (a, b) = (try operand(0), try operand(1))
    guard case .constant(let c) = b else { throw fail("only division by a constant is supported") }
    if case .constant(let x) = a { return .constant(try combine(x, c) { $0 / $1 }) }
    return try scale(a, by: c, divide: true)
  }

  mutating func scale(_ value: GraphValue, by tensor: Tensor, divide: Bool)
    throws(GraphProblem) -> GraphValue
  {
    guard tensor.values.allSatisfy({ $0 != 0 }) else { throw fail("it scales by zero") }
    switch value {
    case .input(let scaling):
      let c = try vector(tensor, width: scaling.count)
      let deviation = zip(scaling.deviation, c).map { divide ? $0 * $1 : $0 / $1 }
      return .input(Standardisation(mean: scaling.mean, deviation: deviation))
    case .scaled(let layers, let scaling):
      let c = try vector(tensor, width: scaling.count).map { divide ? 1 / $0 : $0 }
      return .scaled(
        layers: layers,
        Standardisation(
          mean: zip(scaling.mean, c).map { $0 * $1 },
          deviation: zip(scaling.deviation, c).map { $0 * $1 }))
    default:
      var layers: [Int] = []
      for source in try sources(value) {
        guard case .layer(let index) = source else {
          throw fail("the input is scaled in two different ways, which is not supported")
        }
        layers.append(index)
      }
      let count = layers.reduce(0) { $0 + self.layers[$1].unitCount }
      let c = try vector(tensor, width: count).map { divide ? 1 / $0 : $0 }
      return .scaled(
        layers: layers,
        Standardisation(mean: Array(repeating: 0, count: count), deviation: c))
    }
  }

  mutating func concatenate() throws(GraphProblem) -> GraphValue {
    let axis = attribute("axis")?.i ?? 1
    guard axis == 1 || axis == -1 else { throw fail("axis \(axis): only features can be joined") }
    var joined: [Network.Source] = []
    for index in node.input.indices { joined += try sources(try operand(index)) }
    guard (1...Self.largestWidth).contains(joined.reduce(0) { $0 + width($1) }) else {
      throw fail("it joins no values, or more than \(Self.largestWidth)")
    }
    return .sources(joined)
  }
}
