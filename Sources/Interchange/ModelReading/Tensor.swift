import LinearAlgebra

/// A constant of the graph, its elements row by row. Integers and truth values are stored as numbers too; integers
/// beyond 2⁵³ never matter here.
struct Tensor {
  var shape: [Int]
  var values: [Double]
  var type = ElementType.float

  var isScalar: Bool { values.count == 1 }
  /// As whole numbers; what stands for "to the end" is as large as it gets.
  var integers: [Int] {
    values.map { $0 >= 0x1p62 ? Int.max : $0 <= -0x1p62 ? Int.min : Int($0.rounded()) }
  }
}

/// One number of a computed tensor: an affine map of one unit, or a constant.
///
/// Of the graph's inputs (node 0) it is (u − b)/a, which is how files scale them, else a·u + b; so what a file
/// says is kept to the bit.
struct Element: Equatable {
  /// −1 for a constant, whose value is b.
  var node: Int32
  var unit: Int32
  var a = 1.0
  var b = 0.0

  static func constant(_ value: Double) -> Element { Element(node: -1, unit: 0, a: 0, b: value) }

  var isConstant: Bool { node < 0 }
  var isInput: Bool { node == 0 }
  var isBare: Bool { a == 1 && b == 0 }

  /// Its scale in the form scale · u + shift.
  var scale: Double { isConstant ? 0 : isInput ? 1 / a : a }
  var shift: Double { isInput ? -b / a : b }

  func plus(_ c: Double) -> Element {
    var result = self
    result.b = isInput ? b - a * c : b + c
    return result
  }

  func times(_ c: Double) -> Element {
    guard c != 0 else { return .constant(0) }
    var result = self
    if isInput {
      result.a = a / c
    } else {
      result.a = a * c
      result.b = b * c
    }
    return result
  }

  func dividedBy(_ c: Double) -> Element {
    var result = self
    if isInput {
      result.a = a * c
    } else {
      result.a = a / c
      result.b = b / c
    }
    return result
  }

  var negated: Element {
    var result = self
    if !isInput { result.b = -b }
    result.a = -a
    return result
  }

  /// Without what single precision of an exporter's constants leaves of a factor of 1 and a shift of 0.
  var snapped: Element {
    guard !isInput, !isConstant else { return self }
    var result = self
    if abs(a - 1) < 1e-6 { result.a = 1 }
    if abs(b) < 1e-6 * abs(a) { result.b = 0 }
    return result
  }

  var isFinite: Bool { a.isFinite && b.isFinite && (isConstant || a != 0) }
}

/// A computed tensor, for one sample.
struct Features {
  var shape: [Int]
  var elements: [Element]
  /// The axis along which samples lie, if it is known; its length is 1 here.
  var batchAxis: Int?
}

/// What a name in the graph stands for.
enum GraphValue {
  case constant(Tensor)
  case features(Features)
  /// The output of a node that has no place in a network; an error only where something needs it.
  case unreadable(GraphProblem)

  var shape: [Int] {
    switch self {
    case .constant(let tensor): tensor.shape
    case .features(let features): features.shape
    case .unreadable: []
    }
  }
}

/// What is wrong with a graph, and at which node or tensor.
struct GraphProblem: Error {
  var place: String
  var reason: String
}

/// What is summed up in a `SumNode`.
enum Term {
  /// W times these, one row for each unit.
  case product(Matrix, [Element])
  /// One for each unit.
  case each([Element])
}

/// A node of the directed graph that a model is read into.
struct GraphNode {
  enum Kind {
    case inputs
    case sum([Term], bias: [Double])
    case activation(Activation, [Element])
    /// An operator that has a meaning only as a part of an activation, unit by unit, and what to say if it is none.
    case function(ElementwiseOperator, [[Element]], GraphProblem)
  }
  var kind: Kind
  var width: Int
  /// Of the layer that it becomes.
  var name: String
}

/// Shapes and places of tensors.
enum Shape {
  static func count(_ shape: [Int]) -> Int { shape.reduce(1, *) }

  /// How far apart neighbours along each axis are.
  static func strides(_ shape: [Int]) -> [Int] {
    var result = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      result[axis] = result[axis + 1] * shape[axis + 1]
    }
    return result
  }

  /// The shape that both are repeated to (NumPy's rule); nil where they do not fit.
  static func broadcast(_ a: [Int], _ b: [Int]) -> [Int]? {
    let rank = max(a.count, b.count)
    var result: [Int] = []
    for axis in 0..<rank {
      let x = axis - rank + a.count >= 0 ? a[axis - rank + a.count] : 1
      let y = axis - rank + b.count >= 0 ? b[axis - rank + b.count] : 1
      guard x == y || x == 1 || y == 1 else { return nil }
      result.append(x == 1 ? y : x)
    }
    return result
  }

  /// For each place in `shape` the place in a tensor of shape `from` that is repeated to it.
  static func places(from: [Int], in shape: [Int]) -> [Int] {
    let total = count(shape)
    if from == shape { return Array(0..<total) }
    if count(from) == 1 { return Array(repeating: 0, count: total) }
    let lead = shape.count - from.count
    let own = strides(from)
    let steps = shape.indices.map { axis in
      axis < lead || from[axis - lead] == 1 ? 0 : own[axis - lead]
    }
    return walk(shape, steps, start: 0)
  }

  /// The places that one comes by in a tensor walked through in order of `shape` with these steps.
  static func walk(_ shape: [Int], _ steps: [Int], start: Int) -> [Int] {
    var result = [start]
    result.reserveCapacity(count(shape))
    for axis in shape.indices {
      var next: [Int] = []
      next.reserveCapacity(result.count * shape[axis])
      for place in result {
        for index in 0..<shape[axis] { next.append(place + index * steps[axis]) }
      }
      result = next
    }
    return result
  }
}
