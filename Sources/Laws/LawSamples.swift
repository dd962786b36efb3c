import Dynamics
import LinearAlgebra
import Networks

/// Rows at which formulas are fitted or judged: points, what the networks say of a step from there, and what the data
/// say of it.
struct LawSamples: Sendable {
  /// Samples × inputs in physical units.
  var points: [[Double]]
  /// The data's (x(t + Δt) − x(t))/Δt, per row and output; nil for outputs that are no rates.
  var increments: [[Double]]?
  /// Of every row, for what is said of places.
  var trajectories: [Int]

  var count: Int { points.count }
}

/// The rows of some data in two parts: those that formulas are fitted to, and those that judge them.
struct LawRows: Sendable {
  var fitted: LawSamples
  var held: LawSamples

  static let most = 1500

  /// Every third trajectory is held out, or the last third of a single one or of two. Of each part at most `most`
  /// rows are used, evenly spaced; a third of those fitted are where some input is furthest from its mean, because
  /// impulses are rare.
  ///
  /// - Parameters:
  ///   - model: whose inputs and outputs the rows are of.
  ///   - data: with all of its inputs.
  /// - Throws: `DataProblem` for data without a step or an input.
  init(of model: Model, in data: Trajectories) throws(DataProblem) {
    let steps = try Self.steps(of: model, in: data)
    let isByTrajectory = data.samples.count > 2
    let cut = data.samples.map { $0.rows * 2 / 3 }
    let isHeld = steps.places.map { trajectory, sample in
      isByTrajectory ? trajectory % 3 == 2 : sample >= cut[trajectory]
    }
    let rows = Array(steps.places.indices)
    let held = rows.filter { isHeld[$0] }
    let fitted = rows.filter { !isHeld[$0] }
    let judged = held.isEmpty ? fitted : held
    let even = Self.evenly(fitted, Self.most * 2 / 3)
    let far = Self.furthest(fitted, steps.points, model.inputScaling, Self.most - even.count)
    self.fitted = steps.part(Set(even + far).sorted())
    self.held = steps.part(Self.evenly(judged, Self.most))
  }

  private struct Steps {
    var points: [[Double]] = []
    var increments: [[Double]]?
    var places: [(trajectory: Int, sample: Int)] = []

    func part(_ rows: [Int]) -> LawSamples {
      LawSamples(
        points: rows.map { points[$0] }, increments: increments.map { all in rows.map { all[$0] } },
        trajectories: rows.map { places[$0].trajectory })
    }
  }

  private static func steps(of model: Model, in data: Trajectories) throws(DataProblem) -> Steps {
    let lags = try LaggedSamples(model.inputs, of: data)
    let columns = model.outputs.map { output in
      model.predicts == .rate ? data.variables.firstIndex { $0.name == output.name } : nil
    }
    let states = columns.compactMap { $0 }
    let areRates = states.count == columns.count
    var result = Steps(increments: areRates ? [] : nil)
    for (trajectory, matrix) in data.samples.enumerated() {
      for sample in lags.samples(of: matrix.rows) where sample + 1 < matrix.rows || !areRates {
        let point = model.inputs.indices.map { lags.value($0, of: matrix, at: sample) }
        let rates =
          areRates
          ? states.map { (matrix[sample + 1, $0] - matrix[sample, $0]) / data.timeStep } : []
        guard point.allSatisfy(\.isFinite), rates.allSatisfy(\.isFinite) else { continue }
        result.points.append(point)
        result.increments?.append(rates)
        result.places.append((trajectory, sample))
      }
    }
    guard result.points.count > 1 else { throw .tooShort }
    return result
  }

  private static func evenly(_ rows: [Int], _ most: Int) -> [Int] {
    guard rows.count > most else { return rows }
    return (0..<most).map { rows[$0 * rows.count / most] }
  }

  private static func furthest(
    _ rows: [Int], _ points: [[Double]], _ scaling: Standardisation, _ most: Int
  ) -> [Int] {
    guard rows.count > most else { return rows }
    let distance = rows.map { row in
      scaling.standardise(points[row]).reduce(0) { max($0, abs($1)) }
    }
    let order = rows.indices.sorted {
      distance[$0] != distance[$1] ? distance[$0] > distance[$1] : $0 < $1
    }
    return order.prefix(most).map { rows[$0] }
  }
}
