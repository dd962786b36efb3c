import LinearAlgebra
import Networks

/// Sums, scalings and products of tensors.
extension GraphReader {
  /// Two tensors repeated to one shape: their elements, the shape, and the samples' axis in it.
  func paired(_ a: Features, _ b: Features) throws(GraphProblem) -> (
    a: [Element], b: [Element], shape: [Int], batchAxis: Int?
  ) {
    guard let shape = Shape.broadcast(a.shape, b.shape), Shape.count(shape) <= Self.largestWidth
    else { throw mismatch(a.shape, b.shape) }
    func axis(_ features: Features) -> Int? {
      features.batchAxis.map { $0 + shape.count - features.shape.count }
    }
    return (
      repeated(a, shape), repeated(b, shape), shape, axis(a) ?? axis(b)
    )
  }

  private func mismatch(_ a: [Int], _ b: [Int]) -> GraphProblem {
    fail("shapes \(a) and \(b) do not go together (samples along an axis of length 1)")
  }

  private func repeated(_ features: Features, _ shape: [Int]) -> [Element] {
    features.shape == shape
      ? features.elements
      : Shape.places(from: features.shape, in: shape).map { features.elements[$0] }
  }

  /// A constant for each number of a tensor that it is combined with.
  private func fitted(_ tensor: Tensor, to features: Features) throws(GraphProblem) -> (
    features: Features, values: [Double]
  ) {
    if tensor.isScalar && tensor.shape.count <= features.shape.count {
      return (features, Array(repeating: tensor.values[0], count: features.elements.count))
    }
    guard let shape = Shape.broadcast(features.shape, tensor.shape),
      Shape.count(shape) <= Self.largestWidth
    else { throw mismatch(features.shape, tensor.shape) }
    var result = features
    result.elements = repeated(features, shape)
    result.batchAxis = features.batchAxis.map { $0 + shape.count - features.shape.count }
    result.shape = shape
    if let axis = result.batchAxis, shape[axis] != 1 {
      throw fail(
        "a constant of shape \(tensor.shape) differs from sample to sample; export with any "
          + "number of samples (dynamic axes)")
    }
    return (result, Shape.places(from: tensor.shape, in: shape).map { tensor.values[$0] })
  }

  /// The second operand of elementwise arithmetic. Before operator set 7 its axes are those of the first from
  /// `axis` on.
  func secondOperand() throws(GraphProblem) -> GraphValue {
    let value = try operand(1)
    guard operatorSet < 7, let axis = attribute("axis") else { return value }
    let rank = try operand(0).shape.count
    let start = Int(clamping: axis.i) + (axis.i < 0 ? rank : 0)
    let missing = rank - start - value.shape.count
    guard missing > 0, missing <= rank else { return value }
    let ones = Array(repeating: 1, count: missing)
    switch value {
    case .constant(var tensor):
      tensor.shape += ones
      return .constant(tensor)
    case .features(var features):
      features.shape += ones
      return .features(features)
    case .unreadable: return value
    }
  }

  // MARK: Sums

  mutating func sum(_ a: GraphValue, _ b: GraphValue) throws(GraphProblem) -> GraphValue {
    switch (a, b) {
    case (.constant(let x), .constant(let y)): return .constant(try combine(x, y) { $0 + $1 })
    case (.features(let x), .constant(let c)), (.constant(let c), .features(let x)):
      let (features, values) = try fitted(c, to: x)
      return .features(shifted(features, by: values))
    case (.features(let x), .features(let y)):
      let pair = try paired(x, y)
      return .features(
        Features(
          shape: pair.shape, elements: sum(pair.a, pair.b), batchAxis: pair.batchAxis))
    case (.unreadable(let problem), _), (_, .unreadable(let problem)): throw problem
    }
  }

  mutating func sum(_ a: [Element], _ b: [Element]) -> [Element] {
    // Where one of both is a constant it is a shift.
    if b.allSatisfy(\.isConstant) { return zip(a, b).map { $0.plus($1.b) } }
    if a.allSatisfy(\.isConstant) { return zip(a, b).map { $1.plus($0.b) } }
    return add(
      .sum([.each(a), .each(b)], bias: Array(repeating: 0, count: a.count)), width: a.count)
  }

