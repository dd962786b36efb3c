import HeapModule

/// The least value of ± an expression in a box, by branch and bound: boxes are divided, the one with the lowest bound
/// first, until the bound is within a tolerance of a value that was found (Land & Doig 1960; Neumaier 1990 for
/// intervals).
package struct BranchAndBound<R: Rounding> {
  package struct Options: Sendable {
    /// How far the bound may be from the value found.
    package var tolerance: Double
    /// How many boxes may be bounded.
    package var boxes: Int
    /// Goes on, beyond the tolerance, until the sign of the least value is known.
    package var decidesSign = false

    package init(tolerance: Double, boxes: Int, decidesSign: Bool = false) {
      self.tolerance = tolerance
      self.boxes = boxes
      self.decidesSign = decidesSign
    }
  }

  package struct Result: Sendable {
    /// No value of ± the expression in the box is smaller.
    package var bound: Double
    /// Somewhere in the box ± the expression is no larger than this, at `point`.
    package var found: Double
    package var point: [Double]
    package var boxes: Int
  }

  private struct Entry: Comparable {
    var bound: Double
    var number: Int
    var box: Box<R>
    var division: Int

    static func < (a: Entry, b: Entry) -> Bool {
      a.bound != b.bound ? a.bound < b.bound : a.number < b.number
    }
    static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
  }

  var pass: BoundingPass<R>

  package init(_ expression: Expression<R>) { pass = BoundingPass(expression) }

  /// A point of the box at which ± the expression is small: the best of some points, moved along one input after the
  /// other by ever smaller steps.
  ///
  /// - Parameters:
  ///   - points: of the box, at least one.
  ///   - box: of the expression's inputs, with finite sides.
  ///   - sign: 1 for small values, −1 for large ones.
  mutating func descend(from points: [[Double]], in box: Box<R>, sign: Double) -> [Double] {
    var best = (point: points[0], value: Double.infinity)
    for point in points {
      let value = sign * pass.estimate(at: point)
      if value < best.value { best = (point, value) }
    }
    var share = 0.5
    while share > 1e-3 {
      var hasMoved = false
      for input in best.point.indices where box.low[input] < box.high[input] {
        for direction in [-1.0, 1] {
          var point = best.point
          point[input] = min(
            box.high[input],
            max(
              box.low[input],
              point[input] + direction * share * (box.high[input] - box.low[input])))
          let value = sign * pass.estimate(at: point)
          if value < best.value {
            best = (point, value)
            hasMoved = true
          }
        }
      }
      if !hasMoved { share /= 2 }
    }
    return best.point
  }

  /// An upper bound of ± the expression at a point.
  package mutating func value(at point: [Double], sign: Double) -> Double {
    let value = pass.value(Box(point: point))
    return sign > 0 ? value.upper : -value.lower
  }

  /// - Parameters:
  ///   - box: of the expression's inputs.
  ///   - sign: 1 for the least value, −1 for the least of the negative.
  ///   - start: a point of the box.
  ///   - options: when to stop.
  ///   - goesOn: asked now and then; false ends the search with what is known.
  package mutating func minimise(
    in box: Box<R>, sign: Double, from start: [Double], _ options: Options,
    goesOn: () -> Bool = { true }
  ) -> Result {
    var state = State(
      result: Result(
        bound: -.infinity, found: value(at: start, sign: sign), point: start, boxes: 0))
    consider(box, sign, atLeast: -.infinity, options, &state)
    while state.result.boxes < options.boxes, let entry = state.heap.popMin() {
      let isDone = isSettled(min(entry.bound, state.retired), state.result.found, options)
      guard !isDone, goesOn(), let (a, b) = entry.box.halves(along: entry.division) else {
        state.retired = min(state.retired, entry.bound)
        break
      }
      consider(a, sign, atLeast: entry.bound, options, &state)
      consider(b, sign, atLeast: entry.bound, options, &state)
    }
    state.result.bound = min(state.retired, state.heap.min?.bound ?? .infinity)
    return state.result
  }

  private struct State {
    var result: Result
    /// Boxes still to be divided.
    var heap = Heap<Entry>()
    /// The least bound of boxes that are not looked at any more.
    var retired = Double.infinity
  }

  private mutating func consider(
    _ box: Box<R>, _ sign: Double, atLeast known: Double, _ options: Options, _ state: inout State
  ) {
    let outcome = pass.lowest(in: box, sign: sign)
    state.result.boxes += 1
    let bound = max(known, outcome.bound)
    // The corner is where small values are expected; the middle is looked at now and then.
    let points =
      state.result.boxes % 4 == 1 ? [outcome.corner, outcome.box.middle] : [outcome.corner]
    for point in points
    where point.allSatisfy(\.isFinite) && sign * pass.estimate(at: point) < state.result.found {
      let upper = value(at: point, sign: sign)
      if upper < state.result.found { (state.result.found, state.result.point) = (upper, point) }
    }
    if isSettled(bound, state.result.found, options) {
      state.retired = min(state.retired, bound)
    } else {
      state.heap.insert(
        Entry(
          bound: bound, number: state.result.boxes, box: outcome.box, division: outcome.division))
    }
  }

  private func isSettled(_ bound: Double, _ found: Double, _ options: Options) -> Bool {
    guard found - bound <= options.tolerance else { return false }
    return !options.decidesSign || bound >= 0 || found < 0
      || found - bound <= 1e-3 * options.tolerance
  }
}
