import LinearAlgebra

/// Products with constant matrices.
extension GraphReader {
  mutating func gemm() throws(GraphProblem) -> GraphValue {
    let tensor = try constant(1, "its second operand, the weights,")
    guard tensor.shape.count == 2 else { throw fail("its second operand must be a constant matrix") }
    var x = try features(0)
    if integer("transA", 0) != 0 {
      guard x.batchAxis == nil, x.shape.count == 2 else {
        throw fail("transA = 1 is not supported: it would multiply samples")
      }
      let (rows, columns) = (x.shape[0], x.shape[1])
      x = Features(
        shape: [columns, rows],
        elements: (0..<(rows * columns)).map { x.elements[$0 % rows * columns + $0 / rows] })
    }
    let (alpha, beta) = (number("alpha", 1), number("beta", 1))
    guard alpha.isFinite, beta.isFinite else {
      throw fail("its numbers overflow, or are not finite")
    }
    var weight = Matrix(rows: tensor.shape[0], columns: tensor.shape[1], elements: tensor.values)
    if integer("transB", 0) == 0 { weight = weight.transposed }
    if alpha != 1 { weight = weight.map { alpha * $0 } }
    guard has(2) else { return .features(try product(weight, x, bias: nil)) }
    switch try operand(2) {
    case .constant(let c):
      guard c.isScalar || c.values.count == weight.rows && c.shape.last == weight.rows else {
        throw fail("a constant of shape \(c.shape) does not fit \(weight.rows) features")
      }
      return .features(
        try product(
          weight, x,
          bias: (0..<weight.rows).map { beta * c.values[c.isScalar ? 0 : $0] }))
    case let other:
      let added = try scaled(other, by: Tensor(shape: [], values: [beta]), divides: false)
      return try sum(.features(try product(weight, x, bias: nil)), added)
    }
  }

  /// W x + b for the last axis of x, once for each place along the others.
  mutating func product(_ weight: Matrix, _ x: Features, bias: [Double]?) throws(GraphProblem)
    -> Features
  {
    guard let width = x.shape.last, width == weight.columns else {
      throw fail(
        "its weights have \(weight.columns) columns, but it reads \(x.shape.last ?? 1) values")
    }
    let count = x.elements.count / width
    var elements: [Element] = []
    for row in 0..<count {
      let part = count == 1 ? x.elements : Array(x.elements[(row * width)..<((row + 1) * width)])
      if row > 0 { try spend(weight.elements.count) }
      elements += add(
        .sum(
          [.product(weight, part)],
          bias: bias ?? Array(repeating: 0, count: weight.rows)), width: weight.rows)
    }
    return Features(
      shape: x.shape.dropLast() + [weight.rows], elements: elements, batchAxis: x.batchAxis)
  }

  mutating func matMul(alpha: Double = 1) throws(GraphProblem) -> GraphValue {
    if node.domain == "com.microsoft",
      integer("transA", 0) != 0 || integer("transBatchA", 0) != 0 || integer("transBatchB", 0) != 0
    { throw fail("it transposes samples") }
    switch (try operand(0), try operand(1)) {
    case (.features(let x), .constant(var tensor)):
      if integer("transB", 0) != 0, tensor.shape.count == 2 {
        let weight = Matrix(rows: tensor.shape[0], columns: tensor.shape[1], elements: tensor.values)
        tensor = Tensor(
          shape: [tensor.shape[1], tensor.shape[0]], values: weight.transposed.elements)
      }
      let result = GraphValue.features(try matMul(x, tensor))
      guard alpha != 1 else { return result }
      return try scaled(result, by: Tensor(shape: [], values: [alpha]), divides: false)
    case (.constant(let tensor), .features(let x)):
      guard tensor.shape.count == 2 else { throw fail("its first operand must be a constant matrix") }
      return .features(try product(of: tensor, columns: x))
    case (.features, .features):
      throw fail(
        "one operand must be a constant matrix: it multiplies computed values, as attention does")
    default: throw fail("its operands are constants of shapes that do not fit")
    }
  }

