import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Only some parameters may differ from zero: what a frozen mask is held to.
private struct FixedSupport: Penalty {
  let mask: [Bool]

  func value(at weights: [Double]) -> Double {
    zip(weights, mask).allSatisfy { $0 == 0 || $1 } ? 0 : .infinity
  }

  func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    zip(z, mask).map { $1 ? $0 : 0 }
  }

  func residual(at weights: [Double], gradient: [Double]) -> Double {
    zip(gradient, mask).reduce(0) { $1.1 ? max($0, abs($1.0)) : $0 }
  }

  func support(at weights: [Double]) -> [Bool] { mask }
}

/// Penalties as such: values, proximal points, residuals, supports.
@Suite struct PenaltyTests {
  private static let penalties: [any Penalty] = [
    L1Penalty(strengths: [0.3, 0.3, 1.2, 0, 0.3, 2, 0.1, 0.3]),
    GroupPenalty(strength: 0.8, groups: [[0, 2, 5], [1, 7], [6]]),
    CardinalityLimit(count: 3, among: [0, 1, 2, 4, 5, 7]),
    FixedSupport(mask: [true, false, true, true, false, false, true, true]),
    ConcavePenalty(strength: 0.4, reach: 0.9, among: [0, 1, 2, 4, 5, 7]),
  ]

  /// The proximal point w minimises ½ Σ h (w − z)² + R(w), so that the residual of R with the gradient
  /// h (w − z) vanishes there; and no point nearby, nor zero, nor z, is better.
  @Test(arguments: 0..<5)
  func theProximalPointIsAMinimum(number: Int) {
    let penalty = Self.penalties[number]
    var stream = RandomStream(seed: 11)
    for _ in 0..<200 {
      let z = (0..<8).map { _ in stream.normal() }
      let h = (0..<8).map { _ in exp(stream.normal()) }
      let w = penalty.proximalPoint(of: z, metric: h)
      func objective(_ w: [Double]) -> Double {
        zip(zip(h, w), z).reduce(penalty.value(at: w)) {
          $0 + $1.0.0 * ($1.0.1 - $1.1) * ($1.0.1 - $1.1) / 2
        }
      }
      let gradient = w.indices.map { h[$0] * (w[$0] - z[$0]) }
      #expect(penalty.residual(at: w, gradient: gradient) < 1e-9)
      let least = objective(w)
      #expect(least.isFinite)
      var others = [z, z.map { _ in 0 }]
      for size in [1e-4, 1e-2, 1] {
        for _ in 0..<5 { others.append(w.map { $0 + size * stream.normal() }) }
        for _ in 0..<5 { others.append(w.map { $0 == 0 ? 0 : $0 + size * stream.normal() }) }
      }
      #expect(others.allSatisfy { objective($0) >= least - 1e-12 })
      // What may not differ from zero does not; where there is nothing to shrink nothing is.
      #expect(zip(w, penalty.support(at: w)).allSatisfy { $0 == 0 || $1 })
    }
  }

  /// A residual that is not zero means that there is a descent: it is measured against a search.
  @Test(arguments: [0, 1, 3])
  func aResidualMeansThatThereIsADescent(number: Int) {
    let penalty = Self.penalties[number]
    var stream = RandomStream(seed: 12)
    for _ in 0..<100 {
      let target = (0..<8).map { _ in stream.normal() }
      let start = penalty.proximalPoint(
        of: (0..<8).map { _ in stream.normal() }, metric: target.map { _ in 1 })
      func objective(_ w: [Double]) -> Double {
        zip(w, target).reduce(penalty.value(at: w)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / 2 }
      }
      let gradient = zip(start, target).map { $0 - $1 }
      let residual = penalty.residual(at: start, gradient: gradient)
      // One step of the proximal gradient method.
      let step = 1e-3
      let next = penalty.proximalPoint(
        of: zip(start, gradient).map { $0 - step * $1 }, metric: start.map { _ in 1 / step })
      let descent = objective(start) - objective(next)
      #expect((residual > 1e-6) == (descent > 1e-16))
      #expect(descent >= 0.4 * step * residual * residual / 8)
    }
  }

