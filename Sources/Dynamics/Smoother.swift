import LinearAlgebra
import RealModule

/// Data without most of their measurement noise, with what is known of their rates.
public struct Smoothing: Sendable {
  public var data: Trajectories
  /// Variances of the rates (x(k+1) − x(k))/Δt, samples × states for each trajectory; zero for states
  /// that were left as they are. The last sample's is of no use. Nil where all were left as they are.
  public var rateVariances: [Matrix]?
  public var states: [StateReport]
  fileprivate(set) var origin: Origin?

  /// What was smoothed.
  struct Origin: Sendable {
    var measured: [Matrix]
    fileprivate var changes: ControlChanges
  }

  /// What was found and done for a state.
  public struct StateReport: Equatable, Sendable {
    public var name: String
    /// Deviation of the measurement noise, in the state's unit; an upper bound where it was left as it is.
    public var noise: Double
    /// The same as a share of the increments' deviation.
    public var relativeNoise: Double
    /// Whether it is noise rather than fast motion.
    public var isNoise: Bool
    /// The correlation of the third differences from one to the next: −¾ of white noise, less of noise that
    /// drifts.
    public var correlation: Double
    /// Whether there is much noise and it is not white, as is assumed.
    public var noiseDrifts: Bool {
      isNoise && relativeNoise > 0.1 && correlation > -0.72
    }
    /// Measurements that are missing.
    public var gaps: Int
    /// How it was taken to move; nil if it was left as it is.
    public var motion: String?
  }

