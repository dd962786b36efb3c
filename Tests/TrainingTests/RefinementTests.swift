import Dynamics
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

@Suite struct RefinementTests {
  /// y = tanh(x0 + x1) + x2 impulse; x3 is nearly x0; x4, x5 mean nothing.
  private func rows(_ count: Int, seed: UInt64, noise: Double = 0) -> RegressionRows {
    var stream = RandomStream(seed: seed)
    var inputs = Matrix(rows: count, columns: 6)
    var targets = Matrix(rows: count, columns: 1)
    for row in 0..<count {
      for column in 0..<6 { inputs[row, column] = stream.normal() }
      inputs[row, 2] = row % 97 == 0 ? 10 : 0
      inputs[row, 3] = inputs[row, 0] + 0.5 * stream.normal()
      let sum = Activation.tanh.value(inputs[row, 0] + inputs[row, 1])
      targets[row, 0] = sum + 0.05 * inputs[row, 2]
      if noise > 0 { targets[row, 0] += noise * stream.normal() }
    }
    return RegressionRows(inputs: inputs, targets: targets)
  }

  private func start(_ seed: UInt64 = 3) -> Network {
    var recipe = Recipe()
    recipe.hidden = [8]
    var stream = RandomStream(seed: seed)
    var network = Network.initial(
      recipe: recipe, inputs: 6, outputs: 1, name: "y", stream: &stream)
    // Zeros would stay zeros.
    network.layers[1].connections[1].weight = Matrix(rows: 1, columns: 6, repeating: 0.01)
    return network
  }

  /// Two members, which hold out different rows; noise of a tenth of the signal hides nothing and adds little. A fit
  /// from random weights may end beside the function, so that inputs are counted over several seeds.
  @Test(arguments: [0, 0.1]) func theInputsThatMeanNothingAreTakenOut(noise: Double) {
    var (removed, proven, seeds) = (0, 0, 0)
    for seed in Seeds.first(5) {
      let outcome = PooledElimination(attempts: 16).run(members(noise, seed))
      #expect(Set(outcome.removed).isSubset(of: [3, 4, 5]), "\(seed)")
      seeds += 1
      removed += outcome.removed.count
      proven += (0..<3).count { outcome.comparisons[$0]?.statistic ?? 0 > 3 }
      // Nothing reads them any more.
      for network in outcome.members.map(\.network) {
        let read = network.layers.flatMap(\.connections).filter { $0.source == .inputs }
        for input in outcome.removed {
          #expect(read.allSatisfy { $0.weight.column(input).allSatisfy { $0 == 0 } })
        }
      }
    }
    let (left, open) = (
      1 - Double(removed) / Double(3 * seeds), 1 - Double(proven) / Double(3 * seeds)
    )
    Seeds.note("inputs that mean nothing go: share left", seed: 1, left, below: 0.4)
    Seeds.note("true inputs are proven: share that is not", seed: 1, open, below: 0.25)
    #expect(left < 0.4 && open < 0.25)
  }

  private func members(_ noise: Double, _ seed: UInt64) -> [PooledElimination.Member] {
    var stream = RandomStream(seed: seed, path: [9])
    func drawn(_ count: Int, _ seed: UInt64) -> RegressionRows {
      var data = rows(count, seed: seed)
      for row in 0..<count { data.targets[row, 0] += noise * stream.normal() }
      return data
    }
    return (0..<2).map { member in
      let training = drawn(1500, 10 * seed + UInt64(member))
      let fit = LevenbergMarquardt(attempts: 60).fit(start(seed + UInt64(member)), training)
      return PooledElimination.Member(
        network: fit.network, rows: training, learnt: training,
        held: drawn(1000, 10 * seed + 5 + UInt64(member)))
    }
  }

