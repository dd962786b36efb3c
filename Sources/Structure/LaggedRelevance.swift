import Dynamics
import LinearAlgebra
import Networks

extension [Variable] {
  /// A matrix of sizes of effects (outputs × features) by variable, summed over each variable's lags: the largest
  /// effect that all lags together can have.
  ///
  /// - Returns: the variables' names in the order of their first feature, and outputs × variables.
  public func byVariable(_ sizes: Matrix) -> (names: [String], sums: Matrix) {
    precondition(sizes.columns == count)
    let names = sources
    let places = map { names.firstIndex(of: $0.source) ?? 0 }
    var sums = Matrix(rows: sizes.rows, columns: names.count)
    for output in 0..<sizes.rows {
      for (feature, place) in places.enumerated() { sums[output, place] += sizes[output, feature] }
    }
    return (names, sums)
  }
}

extension Model {
  /// The step x(k+1) = x(k) + Δt · rates of a model with lags, linearised at these rows (physical units), in the form
  /// (A − 1)/Δt: A is the companion matrix, which moves x(k), x(k−1) … to x(k+1), x(k) …
  ///
  /// - Parameter timeStep: Δt in seconds.
  /// - Throws: `DataProblem.missingVariables` where an output's state is not an input.
  public func companionJacobians(at rows: Matrix, timeStep: Double) throws(DataProblem) -> [Matrix]
  {
    _ = try stateColumns()
    let states = outputs.map(\.name)
    let depth = inputs.filter { states.contains($0.source) }.history + 1
    let size = states.count * depth
    // Where in (x(k), x(k−1) …) each feature stands.
    let places = inputs.map { feature in
      states.firstIndex(of: feature.source).map { feature.delay * states.count + $0 }
    }
    let evaluator = JacobianEvaluator(network)
    return (0..<rows.rows).map { row in
      let jacobian = physical(evaluator.jacobian(inputScaling.standardise(rows.row(row))))
      var step = Matrix(rows: size, columns: size)
      for output in states.indices {
        for (feature, place) in places.enumerated() {
          if let place { step[output, place] += jacobian[output, feature] }
        }
      }
      for index in states.count..<max(states.count, size) {
        step[index, index - states.count] += 1 / timeStep
        step[index, index] -= 1 / timeStep
      }
      return step
    }
  }
}
