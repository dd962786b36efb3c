/// A box of an expression's inputs: from `low` to `high`.
struct Box<R: Rounding>: Sendable {
  private(set) var low: [Double]
  private(set) var high: [Double]

  init(_ sides: [RoundedInterval<R>]) {
    low = sides.map(\.lower)
    high = sides.map(\.upper)
  }

  /// One point.
  init(point: [Double]) {
    low = point
    high = point
  }

  func middle(_ input: Int) -> Double {
    RoundedInterval<R>(lower: low[input], upper: high[input]).middle
  }

  var middle: [Double] { low.indices.map(middle) }

  mutating func fix(_ input: Int, at value: Double) { (low[input], high[input]) = (value, value) }

  /// The two halves along an input; nil where no number lies between its ends.
  func halves(along input: Int) -> (Box, Box)? {
    let middle = middle(input)
    guard low[input] < middle, middle < high[input] else { return nil }
    var (lower, upper) = (self, self)
    lower.high[input] = middle
    upper.low[input] = middle
    return (lower, upper)
  }
}
