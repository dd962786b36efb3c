import LinearAlgebra

/// Arithmetic on constants, which exporters leave in graphs for shapes and for scalings.
extension GraphReader {
  func constantOfNode() throws(GraphProblem) -> Tensor {
    if let tensor = attribute("value"), tensor.hasT { return try tensors.read(tensor.t) }
    if let sparse = attribute("sparse_value"), sparse.hasSparseTensor {
      return try tensors.read(sparse.sparseTensor)
    }
    if let number = attribute("value_float") {
      return Tensor(shape: [], values: [Double(number.f)])
    }
    if let list = attribute("value_floats") {
      return Tensor(shape: [list.floats.count], values: list.floats.map { Double($0) })
    }
    if let number = attribute("value_int") {
      return Tensor(shape: [], values: [Double(number.i)], type: .int64)
    }
    if let list = attribute("value_ints") {
      return Tensor(shape: [list.ints.count], values: list.ints.map { Double($0) }, type: .int64)
    }
    throw fail("its value is not a tensor of numbers")
  }

  func combine(_ a: Tensor, _ b: Tensor, _ operation: (Double, Double) -> Double)
    throws(GraphProblem) -> Tensor
  {
    guard let shape = Shape.broadcast(a.shape, b.shape), Shape.count(shape) <= 1 << 26 else {
      throw fail("constants of shapes \(a.shape) and \(b.shape) do not go together")
    }
    let type = a.type.isFloat ? a.type : b.type.isFloat && a.isScalar ? b.type : a.type
    let values: [Double]
    if a.shape == b.shape {
      values = zip(a.values, b.values).map(operation)
    } else if b.isScalar {
      values = a.values.map { operation($0, b.values[0]) }
    } else if a.isScalar {
      values = b.values.map { operation(a.values[0], $0) }
    } else {
      values = zip(Shape.places(from: a.shape, in: shape), Shape.places(from: b.shape, in: shape))
        .map { operation(a.values[$0], b.values[$1]) }
    }
    return Tensor(shape: shape, values: values, type: type)
  }

