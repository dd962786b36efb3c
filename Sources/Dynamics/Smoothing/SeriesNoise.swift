import LinearAlgebra

/// The measurement noise of recorded series.
enum SeriesNoise {
  /// A state is left unchanged if its noise is below this share of the standard deviation of its increments, or if
  /// what looks like noise is none.
  static let negligible = 1e-3
  /// A correlation of third differences (see `measured`) below this value indicates noise.
  static let isNoiseBelow = -0.5

  /// The noise of a state as seen in third differences, which slow motion hardly affects: its standard deviation,
  /// 1.4826 median |Δ³x|/√20, and the correlation of successive third differences: −¾ for white noise, −⅔ for a
  /// random walk, positive for motion.
  static func measured(in series: [[Double]]) -> (deviation: Double, correlation: Double) {
    let third = series.map { differences($0, order: 3) }
    let magnitudes = third.flatMap { $0 }.filter(\.isFinite).map(abs)
    guard !magnitudes.isEmpty else { return (0, 0) }
    let deviation = 1.4826 * magnitudes.median
    // Jumps count as four deviations.
    let clipped = third.map { values in
      values.map { $0.isNaN ? .nan : max(-4 * deviation, min(4 * deviation, $0)) }
    }
    let pairs = clipped.flatMap { zip($0, $0.dropFirst()) }.filter { $0.isFinite && $1.isFinite }
    let products = pairs.reduce(0) { $0 + $1.0 * $1.1 }
    let squares = pairs.reduce(0) { $0 + $1.0 * $1.0 }
    return (deviation / 20.0.squareRoot(), squares > 0 ? products / squares : 0)
  }

  static func differences(_ values: [Double], order: Int) -> [Double] {
    (0..<order).reduce(values) { values, _ in zip(values.dropFirst(), values).map { $0 - $1 } }
  }
}
