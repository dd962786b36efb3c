/// Operators that rearrange values without changing them.
extension GraphReader {
  /// Where each value of the result comes from (−1: a zero), and its shape.
  struct Move {
    var shape: [Int]
    var places: [Int]
    /// Of each axis which one it was (−1: a new one), where that is known.
    var origin: [Int]?
  }

  mutating func moved() throws(GraphProblem) -> GraphValue {
    let value = try operand(0)
    let batchAxis: Int?
    if case .features(let features) = value {
      batchAxis = features.batchAxis
    } else {
      batchAxis = nil
    }
    let move = try self.move(value.shape, batchAxis)
    try spend(move.places.count)
    return apply(move, to: value, batchAxis: axis(batchAxis, of: value.shape, after: move))
  }

  func apply(_ move: Move, to value: GraphValue, batchAxis: Int?) -> GraphValue {
    switch value {
    case .constant(let tensor):
      return .constant(
        Tensor(
          shape: move.shape, values: move.places.map { $0 < 0 ? 0 : tensor.values[$0] },
          type: tensor.type))
    case .features(let features):
      let isSame = move.places.count == features.elements.count && isInOrder(move.places)
      return .features(
        Features(
          shape: move.shape,
          elements: isSame
            ? features.elements
            : move.places.map { $0 < 0 ? .constant(0) : features.elements[$0] },
          batchAxis: batchAxis))
    case .unreadable: return value
    }
  }

  private func isInOrder(_ places: [Int]) -> Bool {
    for (index, place) in places.enumerated() where index != place { return false }
    return true
  }

  /// Operators that leave the axes in their order.
  private var moving: [String] { ["Slice", "Gather", "Tile", "Pad", "GatherElements"] }

  /// Where the samples' axis has gone.
  private func axis(_ old: Int?, of shape: [Int], after move: Move) -> Int? {
    guard let old else { return nil }
    if let origin = move.origin { return origin.firstIndex(of: old) }
    switch node.opType {
    case "Expand": return old + move.shape.count - shape.count
    case _ where moving.contains(node.opType) && move.shape.count == shape.count: return old
    default:
      // The axis of length 1 with as many values before it as the old one had.
      let before = Shape.count(Array(shape[..<old]))
      var count = 1
      for (axis, length) in move.shape.enumerated() {
        if count == before && length == 1 { return axis }
        count *= length
      }
      return nil
    }
  }

  func axis(_ axis: Int, rank: Int) throws(GraphProblem) -> Int {
    let result = axis < 0 ? axis + rank : axis
    guard (0..<max(1, rank)).contains(result) else {
      throw fail("axis \(axis) of a tensor of \(rank) axes")
    }
    return result
  }

  /// A list of integers from an operand or, in earlier operator sets, an attribute.
  func list(_ index: Int, _ name: String) throws(GraphProblem) -> [Int]? {
    if has(index) { return try constant(index, name).integers }
    return attribute(name).map { $0.ints.map { Int(clamping: $0) } }
  }

