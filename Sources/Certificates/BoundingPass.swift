import LinearAlgebra

/// Bounds of an expression over one box, with the memory that successive boxes share: intervals forward, slopes
/// backward in intervals, and linear relaxations substituted backward from the target (Zhang et al. 2018).
struct BoundingPass<R: Rounding> {
  typealias Bound = RoundedInterval<R>

  let expression: Expression<R>
  /// By node, the values that it can have in the box.
  private(set) var low: [Double]
  private(set) var high: [Double]
  /// By node, the slope of the target with respect to it, in the box.
  private var slopeLow: [Double]
  private var slopeHigh: [Double]
  /// By curved node, lines below and above it, made when they are first needed in a box.
  private var linesBelow: [ActivationShape<R>.Line?]
  private var linesAbove: [ActivationShape<R>.Line?]
  /// By node, its factor in the linear function under the target; or its value at a point.
  private var factor: [Double]
  /// By node, activations at the ends of their arguments.
  private var atLow: [ActivationShape<R>.Values]
  private var atHigh: [ActivationShape<R>.Values]
  /// Affine nodes whose intervals are worth relaxations of their own: curved, and arguments of something curved.
  private let isTightened: [Bool]
  private let hasTightened: Bool
  /// By curved node and input, how far the node's arguments move with the input at most where no slope exceeds 1:
  /// sums of magnitudes of products of weights.
  private let influence: [Double]
  /// About how many weights are looked at for a box.
  let work: Int

  init(_ expression: Expression<R>) {
    self.expression = expression
    let count = expression.count
    low = Array(repeating: 0, count: count)
    high = low
    slopeLow = low
    slopeHigh = low
    factor = low
    linesBelow = Array(repeating: nil, count: count)
    linesAbove = linesBelow
    let nothing = ActivationShape<R>.Values(place: .nan, derivatives: (.zero, .zero, .zero))
    atLow = Array(repeating: nothing, count: count)
    atHigh = atLow
    var isTightened = [Bool](repeating: false, count: count)
    for node in 0..<count where expression.kind[node] != .affine {
      for argument in expression.arguments(of: node)
      where expression.kind[argument] == .affine && expression.isCurved[argument] {
        isTightened[argument] = true
      }
    }
    self.isTightened = isTightened
    hasTightened = isTightened.contains(true)
    influence = Self.influence(expression)
    // Two relaxations for each sum that has its own, of all that stands before it.
    work =
      (expression.weight.count + expression.count) * (4 + 2 * isTightened.count { $0 })
  }

  private static func influence(_ expression: Expression<R>) -> [Double] {
    let width = expression.inputs.count
    var result = [Double](repeating: 0, count: expression.count * width)
    for input in 0..<width { result[input * width + input] = 1 }
    for node in width..<expression.count {
      for edge in expression.edges(into: node) {
        for input in 0..<width {
          result[node * width + input] +=
            abs(expression.weight[edge]) * result[expression.source[edge] * width + input]
        }
      }
      guard expression.kind[node] != .affine else { continue }
      for argument in expression.arguments(of: node) {
        for input in 0..<width {
          result[node * width + input] += result[argument * width + input]
        }
      }
    }
    return result
  }

  private func bound(_ node: Int) -> Bound { Bound(lower: low[node], upper: high[node]) }

  /// The interval of the target.
  var range: Bound { bound(expression.target) }

  // MARK: Forward

  /// The target at one point, rounded to nearest: for finding points, not for bounds.
  mutating func estimate(at point: [Double]) -> Double {
    for input in expression.inputs.indices { factor[input] = point[input] }
    for node in expression.inputs.count..<expression.count {
      switch expression.kind[node] {
      case .input: break
      case .affine:
        var sum = expression.bias[node].middle
        for edge in expression.firstEdge[node]..<expression.firstEdge[node + 1] {
          sum += expression.weight[edge] * factor[expression.source[edge]]
        }
        factor[node] = sum
      case .activation:
        let activation = expression.shapes[expression.shape[node]].activation
        let z = factor[expression.first[node]]
        factor[node] = expression.order[node] == 0 ? activation.value(z) : activation.slope(z)
      case .product:
        factor[node] = factor[expression.first[node]] * factor[expression.second[node]]
      }
    }
    return factor[expression.target]
  }