  /// x · B for a constant B: a vector, a matrix, or several matrices one for each place along earlier axes.
  private mutating func matMul(_ x: Features, _ b: Tensor) throws(GraphProblem) -> Features {
    if b.shape.count <= 1 {
      var result = try product(
        Matrix(rows: 1, columns: b.values.count, elements: b.values), x, bias: nil)
      result.shape.removeLast()
      return result
    }
    let (rows, columns) = (b.shape[b.shape.count - 2], b.shape[b.shape.count - 1])
    let matrices = b.shape.dropLast(2)
    func weight(_ index: Int) -> Matrix {
      let size = rows * columns
      return Matrix(
        rows: rows, columns: columns,
        elements: Array(b.values[(index * size)..<((index + 1) * size)])
      ).transposed
    }
    if Shape.count(Array(matrices)) == 1 {
      var result = try product(weight(0), x, bias: nil)
      let extra = b.shape.count - result.shape.count
      if extra > 0 {
        result.shape = Array(repeating: 1, count: extra) + result.shape
        result.batchAxis = result.batchAxis.map { $0 + extra }
      }
      return result
    }
    guard x.shape.count >= 2, x.shape.last == rows else {
      throw fail("shapes \(x.shape) and \(b.shape) do not fit")
    }
    let lead = Array(x.shape.dropLast(2))
    guard let shape = Shape.broadcast(lead, Array(matrices)),
      Shape.count(shape) * columns <= Self.largestWidth
    else { throw fail("shapes \(x.shape) and \(b.shape) do not fit") }
    let lines = x.shape[x.shape.count - 2]
    let size = lines * rows
    var elements: [Element] = []
    for (a, m) in zip(
      Shape.places(from: lead, in: shape), Shape.places(from: Array(matrices), in: shape))
    {
      try spend(rows * columns)
      let part = Features(
        shape: [lines, rows], elements: Array(x.elements[(a * size)..<((a + 1) * size)]))
      elements += try product(weight(m), part, bias: nil).elements
    }
    let shift = shape.count + 2 - x.shape.count
    return Features(
      shape: shape + [lines, columns], elements: elements, batchAxis: x.batchAxis.map { $0 + shift })
  }

  /// A · x for a constant A: a column of x at a time.
  private mutating func product(of a: Tensor, columns x: Features) throws(GraphProblem) -> Features {
    guard x.shape.count <= 2, x.shape.first == a.shape[1], x.batchAxis != 0 || x.shape.count == 1
    else { throw fail("shapes \(a.shape) and \(x.shape) do not fit") }
    let weight = Matrix(rows: a.shape[0], columns: a.shape[1], elements: a.values)
    let count = x.shape.count == 2 ? x.shape[1] : 1
    var columns: [[Element]] = []
    for column in 0..<count {
      let part = (0..<a.shape[1]).map { x.elements[$0 * count + column] }
      try spend(a.values.count)
      columns.append(try product(weight, Features(shape: [a.shape[1]], elements: part), bias: nil).elements)
    }
    let elements = (0..<a.shape[0]).flatMap { row in columns.map { $0[row] } }
    return Features(
      shape: x.shape.count == 2 ? [a.shape[0], count] : [a.shape[0]], elements: elements,
      batchAxis: x.batchAxis)
  }

  /// Coefficients target by target.
  mutating func linearRegressor() throws(GraphProblem) -> GraphValue {
    let coefficients = attribute("coefficients")?.floats.map { Double($0) } ?? []
    let targets = integer("targets", 1)
    guard (1...Self.largestWidth).contains(targets), !coefficients.isEmpty,
      coefficients.count % targets == 0
    else { throw fail("its \(coefficients.count) coefficients do not fit \(targets) targets") }
    guard [nil, "NONE"].contains(text("post_transform")) else {
      throw fail("it transforms its result (\(text("post_transform") ?? "")); only NONE is supported")
    }
    let intercepts = attribute("intercepts")?.floats.map { Double($0) } ?? []
    guard intercepts.isEmpty || intercepts.count == targets else {
      throw fail("its \(intercepts.count) intercepts do not fit \(targets) targets")
    }
    let weight = Matrix(
      rows: targets, columns: coefficients.count / targets, elements: coefficients)
    return .features(
      try product(weight, try features(0), bias: intercepts.isEmpty ? nil : intercepts))
  }
}