  private func move(_ shape: [Int], _ batchAxis: Int?) throws(GraphProblem) -> Move {
    func reshaped(_ new: [Int]) -> Move {
      Move(shape: new, places: Array(0..<Shape.count(new)))
    }
    func keeping(_ axes: [Int]) -> Move {
      var move = reshaped(axes.map { $0 < 0 ? 1 : shape[$0] })
      move.origin = axes
      return move
    }
    switch node.opType {
    case "Reshape": return reshaped(try reshapedShape(shape, isBatched: batchAxis == 0))
    case "Flatten":
      let at = integer("axis", 1)
      let cut = at < 0 ? at + shape.count : at
      guard (0...shape.count).contains(cut) else { throw fail("axis \(at) of \(shape)") }
      return reshaped([Shape.count(Array(shape[..<cut])), Shape.count(Array(shape[cut...]))])
    case "Squeeze":
      guard let axes = try list(1, "axes") else {
        return keeping(shape.indices.filter { shape[$0] != 1 || $0 == batchAxis })
      }
      var dropped: Set<Int> = []
      for axis in axes { dropped.insert(try self.axis(axis, rank: shape.count)) }
      guard dropped.allSatisfy({ shape.indices.contains($0) && shape[$0] == 1 }) else {
        throw fail("it squeezes axes \(axes) of the shape \(shape)")
      }
      return keeping(shape.indices.filter { !dropped.contains($0) })
    case "Unsqueeze":
      let axes = try list(1, "axes") ?? []
      let rank = shape.count + axes.count
      var added: Set<Int> = []
      for axis in axes { added.insert(try self.axis(axis, rank: rank)) }
      guard added.count == axes.count else { throw fail("it adds an axis twice") }
      var rest = shape.indices
      return keeping((0..<rank).map { added.contains($0) ? -1 : rest.removeFirst() })
    case "Transpose":
      let order =
        attribute("perm")?.ints.map { Int(clamping: $0) } ?? Array(shape.indices.reversed())
      guard order.sorted() == Array(shape.indices) else { throw fail("perm \(order) of \(shape)") }
      let strides = Shape.strides(shape)
      let new = order.map { shape[$0] }
      return Move(
        shape: new, places: Shape.walk(new, order.map { strides[$0] }, start: 0), origin: order)
    case "Expand":
      let wanted = try constant(1, "its shape").integers
      guard wanted.allSatisfy({ $0 > 0 }), let new = Shape.broadcast(shape, wanted) else {
        throw fail("\(shape) cannot be repeated to \(wanted)")
      }
      try limit(new)
      return Move(shape: new, places: Shape.places(from: shape, in: new))
    case "Tile":
      let repeats = try constant(1, "its repeats").integers
      guard repeats.count == shape.count, repeats.allSatisfy({ $0 > 0 }) else {
        throw fail("repeats \(repeats) of \(shape)")
      }
      let new = zip(shape, repeats).map { $0.multipliedReportingOverflow(by: $1).partialValue }
      try limit(new)
      return taken(shape, shape.indices.map { axis in (0..<new[axis]).map { $0 % shape[axis] } })
    case "Slice": return try sliced(shape, batchAxis)
    case "GatherND": return try pointed(shape, batchAxis)
    case "Gather", "GatherElements": return try gathered(shape, batchAxis)
    default: return try padded(shape)
    }
  }

  private func limit(_ shape: [Int]) throws(GraphProblem) {
    var count = 1
    for length in shape {
      guard length >= 0, length <= Self.largestWidth else {
        throw fail("the shape \(shape) is too large")
      }
      count *= length
      guard count <= Self.largestWidth else { throw fail("the shape \(shape) is too large") }
    }
  }

  private func reshapedShape(_ shape: [Int], isBatched: Bool) throws(GraphProblem) -> [Int] {
    var wanted = try list(1, "shape") ?? []
    let keepsZeros = integer("allowzero", 0) == 0
    for axis in wanted.indices where wanted[axis] == 0 && keepsZeros && axis < shape.count {
      wanted[axis] = shape[axis]
    }
    // The number of samples for which the model was exported.
    if isBatched, let fixedBatch, wanted.first == fixedBatch { wanted[0] = 1 }
    let count = Shape.count(shape)
    let open = wanted.indices.filter { wanted[$0] == -1 }
    var known = 1
    for length in wanted where length != -1 {
      let (next, overflow) = known.multipliedReportingOverflow(by: length)
      guard length > 0, !overflow, next <= 1 << 40 else {
        throw fail("\(shape) cannot become \(wanted)")
      }
      known = next
    }
    if open.count == 1, count % known == 0 { wanted[open[0]] = count / known }
    guard open.count <= 1, Shape.count(wanted.map { max($0, 0) }) == count else {
      // A fixed number of samples in the shape that was exported.
      if open.isEmpty, let first = wanted.first, first > 1, known == count * first {
        return [1] + wanted.dropFirst()
      }
      throw fail(
        "\(shape) cannot become \(wanted); export with any number of samples (dynamic axes)")
    }
    return wanted
  }

  /// The places of these indices along every axis.
  private func taken(_ shape: [Int], _ indices: [[Int]]) -> Move {
    let strides = Shape.strides(shape)
    var places = [0]
    for axis in shape.indices {
      var next: [Int] = []
      next.reserveCapacity(places.count * indices[axis].count)
      for place in places {
        for index in indices[axis] { next.append(place + index * strides[axis]) }
      }
      places = next
    }
    return Move(shape: indices.map(\.count), places: places)
  }