  @Test func aConstraintThatIsBrokenIsWorthInfinity() {
    #expect(CardinalityLimit(count: 1, among: [0, 1]).value(at: [1, 1, 5]) == .infinity)
    #expect(CardinalityLimit(count: 1, among: [0, 1]).value(at: [0, 1, 5]) == 0)
    #expect(FixedSupport(mask: [true, false]).value(at: [1, 1]) == .infinity)
    #expect(L1Penalty(strengths: [2, 0]).value(at: [-3, 9]) == 6)
    #expect(GroupPenalty(strength: 2, groups: [[0, 1]]).value(at: [3, -4, 9]) == 10)
    // λ|w| (1 − |w|/2r) within the reach, λ r/2 beyond it.
    let concave = ConcavePenalty(strength: 2, reach: 1, among: [0, 1])
    #expect(concave.value(at: [0.5, -3, 9]) == 2 * 0.5 * 0.75 + 1)
  }

  /// A weight beyond the reach stays as it is, one below λ/h vanishes, and between them the point moves without a
  /// jump where the metric outweighs the penalty.
  @Test func theConcavePenaltyLeavesLargeWeightsAlone() {
    let penalty = ConcavePenalty(strength: 0.5, reach: 1, among: [0])
    func point(_ z: Double, _ h: Double) -> Double {
      penalty.proximalPoint(of: [z], metric: [h])[0]
    }
    #expect(point(1.0001, 2) == 1.0001 && point(-7, 2) == -7)
    #expect(point(0.2499, 2) == 0 && point(-0.2, 2) == 0)
    #expect(abs(point(0.625, 2) - 0.5) < 1e-12 && abs(point(-0.625, 2) + 0.5) < 1e-12)
    for z in stride(from: -1.5, to: 1.5, by: 0.01) {
      #expect(abs(point(z + 0.01, 2) - point(z, 2)) < 0.014)
    }
    // Without that it is all or nothing, at h z² = λ r.
    #expect(point(1.41, 0.25) == 0 && point(1.42, 0.25) == 1.42)
  }

  /// Of what is not finite nothing is known, but it comes to an end.
  @Test func noNumbersEnd() {
    let z = [Double.nan, .infinity, 0, -.infinity, 1, 2, 3, 4]
    for penalty in Self.penalties {
      let w = penalty.proximalPoint(of: z, metric: z.map { _ in 1 })
      #expect(w.count == 8)
    }
  }
}

/// Trainings with each sparsifier, run to convergence on a small problem with known relevant inputs.
@Suite struct SparsifierTests {
  /// Six inputs of which 0, 2 and (weakly) 4 act, linearly, and 1 through its square.
  private func problem(hidden: [Int]) -> TrainingSet {
    var stream = RandomStream(seed: 3)
    let features = Matrix(rows: 200, columns: 6) { _, _ in stream.normal() }
    let targets = Matrix(rows: 200, columns: 1) { row, _ in
      features[row, 0] - 0.5 * features[row, 2] + 0.05 * features[row, 4]
        + (hidden.isEmpty ? 0 : 0.5 * features[row, 1] * features[row, 1]) + 0.1 * stream.normal()
    }
    return TrainingSet(features: features, targets: targets)
  }