  /// The target at one point, or over a small box around it.
  mutating func value(_ box: Box<R>) -> Bound {
    setInputs(box)
    for node in expression.inputs.count..<expression.count { forward(node) }
    return range
  }

  private mutating func setInputs(_ box: Box<R>) {
    for input in expression.inputs.indices {
      low[input] = box.low[input]
      high[input] = box.high[input]
    }
  }

  /// Intervals of all nodes.
  ///
  /// - Parameters:
  ///   - box: of the inputs.
  ///   - tightens: whether relaxations narrow those of curved sums.
  private mutating func enclose(_ box: Box<R>, tightens: Bool) {
    setInputs(box)
    for node in expression.inputs.count..<expression.count {
      linesBelow[node] = nil
      linesAbove[node] = nil
      forward(node)
      if tightens, isTightened[node] { tighten(node) }
    }
  }

  private mutating func forward(_ node: Int) {
    switch expression.kind[node] {
    case .input: return
    case .affine:
      var (lower, upper) = (expression.bias[node].lower, expression.bias[node].upper)
      for edge in expression.firstEdge[node]..<expression.firstEdge[node + 1] {
        let source = expression.source[edge]
        let weight = expression.weight[edge]
        let (a, b) = weight > 0 ? (low[source], high[source]) : (high[source], low[source])
        lower = R.down(lower + R.down(Bound.product(weight, a)))
        upper = R.up(upper + R.up(Bound.product(weight, b)))
      }
      (low[node], high[node]) = (lower, upper)
    case .activation:
      let argument = expression.first[node]
      let shape = expression.shapes[expression.shape[node]]
      // Neighbouring boxes share ends.
      if atLow[node].place != low[argument] { atLow[node] = shape.values(at: low[argument]) }
      if atHigh[node].place != high[argument] { atHigh[node] = shape.values(at: high[argument]) }
      let range = shape.range(expression.order[node], atLow[node], atHigh[node])
      (low[node], high[node]) = (range.lower, range.upper)
    case .product:
      let (a, b) = (expression.first[node], expression.second[node])
      let range = bound(a) * bound(b)
      (low[node], high[node]) = (range.lower, range.upper)
    }
  }

  /// The interval of an affine node by relaxations of what it reads.
  private mutating func tighten(_ node: Int) {
    let lower = underestimate(of: node, sign: 1)
    let upper = -underestimate(of: node, sign: -1)
    let range = bound(node).intersection(Bound(lower: lower, upper: upper))
    (low[node], high[node]) = (range.lower, range.upper)
  }

  private mutating func line(_ node: Int, above isAbove: Bool) -> ActivationShape<R>.Line {
    if let known = isAbove ? linesAbove[node] : linesBelow[node] { return known }
    let line = expression.shapes[expression.shape[node]].line(
      expression.order[node], above: isAbove, atLow[node], atHigh[node], range: bound(node))
    if isAbove { linesAbove[node] = line } else { linesBelow[node] = line }
    return line
  }

  /// Planes below and above a product: ab = a₀ b + b₀ a − a₀ b₀ + (a − a₀)(b − b₀), for any a₀ and b₀ (McCormick 1976,
  /// at the middle).
  private func planes(_ node: Int) -> (first: Double, second: Double, offset: Bound) {
    let (a, b) = (bound(expression.first[node]), bound(expression.second[node]))
    guard a.isFinite, b.isFinite else { return (0, 0, bound(node)) }
    let (a0, b0) = (a.middle, b.middle)
    let rest = (a - Bound(a0)) * (b - Bound(b0)) - a0 * Bound(b0)
    return (b0, a0, rest)
  }