  /// A constant after a sum is the sum's bias; after a scaling it is a shift.
  private mutating func shifted(_ features: Features, by values: [Double]) -> Features {
    var result = features
    let isBareSum = features.elements.allSatisfy { element in
      guard !element.isConstant, element.isBare else { return false }
      if case .sum = nodes[Int(element.node)].kind { return true }
      return false
    }
    result.elements =
      isBareSum
      ? add(.sum([.each(features.elements)], bias: values), width: values.count)
      : zip(features.elements, values).map { $0.plus($1) }
    return result
  }

  mutating func sumOfAll() throws(GraphProblem) -> GraphValue {
    var total = try operand(0)
    for index in node.input.indices.dropFirst() { total = try sum(total, try operand(index)) }
    guard node.opType == "Mean" else { return total }
    return try scaled(
      total, by: Tensor(shape: [], values: [1 / Double(node.input.count)]), divides: false)
  }

  func negated(_ value: GraphValue) throws(GraphProblem) -> GraphValue {
    switch value {
    case .constant(var tensor):
      tensor.values = tensor.values.map { -$0 }
      return .constant(tensor)
    case .features(var features):
      features.elements = features.elements.map(\.negated)
      return .features(features)
    case .unreadable(let problem): throw problem
    }
  }

  // MARK: Products

  func scaled(_ features: Features, by factor: Double) -> Features {
    var result = features
    result.elements = features.elements.map { $0.times(factor) }
    return result
  }

  func scaled(_ value: GraphValue, by tensor: Tensor, divides: Bool) throws(GraphProblem)
    -> GraphValue
  {
    guard case .features(let x) = value else { return value }
    if divides, tensor.values.contains(0) { throw fail("it scales by zero: it divides by it") }
    let (fitted, values) = try fitted(tensor, to: x)
    var result = fitted
    result.elements = zip(fitted.elements, values).map {
      divides ? $0.dividedBy($1) : $0.times($1)
    }
    return .features(result)
  }

  mutating func product(_ a: GraphValue, _ b: GraphValue) throws(GraphProblem) -> GraphValue {
    switch (a, b) {
    case (.constant(let x), .constant(let y)): return .constant(try combine(x, y) { $0 * $1 })
    case (.features, .constant(let c)): return try scaled(a, by: c, divides: false)
    case (.constant(let c), .features): return try scaled(b, by: c, divides: false)
    case (.features(let x), .features(let y)):
      let pair = try paired(x, y)
      let elements = try product(pair.a, pair.b)
      return .features(Features(shape: pair.shape, elements: elements, batchAxis: pair.batchAxis))
    case (.unreadable(let problem), _), (_, .unreadable(let problem)): throw problem
    }
  }

  /// An activation if it is one, a² where both are the same, else ab = ((a + b)/2)² − ((a − b)/2)².
  private mutating func product(_ a: [Element], _ b: [Element]) throws(GraphProblem) -> [Element] {
    // What is constant in one of both scales the other.
    if zip(a, b).allSatisfy({ $0.isConstant || $1.isConstant }) {
      return zip(a, b).map { $0.isConstant ? $1.times($0.b) : $0.times($1.b) }
    }
    if a == b { return add(.activation(.square, a), width: a.count) }
    if let known = try recognised(.product, [a, b]) { return known }
    if (a + b).contains(where: isOpen) { return open(.product, [a, b]) }
    let halves = a.map { $0.times(0.5) }
    let others = b.map { $0.times(0.5) }
    let sums = sum(halves, others)
    let differences = sum(halves, others.map(\.negated))
    hasProducts = true
    let square = add(.activation(.square, sums), width: a.count)
    let other = add(.activation(.square, differences), width: a.count)
    return sum(square, other.map(\.negated))
  }

  mutating func quotient(_ a: GraphValue, _ b: GraphValue) throws(GraphProblem) -> GraphValue {
    guard case .constant(let c) = b else { return try function(.quotient) }
    if case .constant(let x) = a { return .constant(try combine(x, c) { $0 / $1 }) }
    return try scaled(a, by: c, divides: true)
  }

  mutating func power() throws(GraphProblem) -> GraphValue {
    guard case .constant(let exponent) = try operand(1) else { return try function(.power) }
    let x = try features(0)
    guard exponent.isScalar else { return try function(.power) }
    switch exponent.values[0] {
    case 1: return .features(x)
    case 2: return activated(.square, x)
    case 3:
      return try product(.features(x), activated(.square, x))
    default: return try function(.power)
    }
  }

