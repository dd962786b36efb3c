import LinearAlgebra

/// Data after removal of most measurement noise, with what is known of their rates.
public struct Smoothing: Sendable {
  public var data: Trajectories
  /// Variances of the rates (x(k+1) − x(k))/Δt, samples × states for each trajectory; zero for states that were
  /// left unchanged. The last sample's value is meaningless. Nil if all states were left unchanged.
  public var rateVariances: [Matrix]?
  public var states: [StateReport]
  var origin: Origin?

  /// What was smoothed.
  struct Origin: Sendable {
    var measured: [Matrix]
    var changes: ControlChanges
  }

  /// What was found and done for a state.
  public struct StateReport: Equatable, Sendable {
    public var name: String
    /// Standard deviation of the measurement noise, in the state's unit; an upper bound where the state was left
    /// unchanged.
    public var noise: Double
    /// The noise as a share of the standard deviation of the increments.
    public var relativeNoise: Double
    /// Whether it is noise rather than fast motion.
    public var isNoise: Bool
    /// Whether what looks like measurement noise moves the state itself: a disturbance, or motion too fast for the
    /// sampling step. It is not removed.
    public var movesTheState = false
    /// The share of its variance that proves to be white measurement noise (see `NoiseCheck`); nil if unchecked.
    public var whiteShare: Double?
    /// The correlation of successive third differences: −¾ for white noise, smaller in magnitude for noise that
    /// drifts.
    public var correlation: Double
    /// Whether the noise is large and not white, as the smoother assumes it to be.
    public var noiseDrifts: Bool {
      isNoise && !movesTheState && relativeNoise > 0.1 && correlation > -0.72
        && (whiteShare ?? 0) < 0.45
    }
    /// Measurements that are missing.
    public var gaps: Int
    /// The motion model that was chosen; nil if the state was left unchanged.
    public var motion: String?
  }

  /// What a user must know before relying on what is learnt from these data.
  public var warnings: [String] {
    var warnings: [String] = []
    let unexplained = states.filter {
      $0.isNoise && !$0.movesTheState && $0.relativeNoise > SeriesNoise.negligible
        && $0.motion == nil
    }
    if !unexplained.isEmpty {
      warnings.append(
        "\(unexplained.map(\.name).joined(separator: ", ")) looks noisy, but no motion that is known here "
          + "explains it; its noise stays")
    }
    let moved = states.filter { $0.isNoise && $0.movesTheState }
    if !moved.isEmpty {
      warnings.append(
        "what looks like noise in \(moved.map(\.name).joined(separator: ", ")) moves the state itself "
          + "(disturbances, or motion too fast for the time step): it is not taken out")
    }
    let drifting = states.filter(\.noiseDrifts)
    if !drifting.isEmpty {
      warnings.append(
        "the noise of \(drifting.map(\.name).joined(separator: ", ")) is not white: what drifts from sample "
          + "to sample is taken for motion; expect spurious and lost dependencies, and judge forecasts by "
          + "other data")
    }
    return warnings
  }

  /// Data without any smoothing.
  public init(_ data: Trajectories) {
    self.init(data: data, rateVariances: nil, states: [])
  }

  public init(data: Trajectories, rateVariances: [Matrix]?, states: [StateReport]) {
    self.init(data: data, rateVariances: rateVariances, states: states, origin: nil)
  }

  init(
    data: Trajectories, rateVariances: [Matrix]?, states: [StateReport], origin: Origin?
  ) {
    self.data = data
    self.rateVariances = rateVariances
    self.states = states
    self.origin = origin
  }

  /// The trajectories with these numbers; the reports on noise remain those of all trajectories.
  public func choosing(_ indices: [Int]) -> Smoothing {
    Smoothing(
      data: data.choosing(indices),
      rateVariances: rateVariances.map { variances in indices.map { variances[$0] } },
      states: states,
      origin: origin.map { origin in
        Origin(
          measured: indices.map { origin.measured[$0] }, changes: origin.changes.choosing(indices))
      })
  }

  /// As `Trajectories.split`.
  public func split(validationFraction: Double) -> (training: Smoothing, validation: Smoothing?) {
    let (first, second) = data.split(validationFraction: validationFraction)
    var training = self
    training.data = first
    training.origin = nil
    training.rateVariances = rateVariances.map { variances in
      zip(variances, first.samples).map { $0.rows(0..<$1.rows) }
    }
    guard let second else { return (training, nil) }
    var validation = self
    validation.data = second
    validation.origin = nil
    validation.rateVariances = rateVariances.map { variances in
      zip(variances.suffix(second.samples.count), second.samples).map {
        $0.rows(($0.rows - $1.rows)..<$0.rows)
      }
    }
    return (training, validation)
  }
}

extension Smoothing {
  typealias Series = (value: [Double], changeVariance: [Double])
  /// No motion, and nothing smoothed, where none explains the state.
  typealias Column = (state: Int, motion: String?, smoothed: [Series])

  /// These data with other states.
  func taking(_ columns: [Column]) throws -> Smoothing {
    let square = data.timeStep * data.timeStep
    var samples = data.samples
    var variances = rateVariances ?? []
    for column in columns {
      for (trajectory, series) in column.smoothed.enumerated() {
        for sample in 0..<samples[trajectory].rows {
          samples[trajectory][sample, column.state] = series.value[sample]
          variances[trajectory][sample, column.state] = series.changeVariance[sample] / square
        }
      }
    }
    var smoothed = try Trajectories(
      variables: data.variables, timeStep: data.timeStep, samples: samples,
      attributes: data.attributes, gaps: data.gaps)
    smoothed.laggedFeatures = data.laggedFeatures
    return Smoothing(
      data: smoothed,
      rateVariances: variances, states: states, origin: origin)
  }
}

extension Matrix {
  fileprivate func rows(_ range: Range<Int>) -> Matrix {
    submatrix(rows: Array(range), columns: Array(0..<columns))
  }
}
