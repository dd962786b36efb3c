import Dynamics
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Inputs that follow from each other.
@Suite struct CollinearInputsTests {
  /// Columns: three that add up to nothing, one of its own, and two that are the same but for noise.
  private func rows(noise: Double) -> RegressionRows {
    var stream = RandomStream(seed: 4)
    let inputs = Matrix(
      (0..<2000).map { _ -> [Double] in
        let (a, b, alone, common) = (
          stream.normal(), stream.normal(), stream.normal(), stream.normal()
        )
        let sum = -(a + b) / 2.0.squareRoot()
        return [a, alone, sum, common, b, common + noise * stream.normal()]
      })
    return RegressionRows(inputs: inputs, targets: Matrix(rows: 2000, columns: 1))
  }

  @Test func setsAreThoseThatWereMade() {
    #expect(CollinearInputs.groups(rows(noise: 0)) == [[0, 2, 4], [3, 5]])
    #expect(CollinearInputs.groups(rows(noise: 0.02)) == [[0, 2, 4]])
  }

  /// What is left of an input beside others is nothing if it may be measurement noise.
  @Test func noiseIsNothingOfItsOwn() {
    var rows = rows(noise: 0.02)
    rows.noise = [0, 0, 0, 2e-4, 0, 2e-4]
    #expect(CollinearInputs.groups(rows) == [[0, 2, 4], [3, 5]])
    rows.noise = [0, 0, 0, 5e-5, 0, 5e-5]
    #expect(CollinearInputs.groups(rows) == [[0, 2, 4]])
  }

  /// Three shares that add up to one, each decaying by itself: each rate could do without its own share, and keeps it.
  @Test(arguments: Seeds.first(2)) func theOwnStateIsKeptWhereOthersCouldReplaceIt(seed: UInt64)
    async throws
  {
    var stream = RandomStream(seed: seed)
    let samples = (0..<5).map { _ -> Matrix in
      var (a, b) = (0.4, 0.3)
      return Matrix(
        (0..<500).map { k -> [Double] in
          let u = k % 25 < 12 ? 0.02 * stream.uniform() : -0.01
          defer { (a, b) = (0.9 * a + 0.05 + u, 0.9 * b + 0.03 - 0.5 * u) }
          return [a, b, 1 - a - b, u]
        })
    }
    let data = try Trajectories(
      variables: ["a", "b", "c"].map { Variable($0, role: .state) }
        + [Variable("u", role: .control)], timeStep: 1, samples: samples)
    var recipe = Recipe()
    recipe.length = .steps(500)
    let outcome = try await EnsembleTraining(recipe: recipe, members: 2, seed: seed, threads: 2)
      .run(on: data)
    for tower in 0..<3 {
      let removed = outcome.histories.filter { $0.problem.tower == tower }
        .map { $0.refinement?.removed ?? [] }
      #expect(
        removed.allSatisfy { Set($0) == Set([0, 1, 2]).subtracting([tower]) },
        "\(tower): \(removed)")
    }
  }
}
