import Foundation
import LinearAlgebra

/// The errors of all forecasts of an ensemble within a horizon, members × trajectories: the mean over states and
/// samples of |e|, at most `limit`, which is also the value of a diverged forecast. Unlike means over forecasts
/// that did not diverge, this does not favour models that diverge.
package struct BoundedErrors: Sendable {
  package static let limit = RollingForecast.divergenceLimit

  /// Members × trajectories.
  package let values: [[Double]]
  package let diverged: [[Bool]]

  /// - Parameter horizon: by number; trajectories shorter than it are left out.
  package init(_ members: [ForecastErrors], horizon: Int) {
    let trajectories = (0..<(members.first?.trajectories ?? 0)).filter { trajectory in
      members.allSatisfy { $0.reaches(trajectory, horizon: horizon) }
    }
    diverged = members.map { errors in
      trajectories.map { errors.diverged($0, horizon: horizon, by: .instantaneous) }
    }
    values = members.map { errors in
      trajectories.map { trajectory in
        guard !errors.diverged(trajectory, horizon: horizon, by: .instantaneous) else {
          return Self.limit
        }
        let mean = (0..<errors.states).map {
          errors.absolute(trajectory, horizon: horizon, state: $0)
        }.mean
        return mean.isFinite ? min(mean, Self.limit) : Self.limit
      }
    }
  }

  package init(values: [[Double]], diverged: [[Bool]]) {
    self.values = values
    self.diverged = diverged
  }

  package var isEmpty: Bool { values.first?.isEmpty ?? true }
  package var all: [Double] { values.flatMap { $0 } }
  /// exp of the mean of ln.
  package var geometricMean: Double { Double.exp(all.map { Double.log(max($0, 1e-12)) }.mean) }
  package var divergedShare: Double {
    Double(diverged.reduce(0) { $0 + $1.count { $0 } }) / Double(max(1, all.count))
  }
}

/// One ensemble's forecasts beside another's on the same test trajectories. Intervals are percentiles of a bootstrap
/// that draws the members of each, and the trajectories of both together, with replacement: the trajectories are
/// paired, members are not (a member's number means nothing across recipes).
package struct ErrorComparison: Equatable, Sendable {
  /// Geometric mean of the second ensemble's bounded errors over that of the first's.
  package var ratio: Double
  package var ratioInterval: ClosedRange<Double>
  /// Share of forecasts that diverge, second minus first.
  package var divergence: Double
  package var divergenceInterval: ClosedRange<Double>

  /// Nil where there is nothing to compare.
  package init?(
    _ first: BoundedErrors, _ second: BoundedErrors, draws: Int = 2000, confidence: Double = 0.95,
    seed: UInt64 = 1
  ) {
    guard !first.isEmpty, !second.isEmpty, first.values[0].count == second.values[0].count else {
      return nil
    }
    let logs = [first, second].map { $0.values.map { $0.map { Double.log(max($0, 1e-12)) } } }
    let failed = [first, second].map { $0.diverged.map { $0.map { $0 ? 1.0 : 0 } } }
    ratio = second.geometricMean / first.geometricMean
    divergence = second.divergedShare - first.divergedShare
    var stream = RandomStream(seed: seed, path: [7])
    let trajectories = first.values[0].count
    var ratios: [Double] = []
    var divergences: [Double] = []
    for _ in 0..<draws {
      let chosen = Self.counts(trajectories, &stream)
      let members = logs.map { Self.counts($0.count, &stream) }
      func mean(_ values: [[Double]], _ weights: [Double]) -> Double {
        var sum = 0.0
        for (row, weight) in zip(values, weights) where weight > 0 {
          sum += weight * zip(row, chosen).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return sum / Double(values.count * trajectories)
      }
      ratios.append(Double.exp(mean(logs[1], members[1]) - mean(logs[0], members[0])))
      divergences.append(mean(failed[1], members[1]) - mean(failed[0], members[0]))
    }
    ratios.sort()
    divergences.sort()
    let (low, high) = ((1 - confidence) / 2, (1 + confidence) / 2)
    ratioInterval = ratios.quantile(low)...ratios.quantile(high)
    divergenceInterval = divergences.quantile(low)...divergences.quantile(high)
  }

  /// How often each of n was drawn in n draws.
  private static func counts(_ n: Int, _ stream: inout RandomStream) -> [Double] {
    var counts = [Double](repeating: 0, count: n)
    for _ in 0..<n { counts[stream.integer(in: 0...(n - 1))] += 1 }
    return counts
  }
}