  // MARK: Backward

  /// A linear function of the inputs below ± a node, substituted backward; its least value in the box. Sums of factors
  /// are rounded to nearest, and what that may have cost is taken off at the end: each rounding is at most `R.unit` of
  /// the result times the magnitude of what the factor multiplies.
  ///
  /// - Parameters:
  ///   - node: that is bounded.
  ///   - sign: 1 for a lower bound of it, −1 for one of its negative.
  private mutating func underestimate(of node: Int, sign: Double) -> Double {
    for other in 0..<node { factor[other] = 0 }
    factor[node] = sign
    var constant = 0.0
    var slack = 0.0
    for current in stride(from: node, through: expression.inputs.count, by: -1) {
      let c = factor[current]
      if c == 0 { continue }
      switch expression.kind[current] {
      case .input: break
      case .affine:
        let bias = expression.bias[current]
        constant = R.down(constant + R.down(Bound.product(c, c > 0 ? bias.lower : bias.upper)))
        for edge in expression.firstEdge[current]..<expression.firstEdge[current + 1] {
          pass(c, expression.weight[edge], to: expression.source[edge], &slack)
        }
      case .activation:
        let line = line(current, above: c < 0)
        constant = R.down(constant + R.down(c * line.offset))
        if line.slope != 0 { pass(c, line.slope, to: expression.first[current], &slack) }
      case .product:
        let planes = planes(current)
        constant = R.down(
          constant + R.down(c * (c > 0 ? planes.offset.lower : planes.offset.upper)))
        pass(c, planes.first, to: expression.first[current], &slack)
        pass(c, planes.second, to: expression.second[current], &slack)
      }
    }
    for input in expression.inputs.indices where factor[input] != 0 {
      let c = factor[input]
      constant = R.down(
        constant + R.down(Bound.product(c, c > 0 ? low[input] : high[input])))
    }
    let result = R.down(constant - R.up(slack * (1 + 1e-6)))
    return result.isNaN ? -.infinity : result
  }

  @inline(__always)
  private mutating func pass(_ c: Double, _ slope: Double, to node: Int, _ slack: inout Double) {
    let term = c * slope
    let sum = factor[node] + term
    slack += (R.unit * (abs(term) + abs(sum)) + R.underflow) * max(abs(low[node]), abs(high[node]))
    factor[node] = sum
  }

  /// Slopes of the target with respect to all nodes, in intervals (reverse differentiation).
  private mutating func differentiate() {
    let target = expression.target
    for node in 0..<target { (slopeLow[node], slopeHigh[node]) = (0, 0) }
    (slopeLow[target], slopeHigh[target]) = (1, 1)
    for node in stride(from: target, through: expression.inputs.count, by: -1) {
      let slope = Bound(lower: slopeLow[node], upper: slopeHigh[node])
      if slope.lower == 0, slope.upper == 0 { continue }
      switch expression.kind[node] {
      case .input: break
      case .affine:
        for edge in expression.firstEdge[node]..<expression.firstEdge[node + 1] {
          add(expression.weight[edge] * slope, to: expression.source[edge])
        }
      case .activation:
        let shape = expression.shapes[expression.shape[node]]
        let range = shape.range(expression.order[node] + 1, atLow[node], atHigh[node])
        add(range * slope, to: expression.first[node])
      case .product:
        let (a, b) = (expression.first[node], expression.second[node])
        add(bound(b) * slope, to: a)
        add(bound(a) * slope, to: b)
      }
    }
  }

  private mutating func add(_ slope: Bound, to node: Int) {
    slopeLow[node] = R.down(slopeLow[node] + slope.lower)
    slopeHigh[node] = R.up(slopeHigh[node] + slope.upper)
  }

  // MARK: The least value in a box

