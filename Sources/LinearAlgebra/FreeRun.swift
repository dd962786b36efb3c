/// Free runs: functions of lagged values that are fed their own predictions, and the dependence of their errors on
/// the parameters.
///
/// From the samples up to `first` of a window on, x̂(t+1) = g(z(t)), where z holds states, predicted ones after the
/// start, and recorded controls. The derivatives of the predictions follow the recursion dx̂(t+1)/dθ = ∂g/∂θ + Σ
/// ∂g/∂x̂(t−k) dx̂(t−k)/dθ: the sensitivities of the output-error method (Ljung 1999, *System Identification*,
/// section 10.3).
public struct FreeRun: Sendable {
  /// A value of a series: those of columns below `states` are predicted.
  public struct Feature: Equatable, Sendable {
    public var column: Int
    /// Samples back; −1 for the sample that is predicted, of a control.
    public var delay: Int

    public init(column: Int, delay: Int) {
      self.column = column
      self.delay = delay
    }
  }

  /// `length` predictions in a series after the sample `first`, at which all values are known.
  public struct Window: Equatable, Sendable {
    public var series: Int
    public var first: Int
    public var length: Int

    public init(series: Int, first: Int, length: Int) {
      self.series = series
      self.first = first
      self.length = length
    }
  }

  /// ½ mean e² with its first and second (Gauss-Newton) derivatives.
  public struct Equations: Equatable, Sendable {
    /// Mean of e² over the predictions whose truth is known.
    public var loss: Double
    /// Mean of e · de/dθ.
    public var gradient: [Double]
    /// Mean of de/dθ de/dθᵀ; the lower triangle.
    public var curvature: Matrix
  }

  /// The bound, in standard deviations, at which a prediction is held: one that reaches it has diverged.
  public static let limit = 30.0

  public let states: Int
  public let features: [Feature]
  /// Standardised: samples × (states, then controls); NaN where a state was not measured.
  public let series: [Matrix]
  /// The number of samples needed before the one that a prediction starts from.
  public let history: Int
  private let stateHistory: Int

  public init(states: Int, features: [Feature], series: [Matrix]) {
    self.states = states
    self.features = features
    self.series = series
    history = max(0, features.map(\.delay).max() ?? 0)
    stateHistory = max(0, features.filter { $0.column < states }.map(\.delay).max() ?? 0)
  }

  /// Whether a free run may start from this sample: its features are all within the series and known.
  public func canStart(_ number: Int, at sample: Int) -> Bool {
    let matrix = series[number]
    guard sample >= history, sample + 1 < matrix.rows else { return false }
    return features.allSatisfy { matrix[sample - $0.delay, $0.column].isFinite }
      && (0..<states).allSatisfy { matrix[sample, $0].isFinite }
  }

  // MARK: Running

  /// The predictions of a window, length × states.
  public func predictions(
    _ maps: [RecursiveMap], _ parameters: [Double], _ window: Window
  ) -> Matrix {
    var result = Matrix(rows: window.length, columns: states)
    var run = Run(self, maps, derivatives: false)
    parameters.withUnsafeBufferPointer { theta in
      guard let base = theta.baseAddress else { return }
      run.go(base, window) { step, values, _ in
        for state in 0..<states { result[step, state] = values[state] }
      }
    }
    return result
  }

  /// Mean of e² over windows and states.
  public func loss(
    _ maps: [RecursiveMap], _ parameters: [Double], _ windows: [Window]
  ) -> Double {
    var run = Run(self, maps, derivatives: false)
    var (sum, count) = (0.0, 0)
    parameters.withUnsafeBufferPointer { theta in
      guard let base = theta.baseAddress else { return }
      for window in windows {
        let matrix = series[window.series]
        run.go(base, window) { step, values, _ in
          for state in 0..<states {
            let error = values[state] - matrix[window.first + step + 1, state]
            if error.isFinite {
              sum += error * error
              count += 1
            }
          }
        }
      }
    }
    return count == 0 ? .nan : sum / Double(count)
  }

  public func equations(
    _ maps: [RecursiveMap], _ parameters: [Double], _ windows: [Window]
  ) -> Equations {
    let n = parameters.count
    var run = Run(self, maps, derivatives: true)
    var (sum, count) = (0.0, 0)
    var gradient = [Double](repeating: 0, count: n)
    var curvature = Matrix(rows: n, columns: n)
    var pending = [Double](repeating: 0, count: Self.block * n)
    var waiting = 0
    gradient.withUnsafeMutableBufferPointer { g in
      curvature.elements.withUnsafeMutableBufferPointer { a in
        pending.withUnsafeMutableBufferPointer { rows in
          parameters.withUnsafeBufferPointer { theta in
            guard let g = g.baseAddress, let a = a.baseAddress, let base = theta.baseAddress,
              let rows = rows.baseAddress
            else { return }
            for window in windows {
              let matrix = series[window.series]
              run.go(base, window) { step, values, derivatives in
                for state in 0..<states {
                  let error = values[state] - matrix[window.first + step + 1, state]
                  guard error.isFinite else { continue }
                  sum += error * error
                  count += 1
                  let row = rows + waiting * n
                  row.update(from: derivatives + state * n, count: n)
                  for index in 0..<n { g[index] += error * row[index] }
                  waiting += 1
                  if waiting == Self.block {
                    Self.add(rows, n, a)
                    waiting = 0
                  }
                }
              }
            }
            (rows + waiting * n).update(repeating: 0, count: (Self.block - waiting) * n)
            Self.add(rows, n, a)
          }
        }
      }
    }
    let share = count == 0 ? .nan : 1 / Double(count)
    return Equations(
      loss: sum * share, gradient: gradient.map { $0 * share },
      curvature: curvature.map { $0 * share })
  }

