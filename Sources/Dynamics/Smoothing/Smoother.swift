import LinearAlgebra

/// Removes measurement noise from recorded states and fills gaps in them, state by state and trajectory by
/// trajectory, by a Kalman smoother whose motion model is chosen by likelihood.
///
/// The noise is assumed white and of constant size for each state, the controls exact. Where a control changes the
/// rates may jump: by any amount or, where that is more likely, by about what a linear fit of the jumps to the
/// controls' changes predicts.
public struct Smoother: Sendable {
  /// Noise above this share of the increments' standard deviation is checked (see `NoiseCheck`); less noise cannot
  /// be told from the errors of the regression.
  static let worthChecking = 0.1
  /// At least this share of its variance must prove to be measurement noise.
  static let leastShare = 0.2
  public var threads: Int

  public init(threads: Int) { self.threads = threads }

  public func run(_ data: Trajectories) async throws -> Smoothing {
    let (reports, chosen, changes) = examine(data)
    let columns = try await concurrentMap(chosen.count, threads: threads) {
      smooth(chosen[$0], of: data, changes, reports[chosen[$0]])
    }
    return try assembled(data, reports, columns)
  }

  /// Smooths on the calling thread.
  public func run(_ data: Trajectories) throws -> Smoothing {
    let (reports, chosen, changes) = examine(data)
    return try assembled(
      data, reports, chosen.map { smooth($0, of: data, changes, reports[$0]) })
  }

  /// The properties of each state, which states need smoothing, and for those how the controls move.
  private func examine(_ data: Trajectories) -> (
    reports: [Smoothing.StateReport], chosen: [Int], changes: ControlChanges
  ) {
    var reports = data.states.indices.map { report($0, of: data) }
    if reports.contains(where: { needsSmoothing($0) && $0.relativeNoise > Self.worthChecking }) {
      let found = NoiseCheck(data).variances
      for state in reports.indices where reports[state].relativeNoise > Self.worthChecking {
        let claimed = reports[state].noise * reports[state].noise
        reports[state].whiteShare = found[state].map { $0 / claimed }
        reports[state].movesTheState =
          reports[state].whiteShare.map { $0 < Self.leastShare } ?? false
      }
    }
    let chosen = reports.indices.filter { needsSmoothing(reports[$0]) }
    return (reports, chosen, ControlChanges(chosen.isEmpty ? [] : data.samples, data))
  }

  private func assembled(
    _ data: Trajectories, _ reports: [Smoothing.StateReport], _ columns: [Smoothing.Column]
  ) throws -> Smoothing {
    guard columns.contains(where: { $0.motion != nil }) else {
      return Smoothing(data: data, rateVariances: nil, states: reports)
    }
    var reports = reports
    for column in columns { reports[column.state].motion = column.motion }
    let nothing = Smoothing(
      data: data, rateVariances: data.samples.map { Matrix(rows: $0.rows, columns: reports.count) },
      states: reports,
      origin: Smoothing.Origin(
        measured: data.samples, changes: ControlChanges(data.samples, data)))
    return try nothing.taking(columns)
  }

  /// Smooths again after subtracting from the measurements the motion that a model predicts: the remainder moves
  /// little and slowly, so that much less noise is mistaken for motion.
  ///
  /// - Parameter rates: of the model at the smoothed states, steps × states for each trajectory.
  /// - Returns: `smoothing` itself for data that were left unchanged or have gaps that could not be filled.
  package func run(again smoothing: Smoothing, rates: [Matrix]) throws -> Smoothing {
    guard let origin = smoothing.origin, smoothing.data.missingValues.allSatisfy({ $0 == 0 })
    else { return smoothing }
    let jumps = origin.changes.unknownJumps
    return try smoothing.taking(
      smoothing.states.indices.compactMap { state in
        smoothing.states[state].motion.map { motion in
          let drifts = rates.map { $0.column(state).integrated(by: smoothing.data.timeStep) }
          let series = zip(origin.measured, drifts).map { zip($0.column(state), $1).map(-) }
          let smoothed = smoothRemainder(series, jumps, noise: smoothing.states[state].noise)
          return (
            state, motion,
            zip(smoothed, drifts).map { (zip($0.value, $1).map(+), $0.changeVariance) }
          )
        }
      })
  }

  /// - Parameter series: what a model does not explain of a state.
  private func smoothRemainder(
    _ series: [[Double]], _ jumps: ControlChanges.Jumps, noise: Double
  ) -> [Smoothing.Series] {
    let scaled = series.map { values in values.map { $0 / noise } }
    let search = MotionSearch(scaled)
    var best = (
      model: MotionModel(kind: .wanderingChange, wandering: 1, jump: 1, start: 1),
      likelihood: -Double.infinity
    )
    for jump in [1e2, 1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10] {
      let found = search.mostLikely(
        jumps, kinds: [.wanderingChange], jumps: [jump], start: max(jump, 1e-4))
      if found.likelihood > best.likelihood { best = found }
    }
    return Self.smooth(scaled, jumps.trajectories, best.model, unit: noise)
  }