  /// What is known of the least value of ± the target in a box.
  struct Outcome {
    /// No value in the box is smaller.
    var bound: Double
    /// The box without parts that cannot hold the least value: where the target rises with an input throughout, only
    /// its lower face remains.
    var box: Box<R>
    /// The corner at which the linear function under the target is least: a place to look for small values.
    var corner: [Double]
    /// The input along which to divide.
    var division: Int
  }

  /// - Parameters:
  ///   - box: of the expression's inputs.
  ///   - sign: 1 for the least value, −1 for the least of the negative.
  mutating func lowest(in box: Box<R>, sign: Double) -> Outcome {
    var box = box
    enclose(box, tightens: false)
    differentiate()
    if collapse(&box, sign) || hasTightened { enclose(box, tightens: true) }
    let interval = sign > 0 ? low[expression.target] : -high[expression.target]
    let linear = underestimate(of: expression.target, sign: sign)
    let corner = expression.inputs.indices.map { input -> Double in
      let c = factor[input]
      return c > 0 ? box.low[input] : c < 0 ? box.high[input] : box.middle(input)
    }
    return Outcome(
      bound: interval > linear || linear.isNaN
        ? (interval.isNaN ? -.infinity : interval) : linear, box: box, corner: corner,
      division: division(of: box))
  }

  /// Leaves one face of each input along which the target is monotone; whether there were any.
  private func collapse(_ box: inout Box<R>, _ sign: Double) -> Bool {
    var found = false
    for input in expression.inputs.indices where box.low[input] < box.high[input] {
      let (a, b) = (slopeLow[input], slopeHigh[input])
      guard a >= 0 || b <= 0 else { continue }
      let face = (a >= 0) == (sign > 0) ? box.low[input] : box.high[input]
      // A sum of opposite infinities would be no number.
      guard face.isFinite else { continue }
      box.fix(input, at: face)
      found = true
    }
    return found
  }

  /// How far the line that was used lies from the activation on average, from both ends of its argument and the middle.
  private mutating func lineGap(_ node: Int) -> Double {
    let line = line(node, above: factor[node] < 0)
    let argument = expression.first[node]
    let shape = expression.shapes[expression.shape[node]]
    let order = expression.order[node]
    let middle = low[argument] / 2 + high[argument] / 2
    func gap(_ z: Double) -> Double {
      let value = order == 0 ? shape.activation.value(z) : shape.activation.slope(z)
      return abs(value - (line.offset + line.slope * z))
    }
    let (a, b) = (atLow[node], atHigh[node])
    let ends =
      shape.pieces != nil
      ? gap(a.place) + gap(b.place)
      : abs(a[order].middle - (line.offset + line.slope * a.place))
        + abs(b[order].middle - (line.offset + line.slope * b.place))
    return (ends + 4 * gap(middle)) / 6
  }

  /// The input to which most of what is lost between the target and the linear function under it is owed: the
  /// distance of each node's line from it, shared among inputs by width times influence.
  private mutating func division(of box: Box<R>) -> Int {
    let count = expression.inputs.count
    var sizes = [Double](repeating: 0, count: count)
    for node in count..<expression.count {
      let kind = expression.kind[node]
      guard kind == .activation || kind == .product, factor[node] != 0 else { continue }
      let gap = kind == .activation ? lineGap(node) : planes(node).offset.width / 2
      var total = 0.0
      for input in 0..<count {
        total += influence[node * count + input] * (box.high[input] - box.low[input])
      }
      guard total > 0, total.isFinite, gap.isFinite else { continue }
      let share = abs(factor[node]) * gap / total
      for input in 0..<count {
        sizes[input] +=
          share * influence[node * count + input] * (box.high[input] - box.low[input])
      }
    }
    var best = 0
    for input in 0..<count where sizes[input] > sizes[best] { best = input }
    if sizes.isEmpty || sizes[best] > 0 { return best }
    for input in 0..<count
    where box.high[input] - box.low[input] > box.high[best] - box.low[best] { best = input }
    return best
  }
}
