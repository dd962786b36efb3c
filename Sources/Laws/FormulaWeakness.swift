import Dynamics
import LinearAlgebra

/// Where a formula misses most: a third of the data by one of its inputs.
public struct FormulaWeakness: Encodable, Equatable, Sendable {
  public var input: String
  /// Whether it is the highest third, or the lowest.
  public var isHigh: Bool
  public var bound: Double
  /// The error there, in errors over all rows.
  public var ratio: Double

  var words: String {
    "\(input) is \(isHigh ? "above" : "below") \(FormulaNotation.text.number(bound, digits: 3)): "
      + "\(FormulaNotation.text.number(ratio, digits: 2)) times its error"
  }

  /// A ratio below which nothing is said.
  static let least = 1.3

  /// - Parameters:
  ///   - losses: squared error of each row.
  ///   - points: the rows' inputs.
  ///   - variables: the inputs that the formula uses.
  ///   - inputs: of the model.
  init?(_ losses: [Double], at points: [[Double]], by variables: Set<Int>, of inputs: [Variable]) {
    let whole = losses.mean.squareRoot()
    guard whole > 0 else { return nil }
    var worst: FormulaWeakness?
    for variable in variables.sorted() {
      let values = points.map { $0[variable] }
      let ordered = values.sorted()
      let (low, high) = (ordered.quantile(1.0 / 3), ordered.quantile(2.0 / 3))
      guard low < high else { continue }
      for isHigh in [false, true] {
        let rows = values.indices.filter { isHigh ? values[$0] >= high : values[$0] <= low }
        let ratio = rows.map { losses[$0] }.mean.squareRoot() / whole
        if ratio > worst?.ratio ?? Self.least {
          worst = FormulaWeakness(
            input: inputs[variable].name, isHigh: isHigh, bound: isHigh ? high : low, ratio: ratio)
        }
      }
    }
    guard let worst else { return nil }
    self = worst
  }

  private init(input: String, isHigh: Bool, bound: Double, ratio: Double) {
    self.input = input
    self.isHigh = isHigh
    self.bound = bound
    self.ratio = ratio
  }
}