  /// What a user must know before trusting what is learnt from these data.
  public var warnings: [String] {
    var warnings: [String] = []
    let unexplained = states.filter {
      $0.isNoise && $0.relativeNoise > Smoother.threshold && $0.motion == nil
    }
    if !unexplained.isEmpty {
      warnings.append(
        "\(unexplained.map(\.name).joined(separator: ", ")) looks noisy, but no motion that is known here "
          + "explains it; its noise stays")
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

  /// Data as they are.
  public init(_ data: Trajectories) {
    self.init(data: data, rateVariances: nil, states: [])
  }

  public init(data: Trajectories, rateVariances: [Matrix]?, states: [StateReport]) {
    self.init(data: data, rateVariances: rateVariances, states: states, origin: nil)
  }

  fileprivate init(
    data: Trajectories, rateVariances: [Matrix]?, states: [StateReport], origin: Origin?
  ) {
    self.data = data
    self.rateVariances = rateVariances
    self.states = states
    self.origin = origin
  }

  /// The trajectories of these numbers; what was found of the noise is that of all.
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
  /// With these states instead of what they were.
  fileprivate func taking(_ columns: [Smoother.Column]) throws -> Smoothing {
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
    return Smoothing(
      data: try Trajectories(
        variables: data.variables, timeStep: data.timeStep, samples: samples,
        attributes: data.attributes, gaps: data.gaps),
      rateVariances: variances, states: states, origin: origin)
  }
}

extension [Double] {
  /// 0, then the sums of the values so far, times the step: one more than there are values.
  fileprivate func integrated(by step: Double) -> [Double] {
    reduce(into: [0]) { sums, value in sums.append((sums.last ?? 0) + step * value) }
  }
}

extension Matrix {
  fileprivate func rows(_ range: Range<Int>) -> Matrix {
    submatrix(rows: Array(range), columns: Array(0..<columns))
  }
}

/// Takes measurement noise out of recorded states and fills gaps in them, state by state and trajectory by
/// trajectory, by a Kalman smoother whose motion model is chosen by likelihood.
///
/// The noise is taken to be white and of one size for a state; controls are taken as known. Where a control
/// changes the rates may jump: by anything, or, where that is more likely, by about what a linear fit of
/// the jumps to the controls' changes says.
public struct Smoother: Sendable {
  /// A state is left as it is when its noise is below this share of its increments' deviation, or what
  /// looks like noise is not.
  public static let threshold = 1e-3
  /// A correlation of third differences (see `StateReport`) below which it is noise.
  static let isNoiseBelow = -0.5
  public var threads: Int

  public init(threads: Int) { self.threads = threads }

  public func run(_ data: Trajectories) async throws -> Smoothing {
    let (reports, chosen, changes) = examine(data)
    let columns = try await concurrentMap(chosen.count, threads: threads) {
      smooth(chosen[$0], of: data, changes, reports[chosen[$0]])
    }
    return try assembled(data, reports, columns)
  }

  /// The same on this thread.
  public func run(_ data: Trajectories) throws -> Smoothing {
    let (reports, chosen, changes) = examine(data)
    return try assembled(
      data, reports, chosen.map { smooth($0, of: data, changes, reports[$0]) })
  }

  /// What each state is like, which of them need smoothing, and for those how the controls move.
  private func examine(_ data: Trajectories) -> (
    reports: [Smoothing.StateReport], chosen: [Int], changes: ControlChanges
  ) {
    let reports = data.states.indices.map { report($0, of: data) }
    let chosen = reports.indices.filter { needsSmoothing(reports[$0]) }
    return (reports, chosen, ControlChanges(chosen.isEmpty ? [] : data.samples, data))
  }

  private func assembled(
    _ data: Trajectories, _ reports: [Smoothing.StateReport], _ columns: [Column]
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

  /// Smooths again, with what a model says of the rates taken out of the measurements first: what is left
  /// moves little and slowly, so that much less of the noise passes for motion.
  ///
  /// - Parameter rates: of the model where the smoothed states are, steps × states for each trajectory.
  /// - Returns: the same for data that were left as they are or have gaps that could not be filled.
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
  ) -> [Series] {
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
    let (noise, correlation) = Self.noise(some)
    let isNoise = correlation < Self.isNoiseBelow
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
    report.isNoise && report.relativeNoise > Self.threshold || report.gaps > 0
  }

  fileprivate typealias Series = (value: [Double], changeVariance: [Double])
  /// No motion, and nothing smoothed, where none explains the state.
  fileprivate typealias Column = (state: Int, motion: String?, smoothed: [Series])

  private func smooth(
    _ state: Int, of data: Trajectories, _ changes: ControlChanges,
    _ report: Smoothing.StateReport
  ) -> Column {
    let series = data.samples.map { $0.column(state) }
    let increments = series.flatMap { Self.differences($0, order: 1) }.filter(\.isFinite)
    let deviation = increments.standardDeviation
    // Gaps in exact measurements are filled as if these had a thousandth of what would count as noise.
    let unit = max(report.isNoise ? report.noise : 0, 1e-3 * Self.threshold * deviation)
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

  /// Smooths a state with events too rare to be likely: where measurements contradict the motion, the rate
  /// may do anything, as far as it takes. Nil if even that does not explain them.
  private func smoothedWithEvents(
    _ series: [[Double]], _ scaled: [[Double]], _ found: MotionSearch.Found, _ unit: Double
  ) -> [Series]? {
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

  /// The series that are further from their smoothed values than noise is: more than √2 of it on
  /// average, or ten times as far somewhere.
  private static func unexplained(_ series: [[Double]], by smoothed: [Series], noise: Double)
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

  /// What third differences, which slow motion hardly reaches, say of a state's noise: its deviation,
  /// 1.4826 median |Δ³x|/√20, and the correlation of third differences from one to the next: −¾ of white
  /// noise, −⅔ of a random walk, positive of motion.
  static func noise(_ series: [[Double]]) -> (deviation: Double, correlation: Double) {
    let third = series.map { Self.differences($0, order: 3) }
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

  /// The controls that look as if they were measured with noise, and how much of it there is in units of their
  /// deviations.
  public static func noisyControls(_ data: Trajectories) -> [(name: String, share: Double)] {
    data.controls.enumerated().compactMap { number, control in
      let series = data.samples.map { $0.column(data.states.count + number) }
      let deviation = series.flatMap { $0 }.standardDeviation
      let (noise, correlation) = noise(series)
      guard correlation < isNoiseBelow, noise > threshold * deviation else { return nil }
      return (control.name, noise / deviation)
    }
  }

  private static func differences(_ values: [Double], order: Int) -> [Double] {
    (0..<order).reduce(values) { values, _ in zip(values.dropFirst(), values).map { $0 - $1 } }
  }

  /// Eight series at a time; shorter ones end in gaps.
  private static func smooth(
    _ series: [[Double]], _ jumps: [[Jump]], _ model: MotionModel, unit: Double
  ) -> [Series] {
    stride(from: 0, to: series.count, by: 8).flatMap { first -> [Series] in
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

/// The likelihood of motion models for some of the series, of together about 25,000 samples.
private struct MotionSearch {
  private static let limit = 25_000
  private var series: [(index: Int, values: [Double])] = []

  init(_ all: [[Double]]) {
    let step = max(1, all.reduce(0) { $0 + $1.count } / Self.limit)
    _ = add(Array(stride(from: 0, to: all.count, by: step)), of: all)
  }

  /// - Returns: whether any is new.
  mutating func add(_ indices: [Int], of all: [[Double]]) -> Bool {
    let new = indices.filter { index in !series.contains { $0.index == index } }.prefix(8)
    series += new.map { ($0, Array(all[$0].prefix(Self.limit))) }
    return !new.isEmpty
  }

  /// A motion, and where it jumps.
  struct Found {
    var motion: MotionModel
    var jumps: ControlChanges.Jumps

    var words: String {
      motion.kind.rawValue + (jumps.hasShifts ? ", jumps with the inputs" : "")
    }
  }

  /// The best over all kinds and J, for each way in which the controls may act.
  ///
  /// - Parameter candidates: not empty.
  func mostLikely(_ candidates: [ControlChanges.Jumps], start: Double) -> Found {
    let all = candidates.map { jumps in
      // Where the jumps are known, what is left of them is in units of the noise.
      let scales =
        jumps.hasShifts
        ? [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6] : [1, 1e-2, 1e-4, 1e-6].map { $0 * start }
      let best = mostLikely(jumps, kinds: MotionModel.Kind.allCases, jumps: scales, start: start)
      return (found: Found(motion: best.model, jumps: jumps), likelihood: best.likelihood)
    }
    return all.dropFirst().reduce(all[0]) { $1.likelihood > $0.likelihood ? $1 : $0 }.found
  }

  /// The best of these kinds, of q in powers of ten, and of these J.
  func mostLikely(
    _ known: ControlChanges.Jumps, kinds: [MotionModel.Kind], jumps: [Double], start: Double
  ) -> (model: MotionModel, likelihood: Double) {
    var best = (
      model: MotionModel(kind: .smoothChange, wandering: 1, jump: start, start: start),
      likelihood: -Double.infinity
    )
    for kind in kinds {
      for jump in jumps {
        for exponents in [Array(-12...(-5)), Array(-4...3)] {
          var wandering = SIMD8<Double>()
          for lane in 0..<8 { wandering[lane] = .pow(10, exponents[lane]) }
          let model = { MotionModel(kind: kind, wandering: $0, jump: jump, start: start) }
          let likelihood = series.reduce(SIMD8<Double>.zero) { sum, one in
            sum
              + StateTracker.logLikelihood(
                one.values, known.trajectories[one.index], model(0), wandering: wandering)
          }
          for lane in 0..<8 where likelihood[lane] > best.likelihood {
            best = (model(wandering[lane]), likelihood[lane])
          }
        }
      }
    }
    return best
  }
}

/// Where the controls change, and what that says about the rates of a state.
private struct ControlChanges: Sendable {
  /// Samples × controls: u(k) − u(k − 1), zero at the first and where it may be noise.
  private var changes: [Matrix]

  struct Jumps {
    var trajectories: [[Jump]]
    var hasShifts: Bool

    /// Lets the rate jump at measurements that are further than four times the noise from what was made of
    /// them, and around them; more each time.
    ///
    /// - Parameter residuals: in units of the noise, NaN in gaps.
    mutating func loosen(where residuals: [[Double]]) {
      for (trajectory, series) in residuals.enumerated() {
        var least = [Double](repeating: 0, count: series.count)
        for (sample, residual) in series.enumerated() where abs(residual) > 4 {
          for near in max(0, sample - 2)..<min(series.count, sample + 3) {
            least[near] = max(least[near], residual * residual)
          }
        }
        for (sample, least) in least.enumerated() where least > 0 {
          let floor = trajectories[trajectory][sample].floor
          trajectories[trajectory][sample].floor = max(10 * floor, least)
        }
      }
    }
  }

  init(_ samples: [Matrix], _ data: Trajectories) {
    let first = data.states.count
    let least = data.controls.indices.map { control in
      let (noise, correlation) = Smoother.noise(samples.map { $0.column(first + control) })
      return correlation < Smoother.isNoiseBelow ? 6 * noise : 0
    }
    changes = samples.map { samples in
      Matrix(rows: samples.rows, columns: data.controls.count) { row, control in
        guard row > 0 else { return 0 }
        let change = samples[row, first + control] - samples[row - 1, first + control]
        return abs(change) > least[control] ? change : 0
      }
    }
  }

  func choosing(_ indices: [Int]) -> ControlChanges {
    var result = self
    result.changes = indices.map { changes[$0] }
    return result
  }

  /// The rate may jump by anything where a control changes.
  var unknownJumps: Jumps {
    Jumps(
      trajectories: changes.map { matrix in
        (0..<matrix.rows).map { row in
          Jump(share: matrix.row(row).contains { $0 != 0 } ? 1 : 0)
        }
      }, hasShifts: false)
  }

  /// Jumps by bᵀ Δu, with b a least-squares fit of second differences to the controls' changes. For those
  /// effects that are significant (|t| > 3) the jump is known but for a share J of its square, for the
  /// others all that is known is how large it may be. Nil without controls that change.
  ///
  /// - Parameter series: in units of the measurement noise.
  func jumps(of series: [[Double]]) -> Jumps? {
    guard let effects = effects(on: series) else { return nil }
    let isSignificant = effects.map { $0.value * $0.value > 9 * $0.variance }
    let trajectories = changes.map { matrix in
      (0..<matrix.rows).map { row in
        var jump = Jump(share: 0)
        for (control, effect) in effects.enumerated() {
          let change = matrix[row, control]
          let square = effect.value * effect.value * change * change
          jump.floor += effect.variance * change * change
          if isSignificant[control] {
            jump.shift += effect.value * change
            jump.share += square
          } else {
            jump.floor += square
          }
        }
        return jump
      }
    }
    return Jumps(trajectories: trajectories, hasShifts: isSignificant.contains(true))
  }

  private func effects(on series: [[Double]]) -> [(value: Double, variance: Double)]? {
    let count = changes.first?.columns ?? 0
    var normal = Matrix(rows: count, columns: count)
    var right = [Double](repeating: 0, count: count)
    for (values, matrix) in zip(series, changes) where values.count > 2 {
      for row in 1..<(values.count - 1) {
        let bend = values[row + 1] - 2 * values[row] + values[row - 1]
        let change = matrix.row(row)
        guard bend.isFinite, change.contains(where: { $0 != 0 }) else { continue }
        for i in 0..<count {
          for j in 0...i { normal[i, j] += matrix[row, i] * matrix[row, j] }
          right[i] += matrix[row, i] * bend
        }
      }
    }
    // Controls that move as one share their effect.
    for i in 0..<count { normal[i, i] = normal[i, i] * (1 + 1e-9) + .leastNormalMagnitude }
    guard count > 0, let values = normal.solvePositiveDefinite(right) else { return nil }
    // Second differences of unit noise have a variance of 6.
    let variances = (0..<count).map { i in
      6 * (normal.solvePositiveDefinite((0..<count).map { $0 == i ? 1 : 0 })?[i] ?? 0)
    }
    return zip(values, variances).map { ($0, $1) }
  }
}
