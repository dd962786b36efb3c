import Dynamics
import LinearAlgebra
import Networks

/// Rows that lead strayed free runs back to the data.
///
/// States that follow from each other leave directions in which there are no data, and in which nothing keeps a fit
/// from pushing outwards: a free run leaves along them. Where runs from all over the data have strayed to, the rates
/// wanted are those that take the next sample nearer to the recorded one (Venkatraman, Hebert & Bagnell 2015, data as
/// demonstrator, with a part of the way instead of all of it). Directions in which runs keep to the data by themselves
/// get no rows.
package struct Steadying {
  /// The share of a deviation that is left after a step.
  var rest = 0.9
  /// Deviations, means over the states of |e|/σ, that make a row.
  var reach = 0.003...0.5
  var starts = 150
  var steps = 60
  var most = 1500
  /// How much a row counts, next to one of data.
  var weight = 0.3

  let data: Trajectories
  let inputScaling: Standardisation
  let outputScaling: Standardisation

  package init(
    data: Trajectories, inputScaling: Standardisation, outputScaling: Standardisation
  ) {
    self.data = data
    self.inputScaling = inputScaling
    self.outputScaling = outputScaling
  }

  /// - Parameter rates: of a table of samples, in physical units, for all of its rows but the last.
  /// - Returns: inputs and targets in standardised units; nil where no run strays.
  package func rows(_ rates: (Matrix) -> Matrix) -> RegressionRows? {
    let states = outputScaling.count
    let places = places()
    guard !places.isEmpty else { return nil }
    var at = Matrix(rows: places.count + 1, columns: inputScaling.count) { row, column in
      let place = places[min(row, places.count - 1)]
      return data.samples[place.trajectory][place.sample, column]
    }
    var isLost = [Bool](repeating: false, count: places.count)
    var inputs: [[Double]] = []
    var targets: [[Double]] = []
    for step in 1...steps {
      let now = rates(at)
      for (row, place) in places.enumerated() where !isLost[row] {
        let samples = data.samples[place.trajectory]
        for column in 0..<at.columns {
          at[row, column] =
            column < states
            ? at[row, column] + data.timeStep * now[row, column]
            : samples[place.sample + step, column]
        }
        let deviations = (0..<states).map { at[row, $0] - samples[place.sample + step, $0] }
        let size = deviations.indices.map {
          abs(deviations[$0]) / inputScaling.deviation[$0]
        }.mean
        guard size < reach.upperBound else {
          isLost[row] = true
          continue
        }
        guard size > reach.lowerBound else { continue }
        inputs.append((0..<at.columns).map { inputScaling.standardise($0, at[row, $0]) })
        targets.append(
          (0..<states).map { state in
            let wanted = samples[place.sample + step + 1, state] + rest * deviations[state]
            return outputScaling.standardise(state, (wanted - at[row, state]) / data.timeStep)
          })
      }
    }
    return thinned(inputs, targets)
  }

  private func places() -> [(trajectory: Int, sample: Int)] {
    let each = max(1, starts / max(1, data.samples.count))
    return data.samples.indices.flatMap { trajectory -> [(trajectory: Int, sample: Int)] in
      let last = data.samples[trajectory].rows - steps - 2
      guard last >= 0 else { return [] }
      return Set((0..<each).map { $0 * last / max(1, each - 1) }).sorted().map { (trajectory, $0) }
    }
  }

  private func thinned(_ inputs: [[Double]], _ targets: [[Double]]) -> RegressionRows? {
    guard !inputs.isEmpty else { return nil }
    let count = min(most, inputs.count)
    let kept = (0..<count).map { $0 * inputs.count / count }
    return RegressionRows(
      inputs: Matrix(rows: count, columns: inputs[0].count) { inputs[kept[$0]][$1] },
      targets: Matrix(rows: count, columns: targets[0].count) { targets[kept[$0]][$1] },
      weights: Matrix(rows: count, columns: targets[0].count) { _, _ in weight })
  }
}

extension RegressionRows {
  /// These rows and others behind them, without what is known of blocks and noise.
  package func followed(by other: RegressionRows) -> RegressionRows {
    func joined(_ a: Matrix, _ b: Matrix) -> Matrix {
      Matrix(rows: a.rows + b.rows, columns: a.columns, elements: a.elements + b.elements)
    }
    func weighted(_ rows: RegressionRows) -> Matrix {
      rows.weights ?? rows.targets.map { _ in 1 }
    }
    return RegressionRows(
      inputs: joined(inputs, other.inputs), targets: joined(targets, other.targets),
      weights: joined(weighted(self), weighted(other)))
  }
}
