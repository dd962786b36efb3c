import Dynamics
import LinearAlgebra
import Networks

/// Recorded trajectories prepared for free runs: standardised, and divided into stretches that are held out in
/// turn.
struct MeasuredRecord: Sendable {
  /// Neighbouring samples of one trajectory.
  struct Stretch: Sendable {
    var series: Int
    var samples: Range<Int>
  }

  let data: Trajectories
  /// Of the states, then of the controls.
  let scaling: Standardisation
  let series: [Matrix]
  /// The stretches that are held out together.
  let folds: [[Stretch]]

  /// - Parameter folds: how many; fewer if there are fewer stretches of ten samples.
  /// - Throws: `DataProblem.tooShort`, `.constant` for a variable that does not vary, `.scale`.
  init(_ data: Trajectories, folds count: Int) throws(DataProblem) {
    let variables = data.states + data.controls
    var means: [Double] = []
    var deviations: [Double] = []
    for (column, variable) in variables.enumerated() {
      let values = data.samples.flatMap { $0.column(column) }.filter(\.isFinite)
      guard values.count > 3 else { throw .tooShort }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance =
        values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      guard variance.squareRoot() > 1e-12 * abs(mean), variance > 0 else {
        throw .constant(variable)
      }
      guard Float(mean).isFinite, Float(variance.squareRoot()).isNormal else {
        throw .scale(variable)
      }
      means.append(mean)
      deviations.append(variance.squareRoot())
    }
    let scaling = Standardisation(mean: means, deviation: deviations)
    self.data = data
    self.scaling = scaling
    series = data.samples.map { samples in
      Matrix(rows: samples.rows, columns: variables.count) {
        scaling.standardise($1, samples[$0, $1])
      }
    }
    folds = Self.folds(data.samples.map(\.rows), count: count)
    guard !folds.isEmpty else { throw .tooShort }
  }

  /// Of many trajectories whole ones are held out; of few, parts of each.
  private static func folds(_ lengths: [Int], count: Int) -> [[Stretch]] {
    let stretches: [Stretch]
    if lengths.count >= count {
      stretches = lengths.enumerated().map { Stretch(series: $0.offset, samples: 0..<$0.element) }
    } else {
      stretches = lengths.enumerated().flatMap { series, rows -> [Stretch] in
        // Several for each fold, so that what is left still has every regime of the record.
        let perFold = max(1, min(6, rows / (60 * count)))
        let parts = min(count * perFold, rows / 10)
        return (0..<parts).map {
          Stretch(series: series, samples: ($0 * rows / parts)..<(($0 + 1) * rows / parts))
        }
      }
    }
    let used = min(count, stretches.count)
    guard used > 1 else { return [] }
    return (0..<used).map { fold in
      let isWhole = lengths.count >= count
      return stretches.enumerated().filter { index, _ in
        isWhole ? index * used / stretches.count == fold : index % count == fold
      }.map(\.element)
    }.filter { !$0.isEmpty }
  }

  /// Everything.
  var whole: [Stretch] {
    series.enumerated().map { Stretch(series: $0.offset, samples: 0..<$0.element.rows) }
  }

  /// - Parameter held: stretches whose states are hidden.
  func freeRun(_ features: [Variable], without held: [Stretch] = []) -> FreeRun {
    let names = (data.states + data.controls).map(\.name)
    var series = series
    for stretch in held {
      for sample in stretch.samples {
        for state in data.states.indices { series[stretch.series][sample, state] = .nan }
      }
    }
    return FreeRun(
      states: data.states.count,
      features: features.map { feature in
        FreeRun.Feature(
          column: names.firstIndex(of: feature.source) ?? 0, delay: feature.delay)
      }, series: series)
  }

  /// Free runs of `length` steps, one after the other; none starts from a gap, but they run on through gaps.
  ///
  /// - Parameter limit: the approximate number of steps in total, evenly spread.
  func windows(_ free: FreeRun, length: Int, limit: Int = .max) -> [FreeRun.Window] {
    var windows: [FreeRun.Window] = []
    for (number, matrix) in free.series.enumerated() {
      var sample = free.history
      while sample + 1 < matrix.rows {
        guard free.canStart(number, at: sample) else {
          sample += 1
          continue
        }
        let steps = min(length, matrix.rows - 1 - sample)
        windows.append(.init(series: number, first: sample, length: steps))
        sample += steps
      }
    }
    let total = windows.reduce(0) { $0 + $1.length }
    guard total > limit, windows.count > 1 else { return windows }
    let kept = max(1, Int((Double(windows.count) * Double(limit) / Double(total)).rounded()))
    return (0..<kept).map { windows[$0 * windows.count / kept] }
  }
}