  private func trained(
    hidden: [Int], epochs: Int = 60, seed: UInt64 = 4, _ change: (inout Recipe) -> Void
  ) -> (weights: [Double], gradient: [Double], network: Network, records: [EpochRecord]) {
    var recipe = Recipe()
    recipe.hidden = hidden
    recipe.batch = 200
    recipe.length = .epochs(epochs)
    recipe.learningRate = 1e-2
    recipe.finalLearningRate = 1e-7
    change(&recipe)
    var initial = RandomStream(seed: seed)
    var trainer = Trainer(
      networks: [.initial(recipe: recipe, inputs: 6, outputs: 1, name: "y", stream: &initial)],
      recipe: recipe, set: problem(hidden: hidden).repeated(400), firstTarget: 0, orders: .inOrder)
    let records = (1...epochs).compactMap { epoch in
      try? trainer.runEpoch(epoch, validation: nil)[0].get()
    }
    let (weights, gradient) = trainer.weightsAndGradient(rows: 200)
    return (weights, gradient, trainer.result(), records)
  }

  /// The parameters that read an input, in the order of `weightsAndGradient`.
  private func readers(_ network: Network) -> [[Int]] {
    var groups = [[Int]](repeating: [], count: network.inputCount)
    var place = 0
    for layer in network.layers {
      for connection in layer.connections {
        for index in connection.weight.elements.indices {
          if connection.source == .inputs {
            groups[index % connection.weight.columns].append(place + index)
          }
        }
        place += connection.weight.elements.count
      }
    }
    return groups
  }