  private func sliced(_ shape: [Int], _ batchAxis: Int?) throws(GraphProblem) -> Move {
    let starts = try list(1, "starts") ?? []
    let ends = try list(2, "ends") ?? []
    let axes = try list(3, "axes") ?? Array(starts.indices)
    let steps =
      has(4) ? try constant(4, "steps").integers : Array(repeating: 1, count: starts.count)
    guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
      throw fail("its starts, ends, axes and steps differ in number")
    }
    var indices = shape.map { Array(0..<$0) }
    for (number, given) in axes.enumerated() {
      let axis = try self.axis(given, rank: shape.count)
      guard shape.indices.contains(axis) else { throw fail("axis \(given) of \(shape)") }
      let (length, step) = (shape[axis], steps[number])
      guard step != 0 else { throw fail("its step is 0") }
      func place(_ index: Int) -> Int {
        index < 0 ? max(index, -(1 << 40)) + length : min(index, 1 << 40)
      }
      let low = step > 0 ? 0 : -1
      let high = step > 0 ? length : length - 1
      let first = min(max(place(starts[number]), max(low, 0)), high)
      // Counted from the end where negative; what is still negative then means before the first.
      let end = min(max(ends[number] <= -(1 << 40) ? low : place(ends[number]), low), high)
      let chosen = Array(stride(from: first, to: end, by: step))
      if axis == batchAxis {
        guard chosen == [0] else { throw fail("it chooses among samples") }
        continue
      }
      indices[axis] = chosen
    }
    guard indices.allSatisfy({ !$0.isEmpty }) else { throw fail("nothing is left of \(shape)") }
    return taken(shape, indices)
  }

  private func gathered(_ shape: [Int], _ batchAxis: Int?) throws(GraphProblem) -> Move {
    let axis = try self.axis(integer("axis", 0), rank: shape.count)
    let tensor = try constant(1, "its indices")
    guard shape.indices.contains(axis) else { throw fail("axis \(axis) of \(shape)") }
    let indices = tensor.integers.map { $0 < 0 ? $0 + shape[axis] : $0 }
    guard indices.allSatisfy({ (0..<shape[axis]).contains($0) }) else {
      throw fail("an index lies outside \(shape)")
    }
    if node.opType == "GatherElements" {
      guard tensor.shape.count == shape.count,
        shape.indices.allSatisfy({ $0 == axis || tensor.shape[$0] <= shape[$0] })
      else { throw fail("its indices have the shape \(tensor.shape)") }
      let strides = Shape.strides(shape)
      let steps = shape.indices.map { $0 == axis ? 0 : strides[$0] }
      let rest = Shape.walk(tensor.shape, steps, start: 0)
      return Move(
        shape: tensor.shape, places: zip(rest, indices).map { $0 + $1 * strides[axis] })
    }
    guard axis != batchAxis else {
      throw fail("it chooses among samples")
    }
    var all = shape.map { Array(0..<$0) }
    all[axis] = indices
    var count = 1
    for list in all { count *= max(1, list.count) }
    guard count <= 1 << 24 else { throw fail("it makes too many values") }
    var move = taken(shape, all)
    move.shape = Array(shape[..<axis]) + tensor.shape + Array(shape[(axis + 1)...])
    move.origin =
      Array(shape.indices[..<axis]) + tensor.shape.map { _ in -1 }
      + Array(shape.indices[(axis + 1)...])
    return move
  }

  /// Parts that lists of indices point at, as PyTorch's exporter takes columns.
  private func pointed(_ shape: [Int], _ batchAxis: Int?) throws(GraphProblem) -> Move {
    let tensor = try constant(1, "its indices")
    let count = tensor.shape.last ?? 0
    guard integer("batch_dims", 0) == 0, (1...max(1, shape.count)).contains(count) else {
      throw fail("its indices have the shape \(tensor.shape)")
    }
    if let batchAxis, batchAxis < count { throw fail("it chooses among samples") }
    let strides = Shape.strides(shape)
    let rest = Array(shape[count...])
    let size = Shape.count(rest)
    let new = tensor.shape.dropLast() + rest
    try limit(new)
    let indices = tensor.integers
    var places: [Int] = []
    for start in stride(from: 0, to: indices.count, by: count) {
      var place = 0
      for axis in 0..<count {
        let index = indices[start + axis] + (indices[start + axis] < 0 ? shape[axis] : 0)
        guard (0..<shape[axis]).contains(index) else {
          throw fail("an index lies outside \(shape)")
        }
        place += index * strides[axis]
      }
      places += place..<(place + size)
    }
    let origin = tensor.shape.dropLast().map { _ in -1 } + Array(shape.indices[count...])
    return Move(shape: Array(new), places: places, origin: origin)
  }

  private func padded(_ shape: [Int]) throws(GraphProblem) -> Move {
    let pads = try list(1, "pads") ?? []
    let value = has(2) ? try constant(2, "the value it pads with").values : [number("value", 0)]
    guard text("mode") ?? "constant" == "constant", value == [0], !has(3),
      pads.count == 2 * shape.count, pads.allSatisfy({ (0...Self.largestWidth).contains($0) })
    else { throw fail("it pads in a way that is not supported; zeros are") }
    let new = shape.indices.map { pads[$0] + shape[$0] + pads[$0 + shape.count] }
    try limit(new)
    let strides = Shape.strides(shape)
    var places = [0]
    for axis in shape.indices {
      places = places.flatMap { place in
        (0..<new[axis]).map { index in
          let inner = index - pads[axis]
          return place < 0 || !(0..<shape[axis]).contains(inner)
            ? -1 : place + inner * strides[axis]
        }
      }
    }
    return Move(shape: new, places: places)
  }

  // MARK: Several tensors

  mutating func split() throws(GraphProblem) -> [GraphValue] {
    let value = try operand(0)
    let shape = value.shape
    let axis = try self.axis(integer("axis", 0), rank: shape.count)
    guard shape.indices.contains(axis) else { throw fail("it splits a single number") }
    var batchAxis: Int?
    if case .features(let features) = value { batchAxis = features.batchAxis }
    guard axis != batchAxis else { throw fail("it splits samples") }
    let parts = node.output.count
    let sizes =
      try list(1, "split")
      ?? {
        let size = (shape[axis] + parts - 1) / parts
        return (0..<parts).map { max(0, min(size, shape[axis] - $0 * size)) }
      }()
    guard sizes.count == parts, sizes.allSatisfy({ $0 > 0 }),
      sizes.reduce(0, { $0 &+ $1 }) == shape[axis]
    else { throw fail("the parts \(sizes) do not make up \(shape[axis])") }
    var first = 0
    return sizes.map { size in
      var indices = shape.map { Array(0..<$0) }
      indices[axis] = Array(first..<(first + size))
      first += size
      return apply(taken(shape, indices), to: value, batchAxis: batchAxis)
    }
  }

  mutating func concatenate() throws(GraphProblem) -> GraphValue {
    try joined(axis: integer("axis", 1))
  }

  mutating func joined(axis given: Int) throws(GraphProblem) -> GraphValue {
    var parts: [Features] = []
    for index in node.input.indices { parts.append(try features(index)) }
    guard let first = parts.first else { throw fail("it joins no values, or more than it may") }
    let axis = try self.axis(given, rank: first.shape.count)
    let batchAxis = parts.lazy.compactMap(\.batchAxis).first
    guard axis != batchAxis else {
      throw fail("axis \(given) is that of the samples; only features can be joined")
    }
    var length = 0
    for part in parts {
      guard part.shape.count == first.shape.count, part.shape.indices.contains(axis),
        part.shape.indices.allSatisfy({ $0 == axis || part.shape[$0] == first.shape[$0] })
      else { throw fail("it joins \(first.shape) and \(part.shape)") }
      length += part.shape[axis]
    }
    let before = Shape.count(Array(first.shape[..<axis]))
    guard (1...Self.largestWidth).contains(before * length) else {
      throw fail("it joins no values, or more than \(Self.largestWidth)")
    }
    var elements: [Element] = []
    for row in 0..<before {
      for part in parts {
        let size = part.elements.count / before
        elements += part.elements[(row * size)..<((row + 1) * size)]
      }
    }
    var shape = first.shape
    shape[axis] = length
    return .features(Features(shape: shape, elements: elements, batchAxis: batchAxis))
  }

  /// Columns by number: `ArrayFeatureExtractor`.
  mutating func extracted() throws(GraphProblem) -> GraphValue {
    let value = try operand(0)
    let indices = try constant(1, "its indices").integers
    guard let width = value.shape.last, indices.allSatisfy({ (0..<width).contains($0) }) else {
      throw fail("an index lies outside its \(value.shape.last ?? 0) features")
    }
    var all = value.shape.map { Array(0..<$0) }
    all[all.count - 1] = indices
    var batchAxis: Int?
    if case .features(let features) = value { batchAxis = features.batchAxis }
    return apply(taken(value.shape, all), to: value, batchAxis: batchAxis)
  }

  func shapeOf() throws(GraphProblem) -> GraphValue {
    let shape = try operand(0).shape
    func clamped(_ name: String, _ usual: Int) -> Int {
      let given = integer(name, usual)
      return min(max(given < 0 ? given + shape.count : given, 0), shape.count)
    }
    let (start, end) = (clamped("start", 0), clamped("end", shape.count))
    let part = start < end ? Array(shape[start..<end]) : []
    return .constant(Tensor(shape: [part.count], values: part.map { Double($0) }, type: .int64))
  }

  func cast() throws(GraphProblem) -> GraphValue {
    let value = try operand(0)
    guard case .features = value, node.opType == "Cast" else { return value }
    let code = Int32(clamping: integer("to", 1))
    guard ElementType(rawValue: code)?.isFloat == true else {
      throw fail(
        "it turns computed values into \(ElementType.words(of: code)), which has no derivative")
    }
    return value
  }
}
