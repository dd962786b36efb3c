import LinearAlgebra

/// Errors of one model's rolling forecasts, by trajectory, horizon and state; normalised by σ_x.
public struct ForecastErrors: Equatable, Codable, Sendable {
  /// Mean over the states of |e| above which a forecast has diverged.
  public static let divergenceLimit = 3.0

  /// How a forecast is judged to have diverged within a horizon.
  public enum Criterion: String, CaseIterable, Sendable {
    /// The mean over the states of |e| exceeds 3 at some sample.
    case instantaneous
    /// The mean over the samples of some state's |e| exceeds 3.
    case timeMean
  }

  public let horizons: [Int]
  public let states: Int
  /// Samples of each trajectory.
  public private(set) var lengths: [Int]
  /// The first sample at which each trajectory's forecast diverged (instantaneous), within the longest
  /// horizon.
  public var divergedAt: [Int?]
  /// Sums over the samples, trajectory by trajectory, horizon by horizon.
  private var absolute: [Double]
  private var squared: [Double]

  init(horizons: [Int], states: Int, lengths: [Int]) {
    self.horizons = horizons
    self.states = states
    self.lengths = lengths
    divergedAt = Array(repeating: nil, count: lengths.count)
    absolute = Array(repeating: .nan, count: lengths.count * horizons.count * states)
    squared = absolute
  }

  public var trajectories: Int { lengths.count }

  /// Whether all arrays have the lengths that trajectories, horizons and states ask for.
  public func isWhole(horizons: [Int], states: Int, lengths: [Int]) -> Bool {
    let sums = lengths.count * horizons.count * states
    return self.horizons == horizons && self.states == states && self.lengths == lengths
      && divergedAt.count == lengths.count && absolute.count == sums && squared.count == sums
  }

  private func place(_ trajectory: Int, _ horizon: Int, _ state: Int) -> Int {
    (trajectory * horizons.count + horizon) * states + state
  }

  mutating func note(
    trajectory: Int, horizon: Int, state: Int, absolute: Double, squared: Double
  ) {
    self.absolute[place(trajectory, horizon, state)] = absolute
    self.squared[place(trajectory, horizon, state)] = squared
  }

  func joined(with other: ForecastErrors) -> ForecastErrors {
    var result = self
    result.lengths += other.lengths
    result.divergedAt += other.divergedAt
    result.absolute += other.absolute
    result.squared += other.squared
    return result
  }

  /// Whether the trajectory is as long as the horizon; shorter trajectories do not count.
  public func reaches(_ trajectory: Int, horizon: Int) -> Bool {
    lengths[trajectory] >= horizons[horizon]
  }

  /// Mean of |e| over the samples within the horizon.
  public func absolute(_ trajectory: Int, horizon: Int, state: Int) -> Double {
    absolute[place(trajectory, horizon, state)] / Double(horizons[horizon])
  }

  /// Mean of e² over the samples within the horizon.
  public func squared(_ trajectory: Int, horizon: Int, state: Int) -> Double {
    squared[place(trajectory, horizon, state)] / Double(horizons[horizon])
  }

  public func diverged(_ trajectory: Int, horizon: Int, by criterion: Criterion) -> Bool {
    switch criterion {
    case .instantaneous: (divergedAt[trajectory] ?? .max) < horizons[horizon]
    case .timeMean:
      (0..<states).contains {
        !(absolute(trajectory, horizon: horizon, state: $0) <= Self.divergenceLimit)
      }
    }
  }
}
