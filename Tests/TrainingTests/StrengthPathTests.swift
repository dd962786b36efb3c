import Dynamics
import LinearAlgebra
import Networks
import Testing
import Training

@Suite struct StrengthPathTests {
  private func path(threads: Int, _ change: (inout Recipe) -> Void = { _ in }) -> StrengthPath {
    var recipe = Recipe()
    recipe.hidden = [8]
    recipe.length = .epochs(12)
    recipe.batch = 64
    change(&recipe)
    return StrengthPath(
      recipe: recipe, seed: 3, threads: threads, strengths: [1e-4, 1e-3, 1e-2, 0.1, 1])
  }

  private func data() async throws -> Smoothing {
    Smoothing(
      try await Simulation(plant: DuffingOscillator(), trajectories: 5, samples: 400)
        .run(threads: 2).data)
  }

  @Test(arguments: [Sparsifier.proximal, .groupLasso, .l1, .softThreshold])
  func weightsVanishAlongThePathForAnyNumberOfThreads(sparsifier: Sparsifier) async throws {
    let data = try await data()
    let alone = try await path(threads: 1) { $0.sparsifier = sparsifier }.run(on: data)
    let together = try await path(threads: 3) { $0.sparsifier = sparsifier }.run(on: data)
    #expect(alone.map(\.network) == together.map(\.network))
    #expect(alone.map(\.validation) == together.map(\.validation))
    let weights = alone.map(\.network.survivingWeightCount)
    if [.proximal, .groupLasso].contains(sparsifier) { #expect(weights[4] < weights[0]) }
    #expect(alone.allSatisfy { $0.validation.isFinite && $0.standardError >= 0 })
    #expect(alone[4].validation > alone[0].validation || sparsifier == .softThreshold)
  }

  /// The error that is reported is that of the network, and the stretches cover the held-out rows.
  @Test func theErrorIsThatOfTheNetwork() async throws {
    let data = try await data()
    let point = try #require(try await path(threads: 1).run(on: data).last)
    let split = data.data.split(validationFraction: 0.1)
    let scaling = try Regression(split.training).standardisation()
    let held = try Regression(try #require(split.validation))
    let (inputs, outputs) = (held.inputs, held.outputs)
    // Stretches of nearly equal length have nearly equal weight in the mean.
    let errors = (0..<held.rows).flatMap { row in
      zip(point.network.evaluate(scaling.inputs.standardise(inputs.row(row))), 0...).map {
        ($0 - scaling.outputs.standardise($1, outputs[row, $1])).magnitude
      }
    }
    #expect(abs(errors.map { $0 * $0 }.mean / point.validation - 1) < 0.02)
  }

  @Test func theLargestStrengthWithinAStandardErrorIsChosen() {
    let network = Network(
      inputCount: 1,
      layers: [.init(name: "y", activation: .identity, bias: [0], connections: [])],
      outputLayers: [0])
    func points(_ errors: [Double]) -> [StrengthPath.Point] {
      errors.enumerated().map {
        .init(
          strength: Double($0.offset + 1), loss: 0, validation: $0.element, standardError: 0.1,
          network: network)
      }
    }
    #expect(
      StrengthPath.choice(points([2, 1, 1.09, 1.2])).map { [$0.least, $0.chosen] } == [1, 2])
    #expect(StrengthPath.choice(points([1, 3, 1.05, 2])).map { [$0.least, $0.chosen] } == [0, 2])
    #expect(StrengthPath.choice(points([.nan, 1])).map { [$0.least, $0.chosen] } == [1, 1])
    #expect(StrengthPath.choice(points([.nan])) == nil)
  }

  @Test func whatHasNoStrengthHasNoPath() {
    for change in [
      { $0.sparsifier = .rigl }, { $0.sparsifier = .none }, { $0.method = .lasso },
      { $0.validation = 0 },
    ] as [(inout Recipe) -> Void] {
      var recipe = Recipe()
      change(&recipe)
      #expect(StrengthPath.problem(recipe) != nil)
    }
    #expect(StrengthPath.problem(Recipe()) == nil)
  }
}
