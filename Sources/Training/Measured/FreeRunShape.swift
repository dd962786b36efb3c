import Dynamics
import LinearAlgebra
import Networks

/// A kind of function, in order of complexity.
public enum FreeRunKind: Hashable, Codable, Sendable {
  case line
  /// All products of two features.
  case quadratic
  /// These, and the products of three lagged states.
  case cubic
  /// A line and this many smooth units.
  case units(Int)

  public var name: String {
    switch self {
    case .line: "line"
    case .quadratic: "quadratic polynomial"
    case .cubic: "cubic polynomial"
    case .units(let count): "network of \(count) units"
    }
  }

  /// Strength of the ridge on nonlinear parameters.
  var ridge: Double {
    switch self {
    case .units: 1e-5
    default: 1e-7
    }
  }

  /// Starts from random weights, so that several are tried.
  var isRandom: Bool { if case .units = self { true } else { false } }

  /// For one state.
  func map(features: [Variable]) -> RecursiveMap {
    let all = Array(features.indices)
    var products: [[Int]] = [[]] + all.map { [$0] }
    var units: [[Int]] = []
    let states = all.filter { features[$0].role == .state }
    switch self {
    case .line: break
    case .quadratic: products += Self.pairs(all)
    case .cubic:
      products += Self.pairs(all)
      products += states.flatMap { i in
        Self.pairs(states.filter { $0 >= i }).map { [i] + $0 }
      }
    case .units(let count): units = Array(repeating: all, count: count)
    }
    return RecursiveMap(features: features.count, products: products, units: units)
  }

  private static func pairs(_ features: [Int]) -> [[Int]] {
    features.enumerated().flatMap { place, i in features[place...].map { [i, $0] } }
  }
}

/// A kind with what it reads.
struct FreeRunShape: Sendable {
  var kind: FreeRunKind
  var orders: LagOrders
  var features: [Variable]

  init(_ kind: FreeRunKind, _ orders: LagOrders, _ data: Trajectories) {
    self.kind = kind
    self.orders = orders
    features = orders.features(states: data.states, controls: data.controls)
  }

  /// One for each state.
  func maps(_ data: Trajectories) -> [RecursiveMap] {
    let map = kind.map(features: features)
    return data.states.map { _ in map }
  }

  /// With more parameters a fit is too slow for a search.
  static let mostParameters = 320

  func isTooLarge(_ data: Trajectories) -> Bool {
    features.count > 60
      || kind.map(features: features).parameterCount * data.states.count > Self.mostParameters
  }
}

/// Parameters for runs of increasing length, each fit the start of the next.
struct StagedFit: Sendable {
  var maps: [RecursiveMap]
  /// One for each of `horizons`.
  var stages: [[Double]]

  /// Lengths of the fitted runs, in steps.
  static let horizons = [1, 8, 64, 512, 4096]
}

extension MeasuredRecord {
  /// Limits on the work of a fit.
  struct Effort: Sendable {
    /// Attempts for each horizon.
    var attempts: Int
    /// Random starts, of which the best is taken.
    var starts: Int
    /// The total number of steps, times the square of the number of parameters.
    var work: Double
    /// The largest total number of steps.
    var steps: Int

    static let search = Effort(attempts: 8, starts: 2, work: 6e6, steps: 3000)
    static let judged = Effort(attempts: 20, starts: 4, work: 4e7, steps: 12_000)
    /// With two starts a member of the tanks diverged on a record that it had not seen.
    static let final = Effort(attempts: 25, starts: 6, work: 1e9, steps: 100_000)

    func limit(parameters: Int) -> Int {
      min(steps, max(1200, Int(min(1e9, work / Double(parameters * parameters)))))
    }
  }

