import LinearAlgebra

/// Where the controls change, and what that says about the rates of a state.
struct ControlChanges: Sendable {
  /// Samples × controls: u(k) − u(k − 1), zero at the first and where it may be noise.
  private var changes: [Matrix]

  struct Jumps {
    var trajectories: [[Jump]]
    var hasShifts: Bool

    /// Lets the rate jump at and around measurements that are further than four times the noise from their smoothed
    /// values; further at each call.
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
      let (noise, correlation) = SeriesNoise.measured(
        in: samples.map { $0.column(first + control) })
      return correlation < SeriesNoise.isNoiseBelow ? 6 * noise : 0
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

  /// The rate may jump by any amount where a control changes.
  var unknownJumps: Jumps {
    Jumps(
      trajectories: changes.map { matrix in
        (0..<matrix.rows).map { row in
          Jump(share: matrix.row(row).contains { $0 != 0 } ? 1 : 0)
        }
      }, hasShifts: false)
  }

  /// Jumps by bᵀ Δu, with b a least-squares fit of second differences to the controls' changes. Jumps from
  /// significant effects (|t| > 3) are known up to a share J of their square; of the others only the possible size
  /// is known. Nil without controls that change.
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
