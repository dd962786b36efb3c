import Dynamics
import Evidence
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Whether intervals of effects hold effects that are known.
@Suite struct IntervalTests {
  /// Two tanks in a row with square roots as outflows, the first fed by a control that jumps; 1 % of noise.
  private func tanks(seed: UInt64) throws -> (exact: Trajectories, noisy: Trajectories) {
    var stream = RandomStream(seed: seed)
    let samples = (0..<5).map { _ -> Matrix in
      var (a, b, u) = (2.0, 2.0, 1.0)
      return Matrix(
        (0..<400).map { k -> [Double] in
          if k % 25 == 0 { u = 0.5 + stream.uniform() }
          defer {
            (a, b) = (
              a + 0.1 * (u - 0.7 * a.squareRoot()),
              b + 0.1 * (0.7 * a.squareRoot() - 0.6 * b.squareRoot())
            )
          }
          return [a, b, u]
        })
    }
    let noisy = samples.map { exact in
      Matrix(rows: exact.rows, columns: 3) { row, column in
        exact[row, column] + (column < 2 ? 0.01 * stream.normal() : 0)
      }
    }
    let variables = [
      Variable("a", role: .state), Variable("b", role: .state), Variable("u", role: .control),
    ]
    return (
      try Trajectories(variables: variables, timeStep: 0.1, samples: samples),
      try Trajectories(variables: variables, timeStep: 0.1, samples: noisy)
    )
  }

  /// R of the pairs that exist.
  private func truth(_ exact: Trajectories) throws -> [(output: Int, input: Int, effect: Double)] {
    let set = try TrainingSet(exact)
    let (z, y) = (set.inputScaling.deviation, set.outputScaling.deviation)
    let roots = (0..<2).map { column in
      exact.samples.flatMap { samples in
        samples.column(column).dropLast().map { 0.5 / $0.squareRoot() }
      }.mean
    }
    return [
      (0, 0, 0.7 * roots[0] * z[0] / y[0]), (0, 2, z[2] / y[0]),
      (1, 0, 0.7 * roots[0] * z[0] / y[1]), (1, 1, 0.6 * roots[1] * z[1] / y[1]),
    ]
  }

  @Test func intervalsHoldTheTruthUnderNoise() async throws {
    var recipe = Recipe()
    recipe.length = .steps(1500)
    let seeds = Seeds.first(8)
    var (held, widths) = (0, [Double]())
    for seed in seeds {
      let (exact, noisy) = try tanks(seed: seed)
      let outcome = try await EnsembleTraining(
        recipe: recipe, members: 3, seed: seed, threads: 2
      ).run(on: noisy)
      let evidence = try #require(outcome.evidence)
      for pair in try truth(exact) {
        let found = evidence.pairs[pair.output][pair.input]
        let high = try #require(found.high)
        if found.low <= pair.effect && pair.effect <= high { held += 1 }
        widths.append((high - found.low) / pair.effect)
      }
    }
    #expect(held >= widths.count * 3 / 4)
    // Wide intervals would hold everything.
    #expect(widths.median < 0.15)
  }
}