  /// The number of rows added to the curvature at once, so that it is fetched less often.
  private static let block = 8

  /// Σ r rᵀ over a block of rows.
  @inline(__always) private static func add(
    _ rows: UnsafePointer<Double>, _ n: Int, _ curvature: UnsafeMutablePointer<Double>
  ) {
    let (r0, r1, r2, r3) = (rows, rows + n, rows + 2 * n, rows + 3 * n)
    let (r4, r5, r6, r7) = (rows + 4 * n, rows + 5 * n, rows + 6 * n, rows + 7 * n)
    for i in 0..<n {
      let (a, b, c, d) = (r0[i], r1[i], r2[i], r3[i])
      let (e, f, g, h) = (r4[i], r5[i], r6[i], r7[i])
      let line = curvature + i * n
      for j in 0...i {
        let first = (a * r0[j] + b * r1[j]) + (c * r2[j] + d * r3[j])
        let second = (e * r4[j] + f * r5[j]) + (g * r6[j] + h * r7[j])
        line[j] += first + second
      }
    }
  }

  // MARK: One window

  /// The tables of a run, used again for every window.
  private struct Run: ~Copyable {
    private let free: FreeRun
    private let works: [RecursiveWork]
    private let firstParameter: [Int]
    private let ownCount: [Int]
    private let n: Int
    private let derivatives: Bool
    private let depth: Int
    private let memory: UnsafeMutablePointer<Double>
    private let z, slopes, values, own, past, sensitivities: UnsafeMutablePointer<Double>

    init(_ free: FreeRun, _ maps: [RecursiveMap], derivatives: Bool) {
      precondition(maps.count == free.states)
      self.free = free
      self.derivatives = derivatives
      works = maps.map(RecursiveWork.init)
      ownCount = maps.map(\.parameterCount)
      var next = 0
      firstParameter = maps.map { map in
        defer { next += map.parameterCount }
        return next
      }
      n = next
      depth = free.stateHistory + 2
      let width = free.features.count + 1
      let states = free.states
      let sizes = [
        width, width, states, max(1, ownCount.max() ?? 1), depth * states,
        derivatives ? depth * states * n : 0,
      ]
      memory = .allocate(capacity: sizes.reduce(0, +) + 1)
      memory.initialize(repeating: 0, count: sizes.reduce(0, +) + 1)
      z = memory
      slopes = z + sizes[0]
      values = slopes + sizes[1]
      own = values + sizes[2]
      past = own + sizes[3]
      sensitivities = past + sizes[4]
      z[width - 1] = 1
    }

    deinit { memory.deallocate() }

    /// Where the states of a sample, and their sensitivities, are kept: a ring.
    private func slot(_ sample: Int) -> Int { sample % depth }

    mutating func go(
      _ theta: UnsafePointer<Double>, _ window: Window,
      _ note: (Int, UnsafePointer<Double>, UnsafePointer<Double>) -> Void
    ) {
      let (states, matrix) = (free.states, free.series[window.series])
      for sample in (window.first - free.stateHistory)...window.first {
        for state in 0..<states { past[slot(sample) * states + state] = matrix[sample, state] }
        guard derivatives else { continue }
        (sensitivities + slot(sample) * states * n).update(repeating: 0, count: states * n)
      }
      for step in 0..<window.length {
        let sample = window.first + step
        for (index, feature) in free.features.enumerated() {
          z[index] =
            feature.column < states
            ? past[slot(sample - feature.delay) * states + feature.column]
            : matrix[sample - feature.delay, feature.column]
        }
        let next = slot(sample + 1) * states
        for state in 0..<states {
          var value = works[state].value(
            theta + firstParameter[state], z, derivatives: derivatives, gradient: own,
            slopes: slopes)
          // NaN counts as out of range.
          if !(abs(value) <= FreeRun.limit) {
            value = value < 0 ? -FreeRun.limit : FreeRun.limit
          }
          values[state] = value
          if derivatives { carry(state, sample, into: sensitivities + (next + state) * n) }
        }
        for state in 0..<states { past[next + state] = values[state] }
        note(step, values, sensitivities + next * n)
      }
    }

    private func carry(_ state: Int, _ sample: Int, into row: UnsafeMutablePointer<Double>) {
      row.update(repeating: 0, count: n)
      (row + firstParameter[state]).update(from: own, count: ownCount[state])
      for (index, feature) in free.features.enumerated() where feature.column < free.states {
        let slope = slopes[index]
        guard slope != 0 else { continue }
        let earlier =
          sensitivities + (slot(sample - feature.delay) * free.states + feature.column) * n
        for parameter in 0..<n { row[parameter] += slope * earlier[parameter] }
      }
    }
  }
}
