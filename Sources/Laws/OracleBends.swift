import Dynamics
import LinearAlgebra
import Networks

/// How the rates that a model implies depend on its inputs: by differences of the oracle, in standardised units.
struct OracleBends: Sendable {
  /// Places at which differences are taken, and their length in deviations.
  static let places = 60
  static let step = 0.25

  /// Per output: mean |∂f/∂z_i|.
  var relevance: [[Double]]
  /// Per output: mean |∂²f/∂z_i∂z_k|, inputs × inputs; zero where no unit sees both.
  var strengths: [Matrix]

  /// - Parameters:
  ///   - oracle: of the rates.
  ///   - scaling: by whose deviations inputs move.
  ///   - deviations: of the outputs.
  ///   - points: where; evenly spaced ones of them are taken.
  ///   - isSeen: whether any output has a unit that sees both inputs.
  init(
    _ oracle: RateOracle, scaling: Standardisation, deviations: [Double], at points: [[Double]],
    isSeen: (Int, Int) -> Bool
  ) {
    let width = scaling.count
    let outputs = deviations.count
    let count = min(Self.places, points.count)
    relevance = Array(repeating: Array(repeating: 0, count: width), count: outputs)
    strengths = Array(repeating: Matrix(rows: width, columns: width), count: outputs)
    for place in 0..<count {
      let point = points[place * points.count / count]
      func rates(_ moves: [(Int, Double)]) -> [Double] {
        var moved = point
        for (input, length) in moves {
          moved[input] += length * Self.step * scaling.deviation[input]
        }
        let rates = oracle.step(from: moved).rates
        return zip(rates, deviations).map { $0 / $1 / Double(count) }
      }
      let here = rates([])
      let up = (0..<width).map { rates([($0, 1)]) }
      let down = (0..<width).map { rates([($0, -1)]) }
      for output in 0..<outputs {
        for input in 0..<width {
          relevance[output][input] +=
            abs(up[input][output] - down[input][output]) / (2 * Self.step)
          strengths[output][input, input] +=
            abs(up[input][output] - 2 * here[output] + down[input][output])
            / (Self.step * Self.step)
        }
      }
      for first in 0..<width {
        for second in (first + 1)..<max(first + 1, width) where isSeen(first, second) {
          let both = rates([(first, 1), (second, 1)])
          for output in 0..<outputs {
            let bend =
              abs(both[output] - up[first][output] - up[second][output] + here[output])
              / (Self.step * Self.step)
            strengths[output][first, second] += bend
            strengths[output][second, first] += bend
          }
        }
      }
    }
  }
}