  /// The result of a node whose operands are all constant; nil where this operator has no rule here, so that it is
  /// read as an operator on computed values.
  mutating func foldedConstant(_ operands: [Tensor?]) throws(GraphProblem) -> GraphValue? {
    guard let first = operands[0] else { return nil }
    let second = operands.count > 1 ? operands[1] : nil
    func each(_ function: (Double) -> Double) -> GraphValue {
      .constant(Tensor(shape: first.shape, values: first.values.map(function), type: first.type))
    }
    func both(_ function: (Double, Double) -> Double) throws(GraphProblem) -> GraphValue? {
      guard let second else { throw fail("it lacks operand 2") }
      return .constant(try combine(first, second, function))
    }
    func compared(_ function: (Double, Double) -> Bool) throws(GraphProblem) -> GraphValue? {
      guard let second else { throw fail("it lacks operand 2") }
      var result = try combine(first, second) { function($0, $1) ? 1 : 0 }
      result.type = .bool
      return .constant(result)
    }
    switch node.opType {
    case "Add": return try both { $0 + $1 }
    case "Sub": return try both { $0 - $1 }
    case "Mul": return try both { $0 * $1 }
    case "Div":
      let isWhole = !first.type.isFloat
      return try both { isWhole ? ($0 / $1).rounded(.towardZero) : $0 / $1 }
    case "Mod": return try both { $0 - $1 * ($0 / $1).rounded(.down) }
    case "Pow": return try both { Double.pow($0, $1) }
    case "Max": return try both { max($0, $1) }
    case "Min": return try both { min($0, $1) }
    case "Equal": return try compared { $0 == $1 }
    case "Greater": return try compared { $0 > $1 }
    case "Less": return try compared { $0 < $1 }
    case "GreaterOrEqual": return try compared { $0 >= $1 }
    case "LessOrEqual": return try compared { $0 <= $1 }
    case "And": return try compared { $0 != 0 && $1 != 0 }
    case "Or": return try compared { $0 != 0 || $1 != 0 }
    case "Not": return each { $0 == 0 ? 1 : 0 }
    case "Neg": return each { -$0 }
    case "Abs": return each { abs($0) }
    case "Sqrt": return each { $0.squareRoot() }
    case "Reciprocal": return each { 1 / $0 }
    case "Exp": return each { Double.exp($0) }
    case "Log": return each { Double.log($0) }
    case "Floor": return each { $0.rounded(.down) }
    case "Ceil": return each { $0.rounded(.up) }
    case "Round": return each { $0.rounded(.toNearestOrEven) }
    case "Sign": return each { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case "Relu": return each { max($0, 0) }
    case "Sigmoid": return each { 1 / (1 + Double.exp(-$0)) }
    case "Tanh": return each { Double.tanh($0) }
    case "Softplus": return each { Double.log(onePlus: Double.exp($0)) }
    case "Cast":
      let code = Int32(clamping: integer("to", 1))
      guard let type = ElementType(rawValue: code), type.bits != nil else {
        throw fail("it makes \(ElementType.words(of: code)), which is not supported")
      }
      var result = first
      if !type.isFloat { result.values = first.values.map { $0.rounded(.towardZero) } }
      result.type = type
      return .constant(result)
    case "Where":
      guard let second, operands.count > 2, let third = operands[2] else {
        throw fail("it lacks an operand")
      }
      let chosen = try combine(first, second) { $0 != 0 ? $1 : .nan }
      return .constant(try combine(chosen, third) { $0.isNaN ? $1 : $0 })
    case "Range":
      guard let second, operands.count > 2, let step = operands[2], first.isScalar,
        second.isScalar, step.isScalar, step.values[0] != 0
      else { throw fail("its bounds must be numbers") }
      let count = ((second.values[0] - first.values[0]) / step.values[0]).rounded(.up)
      guard count >= 1, count <= Double(Self.largestWidth) else {
        throw fail("it is empty or too long")
      }
      let values = (0..<Int(count)).map { first.values[0] + Double($0) * step.values[0] }
      return .constant(Tensor(shape: [values.count], values: values, type: first.type))
    case "ConstantOfShape":
      let shape = first.integers
      guard shape.allSatisfy({ (1...Self.largestWidth).contains($0) }),
        shape.reduce(1.0, { $0 * Double($1) }) <= Double(Self.largestWidth)
      else { throw fail("the shape \(shape) is empty or too large") }
      let value = try attribute("value").map { a throws(GraphProblem) in try tensors.read(a.t) }
      return .constant(
        Tensor(
          shape: shape,
          values: Array(repeating: value?.values.first ?? 0, count: Shape.count(shape)),
          type: value?.type ?? .float))
    case "ReduceProd", "ReduceMax", "ReduceMin":
      guard integer("keepdims", 1) == 0 || first.shape.count <= 1 else { return nil }
      let keeps = integer("keepdims", 1) != 0
      let value: Double =
        switch node.opType {
        case "ReduceProd": first.values.reduce(1, *)
        case "ReduceMax": first.values.max() ?? 0
        default: first.values.min() ?? 0
        }
      return .constant(Tensor(shape: keeps ? [1] : [], values: [value], type: first.type))
    case "DequantizeLinear", "QuantizeLinear":
      remarks.add("quantised weights are read as the numbers that they stand for")
      return .constant(try quantised(first, second, operands.count > 2 ? operands[2] : nil))
    case "Concat": return .constant(try joinedConstants(operands))
    case "MatMul":
      guard let second, first.shape.count == 2, second.shape.count == 2,
        first.shape[1] == second.shape[0]
      else { throw fail("constants of these shapes are not multiplied here") }
      try spend(first.values.count + second.values.count)
      let a = Matrix(rows: first.shape[0], columns: first.shape[1], elements: first.values)
      let b = Matrix(rows: second.shape[0], columns: second.shape[1], elements: second.values)
      guard a.rows * a.columns * b.columns <= 1 << 32 else {
        throw fail("it is too large to be folded")
      }
      return .constant(Tensor(shape: [a.rows, b.columns], values: (a * b).elements))
    default: return nil
    }
  }

  /// (q − zero) · scale, or its inverse, for the whole tensor, along an axis or in blocks of one.
  private func quantised(_ x: Tensor, _ scale: Tensor?, _ zero: Tensor?) throws(GraphProblem)
    -> Tensor
  {
    guard let scale else { throw fail("it lacks its scale") }
    let places: [Int]
    if scale.isScalar {
      places = Array(repeating: 0, count: x.values.count)
    } else {
      let axis = try axis(integer("axis", 1), rank: x.shape.count)
      let block = integer("block_size", 0)
      let isBlocked = block > 0
      guard x.shape.indices.contains(axis),
        isBlocked ? scale.shape.count == x.shape.count : scale.values.count == x.shape[axis]
      else { throw fail("its \(scale.values.count) scales do not fit the shape \(x.shape)") }
      if isBlocked {
        let own = Shape.strides(scale.shape)
        let strides = Shape.strides(x.shape)
        guard
          x.shape.indices.allSatisfy({
            $0 == axis
              ? (x.shape[$0] + block - 1) / block == scale.shape[$0]
              : x.shape[$0] == scale.shape[$0]
          })
        else { throw fail("its scales do not fit the shape \(x.shape) in blocks of \(block)") }
        places = x.values.indices.map { index in
          x.shape.indices.reduce(0) { place, a in
            let at = index / strides[a] % x.shape[a]
            return place + (a == axis ? at / block : at) * own[a]
          }
        }
      } else {
        let step = Shape.strides(x.shape)[axis]
        places = x.values.indices.map { $0 / step % x.shape[axis] }
      }
    }
    if let zero, zero.values.count != scale.values.count, !zero.isScalar {
      throw fail("its zero points do not fit its scales")
    }
    let zeros = places.map { place -> Double in
      guard let zero else { return 0 }
      return zero.values[zero.isScalar ? 0 : place]
    }
    var result = x
    let isDecoding = node.opType == "DequantizeLinear"
    if isDecoding {
      result.values = x.values.indices.map { (x.values[$0] - zeros[$0]) * scale.values[places[$0]] }
      result.type = .float
    } else {
      let type = zero?.type ?? .uint8
      let bounds: ClosedRange<Double> =
        switch type {
        case .int4: -8...7
        case .uint4: 0...15
        case .int8: -128...127
        case .uint8: 0...255
        case .int16: -32768...32767
        case .uint16: 0...65535
        default: -2_147_483_648...2_147_483_647
        }
      result.values = x.values.indices.map {
        let q = (x.values[$0] / scale.values[places[$0]]).rounded(.toNearestOrEven) + zeros[$0]
        return min(max(q, bounds.lowerBound), bounds.upperBound)
      }
      result.type = type
    }
    return result
  }

  private func joinedConstants(_ operands: [Tensor?]) throws(GraphProblem) -> Tensor {
    let parts = operands.compactMap { $0 }
    guard let first = parts.first else { throw fail("it joins no values, or more than it may") }
    let axis = try axis(integer("axis", 1), rank: first.shape.count)
    guard first.shape.indices.contains(axis),
      parts.allSatisfy({ part in
        part.shape.count == first.shape.count
          && part.shape.indices.allSatisfy { $0 == axis || part.shape[$0] == first.shape[$0] }
      })
    else { throw fail("constants of different shapes are joined") }
    let before = Shape.count(Array(first.shape[..<axis]))
    guard parts.reduce(0, { $0 + $1.values.count }) <= 1 << 26 else {
      throw fail("it is too large")
    }
    var values: [Double] = []
    for row in 0..<before {
      for part in parts {
        let size = part.values.count / before
        values += part.values[(row * size)..<((row + 1) * size)]
      }
    }
    var shape = first.shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    return Tensor(shape: shape, values: values, type: first.type)
  }
}