  @Test(arguments: [1, 16], [[], [4]])
  func groupLassoConvergesToAnOptimum(revisit: Int, hidden: [Int]) {
    let strength = hidden.isEmpty ? 0.2 : 0.08
    let run = trained(hidden: hidden) {
      $0.sparsifier = .groupLasso
      $0.strength = strength
      $0.revisit = revisit
    }
    let groups = readers(run.network)
    let grouped = Set(groups.flatMap { $0 })
    let penalty = GroupPenalty(
      strength: strength,
      groups: groups + run.weights.indices.filter { !grouped.contains($0) }.map { [$0] })
    #expect(
      penalty.residual(at: run.weights, gradient: run.gradient) < (revisit == 1 ? 2e-4 : 1e-3))
    #expect(abs((run.records.last?.penalty ?? 0) / penalty.value(at: run.weights) - 1) < 1e-5)
    let dead = groups.map { $0.allSatisfy { run.weights[$0] == 0 } }
    #expect(dead[3] && dead[5] && !dead[0] && !dead[2])
  }

  @Test(arguments: [1, 16])
  func theInputsOwnStrengthIsTheirs(revisit: Int) {
    let run = trained(hidden: [4]) {
      $0.sparsifier = .proximal
      $0.strength = 0.02
      $0.inputStrength = 0.08
      $0.revisit = revisit
    }
    let inputs = Set(readers(run.network).flatMap { $0 })
    let penalty = L1Penalty(
      strengths: run.weights.indices.map { inputs.contains($0) ? 0.08 : 0.02 })
    #expect(penalty.residual(at: run.weights, gradient: run.gradient) < 1e-4)
    #expect(run.weights.count { $0 == 0 } > 5)
  }

  @Test(arguments: [0.2, 0.5])
  func magnitudePruningKeepsItsShareAndIsStationaryThere(density: Double) {
    let run = trained(hidden: [4], epochs: 200) {
      $0.sparsifier = .magnitude
      $0.density = density
    }
    let count = Int((density * Double(run.weights.count)).rounded())
    let limit = CardinalityLimit(count: count, among: Array(run.weights.indices))
    #expect(limit.value(at: run.weights) == 0)
    #expect(run.weights.count { $0 != 0 } == count)
    #expect(limit.residual(at: run.weights, gradient: run.gradient) < 2e-3)
    // Along a cubic: half of what goes has gone early.
    let surviving = run.records.map(\.survivingWeights)
    #expect(surviving.first == run.weights.count && surviving.last == count)
    #expect(zip(surviving, surviving.dropFirst()).allSatisfy { $0 >= $1 })
    let middle = surviving[79]  // a half of the cubic's time after its start at 0.1
    let expected = Double(count) + pow(0.5, 3) * Double(run.weights.count - count)
    #expect(abs(Double(middle) - expected) <= 2)
  }

  @Test(arguments: Seeds.first(2)) func rigLKeepsItsShareOfEachLayerAndFindsTheInputs(seed: UInt64)
  {
    let run = trained(hidden: [8], seed: seed) {
      $0.sparsifier = .rigl
      $0.density = 0.3
      $0.revisit = 20
    }
    for layer in run.network.layers {
      let all = layer.connections.reduce(0) { $0 + $1.weight.elements.count }
      #expect(layer.survivingWeightCount <= Int((0.3 * Double(all)).rounded()))
      // What was grown last may still be zero.
      #expect(layer.survivingWeightCount >= Int((0.3 * Double(all)).rounded()) - 6)
    }
    let mask = FixedSupport(mask: run.weights.map { $0 != 0 })
    #expect(mask.residual(at: run.weights, gradient: run.gradient) < 3e-3)
    // Of a variance of 1; in one training of ten a unit is lost on the way.
    let loss = run.records.last?.trainingLoss ?? 1
    Seeds.note("RigL finds the inputs: loss", seed: seed, loss, below: 0.3)
    #expect(loss < 0.3)
  }

  /// At the end of a frozen stretch without penalty: the gradient of the loss vanishes on the mask, for
  /// every sparsifier; and on it only.
  @Test(arguments: Sparsifier.allCases)
  func aFrozenMaskIsFittedWithoutPenalty(sparsifier: Sparsifier) {
    let run = trained(hidden: [4]) {
      $0.sparsifier = sparsifier
      $0.strength = sparsifier == .softThreshold ? 0.01 : 0.05
      $0.cut = sparsifier == .l1 ? 0.02 : 0
      $0.freeze = 0.5
      $0.density = 0.3
    }
    let mask = FixedSupport(mask: run.weights.map { $0 != 0 })
    #expect(mask.residual(at: run.weights, gradient: run.gradient) < 3e-3)
    let surviving = run.records.map(\.survivingWeights)
    #expect(Set(surviving[30...]).count == 1)
    if sparsifier != .none { #expect(run.weights.contains(0)) }
  }

  /// With constant steps on noisy minibatches the mean over the frozen steps lies nearer to the optimum than
  /// single steps do, and has the same zeros.
  @Test(arguments: Seeds.first(2)) func averagingTakesTheNoiseOutAndKeepsTheZeros(seed: UInt64) {
    func loss(average: Bool) -> (loss: Double, zeros: [Bool]) {
      var recipe = Recipe()
      recipe.hidden = []
      recipe.strength = 0.05
      recipe.batch = 4
      recipe.schedule = .constant
      recipe.learningRate = 3e-2
      recipe.length = .epochs(300)
      recipe.freeze = 0.5
      recipe.revisit = 4
      recipe.average = average
      var initial = RandomStream(seed: seed)
      let set = problem(hidden: [])
      var trainer = Trainer(
        networks: [.initial(recipe: recipe, inputs: 6, outputs: 1, name: "y", stream: &initial)],
        recipe: recipe, set: set, firstTarget: 0, orders: SampleOrders(seed: seed + 100))
      let losses = (1...300).map { epoch in
        (try? trainer.runEpoch(epoch, validation: set)[0].get())?.validationLoss ?? .nan
      }
      // The mean replaces the last step's parameters; steps wander, so that they are judged by several.
      return (
        average ? losses[299] : losses[250...].reduce(0, +) / 50,
        trainer.weightsAndGradient(rows: 16).weights.map { $0 == 0 }
      )
    }
    let (averaged, last) = (loss(average: true), loss(average: false))
    Seeds.note("averaging takes noise out: loss", seed: seed, averaged.loss / last.loss, below: 1)
    #expect(averaged.loss < last.loss)
    #expect(averaged.zeros == last.zeros && averaged.zeros.contains(true))
  }

  /// Thresholds rise under decay and take weights with them.
  @Test(arguments: Seeds.first(2)) func learnedThresholdsRiseWithTheDecay(seed: UInt64) {
    func zeros(_ decay: Double) -> Int {
      trained(hidden: [4], seed: seed) {
        $0.sparsifier = .softThreshold
        $0.strength = decay
      }.weights.count { $0 == 0 }
    }
    let counts = [0.003, 0.3, 3].map(zeros)
    Seeds.note(
      "thresholds rise with the decay: ratio of zeros", seed: seed,
      max(Double(counts[0]) / Double(counts[1]), Double(counts[1]) / Double(counts[2])), below: 1)
    #expect(counts[0] < counts[1] && counts[1] < counts[2])
    let run = trained(hidden: [4], seed: seed) {
      $0.sparsifier = .softThreshold
      $0.strength = 0.01
    }
    #expect(readers(run.network)[0].contains { run.weights[$0] != 0 })
  }

  /// What is never read cannot be joined: the inputs reach every layer, and each function with and without
  /// is what `evaluate` says.
  @Test func inputsAreJoinedToEveryLayer() {
    var recipe = Recipe()
    recipe.towers = .shared
    recipe.hidden = [5, 4]
    recipe.inputSkip = true
    for skip in [true, false] {
      recipe.skip = skip
      var stream = RandomStream(seed: 1)
      let network = Network.initial(
        recipe: recipe, inputs: 3, outputs: 2, name: "", stream: &stream)
      #expect(network.layers.map { $0.connections.count } == [1, 2, 2])
      #expect(network.layers.allSatisfy { $0.connections.contains { $0.source == .inputs } })
      let biases = network.layers.reduce(0) { $0 + $1.unitCount }
      #expect(network.weightCount + biases == recipe.parameters(inputs: 3, outputs: 2))
    }
  }
}