  /// Fits a shape to everything except what is held out.
  /// - Parameter horizons: the first N of `StagedFit.horizons`.
  func fit(
    _ shape: FreeRunShape, without held: [Stretch], effort: Effort, stream: RandomStream,
    horizons: Int = StagedFit.horizons.count
  ) -> StagedFit {
    let free = freeRun(shape.features, without: held)
    let maps = shape.maps(data)
    let fit = FreeRunFit(free, maps, ridge: shape.kind.ridge)
    let limit = effort.limit(parameters: fit.parameterCount)
    let windows = StagedFit.horizons.prefix(horizons).map {
      self.windows(free, length: $0, limit: limit)
    }
    let line = fit.oneStep(windows[0])
    var best: (stages: [[Double]], loss: Double)?
    var stream = stream
    for _ in 0..<(shape.kind.isRandom ? effort.starts : 1) {
      var theta = line
      if shape.kind.isRandom {
        theta = Self.withRandomUnits(line, maps, &stream)
        theta = fit.minimise(theta, windows[0], attempts: 2 * effort.attempts).parameters
      }
      var stages = [theta]
      var loss = Double.infinity
      for level in windows.indices.dropFirst() {
        let result = fit.minimise(theta, windows[level], attempts: effort.attempts)
        theta = result.parameters
        loss = result.loss
        stages.append(theta)
      }
      if best.map({ loss < $0.loss }) ?? true { best = (stages, loss) }
    }
    return StagedFit(maps: maps, stages: best?.stages ?? [line])
  }

  private static func withRandomUnits(
    _ line: [Double], _ maps: [RecursiveMap], _ stream: inout RandomStream
  ) -> [Double] {
    var theta = line
    var first = 0
    for map in maps {
      var place = first + map.products.count
      for unit in map.units {
        let scale = (1.5 / Double(unit.count)).squareRoot()
        for index in 0..<unit.count { theta[place + index] = scale * stream.normal() }
        theta[place + unit.count] = 0.7 * stream.normal()
        theta[place + unit.count + 1] = 0.03 * stream.normal()
        place += unit.count + 2
      }
      first += map.parameterCount
    }
    return theta
  }

  /// Errors of free runs over held-out stretches.
  struct HeldOut: Sendable {
    /// Root mean square over each stretch and all states.
    var blocks: [Double] = []
    /// Sum of the squares over the samples, and their number, by state.
    var sums: [Double]
    var counts: [Int]

    /// Root mean square, by state.
    var byState: [Double] {
      zip(sums, counts).map { $1 == 0 ? .nan : ($0 / Double($1)).squareRoot() }
    }
    /// The criterion by which candidates are judged, the mean of the stretches' errors: a mean of squares would be
    /// decided by a single stretch with an event that occurs nowhere else.
    var error: Double { blocks.isEmpty ? .infinity : blocks.mean }

    mutating func join(_ other: HeldOut) {
      blocks += other.blocks
      sums = zip(sums, other.sums).map { $0 + $1 }
      counts = zip(counts, other.counts).map { $0 + $1 }
    }
  }

  /// Free runs from the first sample to the last, of which only the held-out stretches count: the error of a
  /// simulation long after its start, where nothing was fitted.
  func heldOut(
    _ shape: FreeRunShape, _ maps: [RecursiveMap], _ parameters: [Double], on held: [Stretch]
  ) -> HeldOut {
    let free = freeRun(shape.features)
    let states = data.states.count
    var result = HeldOut(
      sums: Array(repeating: 0, count: states), counts: Array(repeating: 0, count: states))
    for number in Set(held.map(\.series)).sorted() {
      let rows = series[number].rows
      guard let first = (0..<rows).first(where: { free.canStart(number, at: $0) }) else { continue }
      let window = FreeRun.Window(series: number, first: first, length: rows - 1 - first)
      let predictions = free.predictions(maps, parameters, window)
      for stretch in held where stretch.series == number {
        var (sum, count) = (0.0, 0)
        for sample in stretch.samples where sample > first {
          for state in 0..<states {
            let truth = series[number][sample, state]
            guard truth.isFinite else { continue }
            let error = predictions[sample - first - 1, state] - truth
            sum += error * error
            count += 1
            result.sums[state] += error * error
            result.counts[state] += 1
          }
        }
        if count > 0 { result.blocks.append((sum / Double(count)).squareRoot()) }
      }
    }
    return result
  }
}