  /// y = 2 x0 − x1 in a tower of eight units that could bend it: a line is left, with one weight for each input,
  /// because thinning does not decide which inputs act.
  @Test(arguments: Seeds.first(3)) func aLinearFunctionIsThinnedToItsTerms(seed: UInt64) {
    func linear(_ seed: UInt64) -> RegressionRows {
      var data = rows(800, seed: seed)
      for row in 0..<800 { data.targets[row, 0] = 2 * data.inputs[row, 0] - data.inputs[row, 1] }
      return data
    }
    let fit = LevenbergMarquardt(attempts: 30).fit(start(seed), linear(1))
    let thinned = WeightElimination(attempts: 8)
      .run(fit.network, linear(1), validation: linear(2))
    let skip = thinned.layers[1].connections[1].weight.elements
    #expect(thinned.survivingWeightCount == 6, "\(thinned.survivingWeightCount)")
    #expect(skip.dropFirst(2).allSatisfy { abs($0) < 1e-3 })
    let error = max(abs(skip[0] - 2), abs(skip[1] + 1))
    Seeds.note("a linear function is thinned to its terms: error", seed: seed, error, below: 1e-3)
    #expect(error < 1e-3)
  }

  /// Under noise most of the weights fit nothing but it, so that at least a third can go.
  @Test(arguments: Seeds.first(3)) func thinningKeepsToItsTolerance(seed: UInt64) {
    let (training, validation) = (
      rows(1500, seed: 1, noise: 0.1), rows(1000, seed: 2, noise: 0.1)
    )
    let before = LevenbergMarquardt(attempts: 60).fit(start(seed), training).network
    let after = WeightElimination(attempts: 8).run(before, training, validation: validation)
    func loss(_ network: Network, _ rows: RegressionRows) -> Double {
      LevenbergMarquardt(attempts: 0).fit(network, rows).loss
    }
    let share = Double(after.survivingWeightCount) / Double(before.survivingWeightCount)
    Seeds.note("thinning takes a third out: share left", seed: seed, share, below: 2.0 / 3)
    #expect(share < 2.0 / 3)
    for rows in [training, validation] {
      #expect(loss(after, rows) <= 1.3 * loss(before, rows) + 2e-7)
    }
  }

  /// A weight of two counts as the row twice.
  @Test func weightsCountAsRepetitions() {
    let once = rows(700, seed: 1)
    var weighted = once
    weighted.weights = Matrix(rows: 700, columns: 1) { row, _ in row % 3 == 0 ? 2 : 1 }
    let twice = (0..<700).filter { $0 % 3 == 0 }
    let all = Array(0..<700) + twice
    let repeated = RegressionRows(
      inputs: once.inputs.submatrix(rows: all, columns: Array(0..<6)),
      targets: once.targets.submatrix(rows: all, columns: [0]))
    let solver = LevenbergMarquardt(attempts: 2)
    let (a, b) = (solver.fit(start(), weighted), solver.fit(start(), repeated))
    #expect(abs(a.lossBefore / b.lossBefore - 1) < 1e-12)
    // Curvatures are summed in single precision, in another order.
    #expect(abs(a.loss / b.loss - 1) < 1e-4 && a.loss < 0.9 * a.lossBefore)
  }

  /// At the end the output's own parameters are at their least squares: errors are orthogonal to what they
  /// multiply.
  @Test func theOutputsOwnParametersAreSolvedFor() {
    let data = rows(900, seed: 1)
    let network = LevenbergMarquardt(attempts: 5).fit(start(), data).network
    var errors: [Double] = []
    var factors: [[Double]] = []
    for row in 0..<900 {
      let z = Array(data.inputs.row(row))
      errors.append(network.evaluate(z)[0] - data.targets[row, 0])
      let hidden = Network(
        inputCount: 6, layers: [network.layers[0]], outputLayers: [0])
      factors.append([1] + hidden.evaluate(z) + z)
    }
    for column in factors[0].indices {
      let product = zip(errors, factors).reduce(0) { $0 + $1.0 * $1.1[column] } / 900
      #expect(abs(product) < 1e-5)
    }
  }