/// Trainings that held-out trajectories end.
@Suite struct PatienceTests {
  private func trained(patience: Int, epochs: Int = 400) throws -> GroupTraining.Trained {
    var stream = RandomStream(seed: 7)
    func set(_ rows: Int) -> TrainingSet {
      let features = Matrix(rows: rows, columns: 8) { _, _ in stream.normal() }
      return TrainingSet(
        features: features,
        targets: Matrix(rows: rows, columns: 1) { row, _ in features[row, 0] + stream.normal() })
    }
    var recipe = Recipe()
    recipe.sparsifier = .none
    recipe.hidden = [30]
    recipe.schedule = .constant
    recipe.learningRate = 1e-2
    recipe.batch = 32
    recipe.length = .epochs(epochs)
    recipe.patience = patience
    let training = EnsembleTraining(recipe: recipe, members: 1, seed: 1, threads: 1)
    var group = GroupTraining(
      recipe: training.recipe, seed: training.seed, onDivergence: training.onDivergence,
      set: set(64), validation: set(500), checkpoints: .none,
      states: [ProblemState(.init(member: 0, tower: 0))]
    ) { _ in }
    return try group.run()[0]
  }

  /// Sixty-four noisy rows are soon learnt by heart.
  @Test func theTrainingEndsAndTheBestEpochCounts() throws {
    let patient = try trained(patience: 10)
    let losses = patient.history.epochs.compactMap(\.validationLoss)
    #expect(losses.count < 400)
    let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(losses.count - 1 - best == 10)
    // The same training stopped at the best epoch gives the network that was returned.
    let short = try trained(patience: 0, epochs: best + 1)
    #expect(patient.network == short.network)
    let long = try trained(patience: 0)
    #expect(long.history.epochs.count == 400)
  }
}

extension Trainer {
  /// Weights without biases, layer by layer as `Network` has them, and the gradient of the loss over the
  /// first rows.
  mutating func weightsAndGradient(rows: Int) -> (weights: [Double], gradient: [Double]) {
    let gradient = gradient(rows: (0..<rows).map { UInt32($0) }).network
    func weights(_ network: Network) -> [Double] {
      network.layers.flatMap { $0.connections.flatMap { $0.weight.elements } }
    }
    return (weights(result()), weights(gradient))
  }
}
