import LinearAlgebra

/// Errors of a model, averaged over the trajectories that count.
public struct ForecastMeans: Equatable, Sendable {
  /// Trajectories, or pairs of member and trajectory, that were averaged.
  public var pairs = 0
  /// Mean over pairs and samples, per state; their mean over the states is the usual figure.
  public var absolute: [Double]
  public var squared: [Double]

  /// Over the trajectories of each model for which `counts` says so.
  public init(
    _ models: [ForecastErrors], horizon: Int, counts: (_ member: Int, _ trajectory: Int) -> Bool
  ) {
    let states = models.first?.states ?? 0
    absolute = Array(repeating: 0, count: states)
    squared = absolute
    for (member, errors) in models.enumerated() {
      for trajectory in 0..<errors.trajectories
      where errors.reaches(trajectory, horizon: horizon) && counts(member, trajectory) {
        pairs += 1
        for state in 0..<states {
          absolute[state] += errors.absolute(trajectory, horizon: horizon, state: state)
          squared[state] += errors.squared(trajectory, horizon: horizon, state: state)
        }
      }
    }
    absolute = absolute.map { $0 / Double(pairs) }
    squared = squared.map { $0 / Double(pairs) }
  }

  /// Nil where there is nothing to average.
  public var meanAbsolute: Double? { pairs == 0 ? nil : absolute.mean }
  public var meanSquared: Double? { pairs == 0 ? nil : squared.mean }
}

/// The errors of a group of models within one horizon, summarised.
public struct ForecastSummary: Equatable, Sendable {
  public var horizon: Int
  /// Pairs of member and trajectory as long as the horizon.
  public var pairs: Int
  /// Shares of them that diverged.
  public var diverged: Double
  public var divergedByTimeMean: Double
  /// Over the pairs that did not diverge (instantaneous).
  public var undiverged: ForecastMeans
  /// Over the pairs in which no compared group's member of the same number diverged.
  public var common: ForecastMeans
  /// Of the members' mean forecast; nil for a single member.
  public var mean: ForecastMeans?
  public var meanDiverged: Double?
  /// Share of the samples that the band covers, per state.
  public var coverage: [Double]?

  /// - Parameters:
  ///   - group: the models.
  ///   - horizon: by number.
  ///   - compared: the groups that must not diverge for a pair to be common.
  public init?(
    _ group: RollingForecast.GroupOutcome, horizon: Int, compared: [RollingForecast.GroupOutcome]
  ) {
    guard let first = group.members.first else { return nil }
    let reaching = (0..<first.trajectories).filter { first.reaches($0, horizon: horizon) }
    guard !reaching.isEmpty else { return nil }
    self.horizon = first.horizons[horizon]
    pairs = reaching.count * group.members.count
    func share(_ models: [ForecastErrors], _ criterion: ForecastErrors.Criterion) -> Double {
      let diverged = models.reduce(0) { total, errors in
        total + reaching.count { errors.diverged($0, horizon: horizon, by: criterion) }
      }
      return Double(diverged) / Double(models.count * reaching.count)
    }
    func held(_ errors: ForecastErrors, _ trajectory: Int) -> Bool {
      !errors.diverged(trajectory, horizon: horizon, by: .instantaneous)
    }
    diverged = share(group.members, .instantaneous)
    divergedByTimeMean = share(group.members, .timeMean)
    undiverged = ForecastMeans(group.members, horizon: horizon) { held(group.members[$0], $1) }
    common = ForecastMeans(group.members, horizon: horizon) { member, trajectory in
      compared.allSatisfy { other in
        // A group of one, a reference for instance, stands beside every member.
        let index = other.members.count == 1 ? 0 : member
        return index < other.members.count && held(other.members[index], trajectory)
      }
    }
    if let ofMean = group.mean {
      mean = ForecastMeans([ofMean], horizon: horizon) { held(ofMean, $1) }
      meanDiverged = share([ofMean], .instantaneous)
      coverage = group.covered[horizon].map {
        $0.all == 0 ? .nan : Double($0.inside) / Double($0.all)
      }
    }
  }
}
