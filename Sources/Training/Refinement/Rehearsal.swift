import Dynamics
import LinearAlgebra
import Networks

/// What becomes of a member's effects where noise had to be smoothed away.
struct Rehearsal: Equatable, Codable, Sendable {
  /// outputs × inputs: by how much effects are missed where they are known, in standardised units; nil where the
  /// networks' runs leave the range of the data.
  var misses: Matrix?
  /// Of each output, the standard deviation of the rates that the networks predict, in units of that of the smoothed
  /// increments, by which outputs are standardised: smoothing blurs what begins suddenly.
  var spread: [Double]
}

extension Refinement {
  /// How wrongly effects are found where they are known: the networks move the states from their first samples on,
  /// noise of the size that was taken out is added, and copies of the networks are fitted to the result as they were
  /// to the data, smoothing included (a parametric bootstrap, Efron & Tibshirani 1993, chapter 6). What smoothing
  /// blurs, what noise in the inputs weakens and what it adds to a mean of magnitudes is all in the difference.
  ///
  /// - Parameters:
  ///   - networks: of all targets, in their order.
  ///   - stream: for the noise.
  /// - Returns: nil where nothing had to be smoothed.
  /// - Throws: `CancellationError`, `DataProblem`.
  func rehearse(_ networks: [Network], stream: RandomStream) throws -> Rehearsal? {
    guard isResmoothed else { return nil }
    return Rehearsal(misses: try misses(networks, stream), spread: spread(networks))
  }

  private func spread(_ networks: [Network]) -> [Double] {
    let rates = material.smoothing.data.samples.map { self.rates(networks, $0) }
    return material.set.outputScaling.deviation.enumerated().map { output, deviation in
      rates.flatMap { $0.column(output) }.standardDeviation / deviation
    }
  }

  private func misses(_ networks: [Network], _ stream: RandomStream) throws -> Matrix? {
    guard material.smoothing.data.laggedFeatures == nil, let exact = try simulated(networks)
    else { return nil }
    try Task.checkCancellation()
    let smoothing = try Smoother(threads: 1).run(noisy(exact, stream))
    guard smoothing.rateVariances != nil else { return nil }
    let cut = material.cut
    let material = try Material(
      fold: Fold(smoothing, part: cut.part, of: cut.parts, fraction: cut.fraction), cut: cut,
      all: smoothing,
      parameters: recipe.parameters(
        inputs: material.set.features.count, outputs: material.set.targets.count),
      scaledLike: material.set)
    let again = Refinement(recipe: recipe, material: material)
    let fitted = try again.resmooth(
      again.fit(networks, material.all, attempts: recipe.finish))
    return try effects(fitted, smoothing.data) - effects(networks, exact)
  }

  /// The states as the networks move them, with the controls of the data; nil where they leave its range.
  private func simulated(_ networks: [Network]) throws -> Trajectories? {
    let data = material.smoothing.data
    let states = data.states.count
    let deviations = material.set.inputScaling.deviation
    var samples = data.samples
    for row in 1..<(samples.map(\.rows).max() ?? 1) {
      let running = samples.indices.filter { row < samples[$0].rows }
      // The last row of a table has no rate.
      let now = Matrix(rows: running.count + 1, columns: data.variables.count) {
        samples[running[min($0, running.count - 1)]][row - 1, $1]
      }
      let rates = self.rates(networks, now)
      for (place, trajectory) in running.enumerated() {
        for state in 0..<states {
          let value = now[place, state] + data.timeStep * rates[place, state]
          guard abs(value - data.samples[trajectory][row, state]) < 10 * deviations[state] else {
            return nil
          }
          samples[trajectory][row, state] = value
        }
      }
      if row % 100 == 0 { try Task.checkCancellation() }
    }
    return try Trajectories(variables: data.variables, timeStep: data.timeStep, samples: samples)
  }

  private func noisy(_ exact: Trajectories, _ stream: RandomStream) throws -> Trajectories {
    var stream = stream
    let reports = material.smoothing.states
    let noise = exact.states.map { state in
      reports.first { $0.name == state.name && $0.motion != nil }?.noise ?? 0
    }
    let samples = exact.samples.map { exact in
      var samples = exact
      for row in 0..<samples.rows {
        for state in noise.indices { samples[row, state] += noise[state] * stream.normal() }
      }
      return samples
    }
    return try Trajectories(
      variables: exact.variables, timeStep: exact.timeStep, samples: samples)
  }

  private func effects(_ networks: [Network], _ data: Trajectories) throws -> Matrix {
    let points = try TrainingSet(data, scaledLike: material.set).points(2000)
    let rows = networks.flatMap { network in
      let magnitude = network.meanSlopes(points).magnitude
      return (0..<magnitude.rows).map { Array(magnitude.row($0)) }
    }
    return Matrix(rows: rows.count, columns: points.columns) { rows[$0][$1] }
  }
}