  /// The second smoothing brings networks of noisy data nearer to the plant, and is a member's own affair.
  @Test(arguments: Seeds.first(1)) func whatNetworksSayOfNoiseTeachesThem(seed: UInt64) async throws
  {
    var simulation = Simulation(plant: DuffingOscillator(), trajectories: 10, samples: 1500)
    simulation.seed = seed
    let exact = try simulation.run()
    simulation.noise = 0.01
    let data = try simulation.run()
    func train(_ rounds: Int, threads: Int) async throws -> [Model] {
      var recipe = Recipe()
      recipe.length = .steps(3000)
      recipe.resmooth = rounds
      return try await EnsembleTraining(recipe: recipe, members: 2, seed: seed, threads: threads)
        .run(on: data).models.map(\.model)
    }
    // Of forecasts over fifty samples.
    func error(_ models: [Model]) -> Double {
      var errors: [Double] = []
      for samples in exact.samples {
        for model in models {
          for start in stride(from: 0, to: samples.rows - 50, by: 50) {
            var state = Array(samples.row(start).prefix(2))
            for sample in start..<(start + 50) {
              let rates = model.rates(state + [samples[sample, 2]])
              state = zip(state, rates).map { $0 + exact.timeStep * $1 }
            }
            errors += zip(state, samples.row(start + 50)).map { abs($0 - $1) }
          }
        }
      }
      return errors.mean
    }
    let (never, twice) = (try await train(0, threads: 1), try await train(2, threads: 1))
    let ratio = error(twice) / error(never)
    Seeds.note("smoothing again: error of forecasts", seed: seed, ratio, below: 1)
    #expect(ratio < 1)
    let inParts = try await train(2, threads: 4)
    #expect(twice == inParts)
  }

  /// The position of Duffing's oscillator moves by its velocity and, within a step, a little by what
  /// accelerates it: a curve of some percent, whose units the penalty empties in one member of two. Least squares
  /// gives them shape again, in every member.
  @Test(arguments: Seeds.first(1)) func curvesThatThePenaltyHidTakeShapeAgain(seed: UInt64)
    async throws
  {
    let data = try Simulation(plant: DuffingOscillator(), trajectories: 6, samples: 600).run()
    var recipe = Recipe()
    recipe.length = .steps(3000)
    (recipe.eliminate, recipe.thin, recipe.finish) = (0, 0, 0)
    let towers = try await EnsembleTraining(recipe: recipe, members: 6, seed: seed, threads: 2)
      .run(on: data).histories.filter { $0.problem.tower == 0 }
    let records = towers.compactMap(\.refinement)
    #expect(records.count == 6)
    let (worst, least) = (records.map(\.after).max() ?? 1, records.map(\.before).min() ?? 0)
    Seeds.note("hidden curves take shape: loss", seed: seed, worst, below: 1e-5)
    Seeds.note("the penalty costs accuracy: 1e-4 over loss", seed: seed, 1e-4 / least, below: 1)
    #expect(worst < 1e-5 && least > 1e-4)
  }

  /// Impulses of forty deviations are scaled down for training only: the model reads what the data hold.
  @Test(arguments: Seeds.first(2)) func rareImpulsesAreScaledForTrainingOnly(seed: UInt64)
    async throws
  {
    var stream = RandomStream(seed: seed)
    let samples = (0..<4).map { _ -> Matrix in
      var x = 0.0
      return Matrix(
        (0..<1200).map { k -> [Double] in
          let u = k % 300 == 20 ? 60.0 : 0
          defer { x = 0.97 * x + 0.05 * u + 0.05 * stream.normal() }
          return [x, u]
        })
    }
    let data = try Trajectories(
      variables: [Variable("x", role: .state), Variable("u", role: .control)], timeStep: 1,
      samples: samples)
    var recipe = Recipe()
    recipe.smooth = false
    recipe.length = .steps(300)
    let outcome = try await EnsembleTraining(recipe: recipe, members: 1, seed: seed, threads: 1)
      .run(on: data)
    let rates = outcome.models[0].model.rates([0, 60])
    Seeds.note("impulses are scaled: error of 3", seed: seed, abs(rates[0] - 3), below: 0.05)
    #expect(abs(rates[0] - 3) < 0.05)
  }
}