  mutating func reduce() throws(GraphProblem) -> GraphValue {
    let x = try features(0)
    let axes = try list(1, "axes")
    if axes == nil && integer("noop_with_empty_axes", 0) != 0 { return .features(x) }
    var reduced: Set<Int> = []
    for axis in axes ?? Array(x.shape.indices) {
      reduced.insert(try self.axis(axis, rank: x.shape.count))
    }
    if let axis = x.batchAxis, reduced.contains(axis) {
      throw fail("it takes samples together; only features can be")
    }
    let keeps = integer("keepdims", 1) != 0
    let kept = x.shape.indices.map { reduced.contains($0) ? 1 : x.shape[$0] }
    var groups = [[Element]](repeating: [], count: Shape.count(kept))
    let strides = Shape.strides(kept)
    let places = Shape.walk(
      x.shape, x.shape.indices.map { reduced.contains($0) ? 0 : strides[$0] }, start: 0)
    for (element, place) in zip(x.elements, places) { groups[place].append(element) }
    try spend(x.elements.count)
    let elements =
      switch node.opType {
      case "ReduceSum", "ReduceMean": totals(groups, isMean: node.opType == "ReduceMean")
      case "ReduceProd":
        try folded(groups) { reader, a, b throws(GraphProblem) in try reader.product(a, b) }
      default:
        try folded(groups) { reader, a, b throws(GraphProblem) in
          let extreme = try reader.extreme(
            .features(Features(shape: [a.count], elements: a)),
            .features(Features(shape: [b.count], elements: b)))
          guard case .features(let result) = extreme else { return a }
          return result.elements
        }
      }
    let shape = keeps ? kept : x.shape.indices.filter { !reduced.contains($0) }.map { x.shape[$0] }
    let batchAxis = x.batchAxis.map { axis in
      keeps ? axis : axis - reduced.count { $0 < axis }
    }
    return .features(Features(shape: shape, elements: elements, batchAxis: batchAxis))
  }

  /// One row of ones for each group of numbers.
  private mutating func totals(_ groups: [[Element]], isMean: Bool) -> [Element] {
    groups.flatMap { group in
      let factor = isMean ? 1 / Double(group.count) : 1
      let row = Matrix(rows: 1, columns: group.count) { _, _ in factor }
      return add(.sum([.product(row, group)], bias: [0]), width: 1)
    }
  }

  /// The groups' first numbers with their second ones, with their third ones and so on.
  private mutating func folded(
    _ groups: [[Element]],
    by combine: (inout GraphReader, [Element], [Element]) throws(GraphProblem) -> [Element]
  ) throws(GraphProblem) -> [Element] {
    guard let first = groups.first, !first.isEmpty else { throw fail("it has no values") }
    var result = groups.map { $0[0] }
    for index in first.indices.dropFirst() {
      result = try combine(&self, result, groups.map { $0[index] })
    }
    return result
  }

  // MARK: Normalisation

  /// scale (x − mean)/√(variance + ε) + shift along axis 1, with the numbers of the training.
  mutating func batchNormalisation() throws(GraphProblem) -> GraphValue {
    guard integer("training_mode", 0) == 0, node.output.dropFirst().allSatisfy(\.isEmpty) else {
      throw fail("it is in training mode; export the model in evaluation mode")
    }
    let x = try features(0)
    let scale = try constant(1, "its scale").values
    let shift = try constant(2, "its shift").values
    let mean = try constant(3, "its mean").values
    let variance = try constant(4, "its variance").values
    let epsilon = number("epsilon", 1e-5)
    let width = scale.count
    let axis = x.shape.count > 1 ? 1 : 0
    guard x.shape.indices.contains(axis), x.shape[axis] == width,
      [shift, mean, variance].allSatisfy({ $0.count == width })
    else { throw fail("its \(width) features do not fit the shape \(x.shape)") }
    var result = x
    let step = Shape.strides(x.shape)[axis]
    result.elements = x.elements.enumerated().map { index, element in
      let feature = index / step % width
      let factor = scale[feature] / (variance[feature] + epsilon).squareRoot()
      return element.times(factor).plus(shift[feature] - mean[feature] * factor)
    }
    remarks.add("BatchNormalization is folded into the weights around it")
    return .features(result)
  }

  /// (x − offset) · scale
  mutating func scaler() throws(GraphProblem) -> GraphValue {
    let offset = attribute("offset")?.floats.map { Double($0) } ?? [0]
    let scale = attribute("scale")?.floats.map { Double($0) } ?? [1]
    let x = try operand(0)
    let centred = try sum(
      x, .constant(Tensor(shape: [offset.count], values: offset.map { -$0 })))
    return try product(centred, .constant(Tensor(shape: [scale.count], values: scale)))
  }
}
