/// What makes one-step errors of recorded states independent of each other.
///
/// White noise n on what is recorded and noise of the motion itself make the errors of increments, n(k+1) − n(k) + …,
/// a moving average of order one: e(k) = a(k) − θ a(k−1), a white, θ near 1 where the measurement's noise dominates
/// and 0 without it. The innovations follow row by row, a(k) = e(k) + (θ/v(k−1)) a(k−1) with v(k) = 1 + θ² −
/// θ²/v(k−1), v(0) = 1 + θ², and are divided by √v (Brockwell & Davis 1991, 5.3): least squares in them are generalised
/// least squares in the errors. What varies slowly is seen through them far better than through the errors, because
/// the noise of an increment is taken back by the next. With θ = 1 the innovations are sums of errors: the increments'
/// equation becomes that of the states themselves.
public struct Whitening: Equatable, Sendable {
  public var theta: Double

  public static let none = Whitening(theta: 0)
  private static let candidates = [
    0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.86, 0.91, 0.94, 0.96, 0.975, 0.985,
  ]

  public init(theta: Double) { self.theta = theta }

  /// The candidate for which the innovations are smallest.
  ///
  /// - Parameter series: errors, and where a run of neighbours begins.
  public init(of series: [(errors: [Double], begins: [Bool])]) {
    var best = (theta: 0.0, square: Double.infinity)
    for theta in Self.candidates {
      let whitening = Whitening(theta: theta)
      let square = series.reduce(0) { sum, one in
        sum + whitening.apply(one.errors, one.begins).reduce(0) { $0 + $1 * $1 }
      }
      if square < best.square { best = (theta, square) }
    }
    theta = best.theta
  }

  /// Whether anything happens to rows that begin there.
  public func isNothing(_ begins: [Bool]) -> Bool { theta == 0 || begins.isEmpty }

  /// The factors θ/v(k−1) of the innovations and the scales 1/√v(k), row by row.
  public func recursion(_ begins: [Bool]) -> (factors: [Double], scales: [Double]) {
    var factors: [Double] = []
    var scales: [Double] = []
    var variance = 1.0
    let square = theta * theta
    for isFirst in begins {
      factors.append(isFirst ? 0 : theta / variance)
      variance = isFirst ? 1 + square : 1 + square - square / variance
      scales.append(1 / variance.squareRoot())
    }
    return (factors, scales)
  }

  /// Innovations of a series, row by row; linear in it.
  ///
  /// - Parameters:
  ///   - values: the series.
  ///   - begins: whether a row begins a run of neighbours; empty where rows are no neighbours.
  public func apply(_ values: [Double], _ begins: [Bool]) -> [Double] {
    guard !isNothing(begins) else { return values }
    let (factors, scales) = recursion(begins)
    var innovation = 0.0
    return values.indices.map { row in
      innovation = values[row] + factors[row] * innovation
      return innovation * scales[row]
    }
  }

  /// The innovations of every column of a matrix of so many columns, row by row.
  public func apply(_ elements: inout [Double], columns: Int, _ begins: [Bool]) {
    guard !isNothing(begins) else { return }
    let (factors, scales) = recursion(begins)
    var previous = [Double](repeating: 0, count: columns)
    elements.withUnsafeMutableBufferPointer { elements in
      previous.withUnsafeMutableBufferPointer { previous in
        for row in begins.indices {
          for column in 0..<columns {
            let innovation = elements[row * columns + column] + factors[row] * previous[column]
            previous[column] = innovation
            elements[row * columns + column] = innovation * scales[row]
          }
        }
      }
    }
  }
}