  private func report(_ state: Int, of data: Trajectories) -> Smoothing.StateReport {
    // A median of 40,000 is known to a percent.
    let step = max(1, data.sampleCount / 40_000)
    let some = stride(from: 0, to: data.samples.count, by: step).map {
      data.samples[$0].column(state)
    }
    let (noise, correlation) = SeriesNoise.measured(in: some)
    let isNoise = correlation < SeriesNoise.isNoiseBelow
    var sum = 0.0
    var squares = 0.0
    var count = 0.0
    var gaps = 0
    for matrix in data.samples {
      for row in 0..<matrix.rows {
        if !matrix[row, state].isFinite { gaps += 1 }
        let increment = row > 0 ? matrix[row, state] - matrix[row - 1, state] : .nan
        guard increment.isFinite else { continue }
        count += 1
        sum += increment
        squares += increment * increment
      }
    }
    let deviation = count > 0 ? max(0, squares / count - sum * sum / count / count).squareRoot() : 0
    return Smoothing.StateReport(
      name: data.variables[state].name, noise: noise,
      relativeNoise: deviation > 0 ? noise / deviation : 0, isNoise: isNoise,
      correlation: correlation, gaps: gaps)
  }

  private func needsSmoothing(_ report: Smoothing.StateReport) -> Bool {
    report.isNoise && !report.movesTheState && report.relativeNoise > SeriesNoise.negligible
      || report.gaps > 0
  }

  private func smooth(
    _ state: Int, of data: Trajectories, _ changes: ControlChanges,
    _ report: Smoothing.StateReport
  ) -> Smoothing.Column {
    let series = data.samples.map { $0.column(state) }
    let increments = series.flatMap { SeriesNoise.differences($0, order: 1) }.filter(\.isFinite)
    let deviation = increments.standardDeviation
    // Gaps in exact measurements are filled as if these had a thousandth of what would count as noise.
    let unit = max(
      report.isNoise && !report.movesTheState ? report.noise : 0,
      1e-3 * SeriesNoise.negligible * deviation)
    let scaled = series.map { values in values.map { $0 / unit } }
    let largest = increments.map { abs($0 / unit) }.max() ?? 1
    let start = 4 * largest * largest
    let candidates = [changes.unknownJumps] + [changes.jumps(of: scaled)].compactMap { $0 }
    var search = MotionSearch(scaled)
    var found = search.mostLikely(candidates, start: start)
    for _ in 0..<4 {
      let smoothed = Self.smooth(scaled, found.jumps.trajectories, found.motion, unit: unit)
      let strange = Self.unexplained(series, by: smoothed, noise: unit)
      if strange.isEmpty { return (state, found.words, smoothed) }
      // What moves as none of those that were searched does joins them.
      guard search.add(strange, of: scaled) else { break }
      found = search.mostLikely(candidates, start: start)
    }
    guard let smoothed = smoothedWithEvents(series, scaled, found, unit) else {
      return (state, nil, [])
    }
    return (state, found.words + ", and events", smoothed)
  }

  /// Smooths a state with events too rare for its motion model: where measurements contradict the motion, the rate
  /// may change by whatever is needed. Nil if even that does not explain the measurements.
  private func smoothedWithEvents(
    _ series: [[Double]], _ scaled: [[Double]], _ found: MotionSearch.Found, _ unit: Double
  ) -> [Smoothing.Series]? {
    var jumps = found.jumps
    for _ in 0..<6 {
      let smoothed = Self.smooth(scaled, jumps.trajectories, found.motion, unit: unit)
      if Self.unexplained(series, by: smoothed, noise: unit).isEmpty { return smoothed }
      jumps.loosen(
        where: zip(series, smoothed).map { values, smoothed in
          zip(values, smoothed.value).map { ($0 - $1) / unit }
        })
    }
    return nil
  }

  /// The series that are further from their smoothed values than the noise explains: more than √2 times the noise
  /// on average, or ten times somewhere.
  private static func unexplained(
    _ series: [[Double]], by smoothed: [Smoothing.Series], noise: Double
  )
    -> [Int]
  {
    series.indices.filter { index in
      let residuals = zip(series[index], smoothed[index].value).map { ($0 - $1) / noise }
        .filter(\.isFinite)
      let square = residuals.reduce(0) { $0 + $1 * $1 }
      return square > 2 * Double(residuals.count) + 20
        || residuals.contains { abs($0) > 10 }
    }
  }

  /// The controls that appear to be measured with noise, and its size in units of their standard deviations.
  public static func noisyControls(_ data: Trajectories) -> [(name: String, share: Double)] {
    data.controls.enumerated().compactMap { number, control in
      let series = data.samples.map { $0.column(data.states.count + number) }
      let deviation = series.flatMap { $0 }.standardDeviation
      let (noise, correlation) = SeriesNoise.measured(in: series)
      guard correlation < SeriesNoise.isNoiseBelow, noise > SeriesNoise.negligible * deviation
      else { return nil }
      return (control.name, noise / deviation)
    }
  }

  /// Eight series at a time; shorter ones end in gaps.
  private static func smooth(
    _ series: [[Double]], _ jumps: [[Jump]], _ model: MotionModel, unit: Double
  ) -> [Smoothing.Series] {
    stride(from: 0, to: series.count, by: 8).flatMap { first -> [Smoothing.Series] in
      let chosen = Array(first..<min(first + 8, series.count))
      let smoothed = StateTracker.smooth(
        chosen.map { series[$0] }, chosen.map { jumps[$0] }, model)
      return chosen.enumerated().map { lane, index in
        (
          series[index].indices.map { smoothed.value[$0][lane] * unit },
          series[index].indices.map { max(0, smoothed.changeVariance[$0][lane]) * unit * unit }
        )
      }
    }
  }
}

extension [Double] {
  /// 0, then the sums of the values so far, times the step: one more than there are values.
  fileprivate func integrated(by step: Double) -> [Double] {
    reduce(into: [0]) { sums, value in sums.append((sums.last ?? 0) + step * value) }
  }
}
