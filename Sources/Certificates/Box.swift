/// A box of an expression's inputs: from `low` to `high`.
package struct Box<R: Rounding>: Sendable {
  package private(set) var low: [Double]
  package private(set) var high: [Double]

  package init(_ sides: [RoundedInterval<R>]) {
    low = sides.map(\.lower)
    high = sides.map(\.upper)
  }

  /// One point.
  package init(point: [Double]) {
    low = point
    high = point
  }

  func middle(_ input: Int) -> Double {
    RoundedInterval<R>(lower: low[input], upper: high[input]).middle
  }

  var middle: [Double] { low.indices.map(middle) }

  var isBounded: Bool { low.allSatisfy(\.isFinite) && high.allSatisfy(\.isFinite) }

  /// The part at most so far from zero; where that is nothing, the point of the box nearest to it.
  func within(_ reach: Double) -> Box {
    var result = self
    for input in low.indices {
      result.low[input] = min(max(low[input], -reach), high[input])
      result.high[input] = max(min(high[input], reach), low[input])
      if low[input].isFinite, high[input].isFinite {
        (result.low[input], result.high[input]) = (low[input], high[input])
      }
    }
    return result
  }

  /// The point of the box nearest to one.
  func nearest(_ point: [Double]) -> [Double] {
    point.indices.map { min(high[$0], max(low[$0], point[$0])) }
  }

  mutating func fix(_ input: Int, at value: Double) { (low[input], high[input]) = (value, value) }

  /// The two halves along an input; nil where no number lies between its ends.
  func halves(along input: Int) -> (Box, Box)? {
    guard low.indices.contains(input) else { return nil }
    let middle = middle(input)
    guard low[input] < middle, middle < high[input] else { return nil }
    var (lower, upper) = (self, self)
    lower.high[input] = middle
    upper.low[input] = middle
    return (lower, upper)
  }
}
