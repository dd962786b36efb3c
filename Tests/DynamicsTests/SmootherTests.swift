import Dynamics
import Foundation
import LinearAlgebra
import Testing

@Suite struct SmootherTests {
  // MARK: The recursion against dense algebra

  /// The same model written as one Gaussian: z = A ξ + m with independent ξ (the start and every random
  /// increment), y = H z + noise. Posterior mean and covariance by the textbook formula for all at once.
  struct Dense {
    /// Of x and v at each sample: mean, and factors of the unit random numbers.
    var x: [(mean: Double, factors: [Double])] = []
    var v: [(mean: Double, factors: [Double])] = []

    init(_ model: MotionModel, jumps: [Jump], first: Double) {
      let bends = model.kind != .wanderingChange
      let count = 3 + 2 * jumps.count
      func unit(_ index: Int, _ variance: Double) -> [Double] {
        (0..<count).map { $0 == index ? variance.squareRoot() : 0 }
      }
      func plus(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
      var x = (mean: first, factors: unit(0, 100))
      var v = (mean: 0.0, factors: unit(1, model.start))
      var a = (mean: 0.0, factors: unit(2, bends ? 0.01 * model.start : 0))
      for (sample, jump) in jumps.enumerated() {
        if sample > 0 {
          let variance = jump.share * model.jump + jump.floor
          x = (x.mean + v.mean, plus(x.factors, v.factors))
          v = (
            v.mean + a.mean + (model.kind == .smoothChange ? 0 : jump.shift),
            plus(
              plus(v.factors, a.factors),
              unit(
                3 + 2 * sample,
                (model.kind == .smoothChange ? 0 : variance)
                  + (bends ? 0 : model.wandering)))
          )
          a = (
            a.mean,
            plus(
              a.factors,
              unit(4 + 2 * sample, bends ? model.wandering + 0.01 * variance : 0))
          )
        }
        self.x.append(x)
        self.v.append(v)
      }
    }

    private func covariance(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    func posterior(_ measured: [Double]) throws -> (
      value: [Double], variance: [Double], log: Double
    ) {
      let seen = measured.indices.filter { measured[$0].isFinite }
      let s = Matrix(rows: seen.count, columns: seen.count) {
        covariance(x[seen[$0]].factors, x[seen[$1]].factors) + ($0 == $1 ? 1 : 0)
      }
      let surprise = seen.map { measured[$0] - x[$0].mean }
      let weights = try #require(s.solvePositiveDefinite(surprise))
      let value = x.map { one in
        one.mean
          + zip(seen, weights).reduce(0) { $0 + covariance(one.factors, x[$1.0].factors) * $1.1 }
      }
      let variance = try v.map { one in
        let row = seen.map { covariance(one.factors, x[$0].factors) }
        let solved = try #require(s.solvePositiveDefinite(row))
        return covariance(one.factors, one.factors)
          - zip(row, solved).reduce(0) { $0 + $1.0 * $1.1 }
      }
      // log det by elimination.
      var logDeterminant = 0.0
      var rest = s
      for k in 0..<rest.rows {
        logDeterminant += log(rest[k, k])
        for i in (k + 1)..<max(k + 1, rest.rows) {
          let factor = rest[i, k] / rest[k, k]
          for j in k..<rest.rows { rest[i, j] -= factor * rest[k, j] }
        }
      }
      let square = zip(surprise, weights).reduce(0) { $0 + $1.0 * $1.1 }
      return (value, variance, -(logDeterminant + square) / 2)
    }
  }

  @Test(arguments: MotionModel.Kind.allCases)
  func theRecursionIsTheGaussianPosterior(kind: MotionModel.Kind) throws {
    let model = MotionModel(kind: kind, wandering: 0.3, jump: 40, start: 9)
    var jumps = (0..<12).map { _ in Jump(share: 0) }
    jumps[4] = Jump(shift: 3, share: 1)
    jumps[9] = Jump(share: 0.5, floor: 2)
    var stream = RandomStream(seed: 8)
    var measured = (0..<12).map { Double($0) * 0.7 + ($0 > 4 ? 5 : 0) + stream.normal() }
    measured[6] = .nan
    let expected = try Dense(model, jumps: jumps, first: measured[0]).posterior(measured)
    let other = (0..<9).map { Double($0 * $0) }
    let result = StateTracker.smooth(
      [other, measured], [Array(jumps.prefix(9)), jumps], model)
    for sample in measured.indices {
      #expect(abs(result.value[sample][1] - expected.value[sample]) < 1e-9)
      #expect(abs(result.changeVariance[sample][1] - expected.variance[sample]) < 1e-9)
    }
    let logs = StateTracker.logLikelihood(
      measured, jumps, model, wandering: .init(repeating: 0.3))
    #expect(abs(logs[3] - expected.log) < 1e-9)
  }

  // MARK: On plants

  private func trajectories(_ plant: String, noise: Double, samples: Int = 2000) throws
    -> Trajectories
  {
    var simulation = Simulation(
      plant: try #require(PlantCatalogue.plant(named: plant)), trajectories: 8, samples: samples)
    simulation.noise = noise
    return try simulation.run()
  }

  @Test(arguments: PlantCatalogue.names)
  func exactDataStayAsTheyAre(plant: String) throws {
    let data = try trajectories(plant, noise: 0)
    let smoothing = try Smoother(threads: 1).run(data)
    #expect(smoothing.data == data && smoothing.rateVariances == nil)
    #expect(smoothing.states.allSatisfy { $0.motion == nil })
  }

  @Test(arguments: ["electrolysis", "duffing"], [0.001, 0.01])
  func noiseIsFoundAndTakenOut(plant: String, level: Double) throws {
    let exact = try trajectories(plant, noise: 0)
    let noisy = try trajectories(plant, noise: level)
    let smoothing = try Smoother(threads: 1).run(noisy)
    let variances = try #require(smoothing.rateVariances)
    for (state, report) in smoothing.states.enumerated() {
      func increments(_ data: Trajectories) -> [Double] {
        data.samples.flatMap { matrix in
          (1..<matrix.rows).map { matrix[$0, state] - matrix[$0 - 1, state] }
        }
      }
      let truth = increments(exact)
      func error(_ data: Trajectories) -> Double {
        zip(increments(data), truth).map { ($0 - $1) * ($0 - $1) }.mean.squareRoot()
      }
      let noise = error(noisy) / 2.0.squareRoot()
      #expect(abs(report.noise / noise - 1) < 0.1, "\(report)")
      #expect(error(smoothing.data) < 0.6 * error(noisy), "\(report)")
      // What it believes of its errors is of their size.
      let believed = variances.flatMap { $0.column(state).dropLast() }.mean.squareRoot()
      let ratio = believed * noisy.timeStep / error(smoothing.data)
      #expect(ratio > 0.3 && ratio < 3, "\(report) \(ratio)")
    }
  }

  /// With the plant's own rates as a model, nearly all noise is seen; a model whose rates are off by a fifth
  /// of their deviation is corrected.
  @Test(arguments: ["electrolysis", "duffing"], [0.0, 0.2])
  func aModelTellsNoiseFromMotion(plant name: String, off: Double) throws {
    let plant = try #require(PlantCatalogue.plant(named: name))
    let exact = try trajectories(name, noise: 0)
    let noisy = try trajectories(name, noise: 0.01)
    let first = try Smoother(threads: 1).run(noisy)
    let deviations = try Regression(exact).standardisation().outputs.deviation
    let states = plant.states.count
    let rates = first.data.samples.map { matrix in
      Matrix(
        (0..<(matrix.rows - 1)).map { row in
          let z = matrix.row(row)
          let increment = plant.increment(
            state: Array(z.prefix(states)), controls: Array(z.dropFirst(states)))
          return (0..<states).map { increment[$0] + off * deviations[$0] }
        })
    }
    let second = try Smoother(threads: 1).run(again: first, rates: rates)
    #expect(second.states == first.states)
    for state in 0..<states {
      func error(_ smoothing: Smoothing) -> Double {
        zip(smoothing.data.samples, exact.samples).flatMap { ours, truth in
          (1..<ours.rows).map { row in
            let error =
              ours[row, state] - ours[row - 1, state] - truth[row, state] + truth[row - 1, state]
            return error * error
          }
        }.mean.squareRoot()
      }
      let ratio = error(second) / error(first)
      #expect(ratio < (off == 0 ? 0.5 : 1.1), "\(plant.states[state].name): \(ratio)")
    }
  }

  /// A state that is moved by hand, once in 16,000 samples and without any change of the controls: no motion
  /// makes that likely, and the rest must not suffer.
  @Test func eventsAreFollowedAndTheRestStaysSmooth() throws {
    let exact = try trajectories("electrolysis", noise: 0)
    let plain = try trajectories("electrolysis", noise: 0.01)
    let bath = 5
    let step = 5.0
    var samples = plain.samples
    for sample in 700..<2000 { samples[0][sample, bath] += step }
    let noisy = try Trajectories(
      variables: plain.variables, timeStep: plain.timeStep, samples: samples)
    let smoothing = try Smoother(threads: 1).run(noisy)
    let report = smoothing.states[bath]
    #expect(report.motion?.hasSuffix(", and events") == true, "\(report)")
    #expect(smoothing.warnings.isEmpty)
    func error(_ samples: Range<Int>) -> Double {
      samples.map { sample in
        let truth = exact.samples[0][sample, bath] + (sample >= 700 ? step : 0)
        let error = smoothing.data.samples[0][sample, bath] - truth
        return error * error
      }.mean.squareRoot()
    }
    #expect(error(690..<710) < report.noise)
    #expect(error(0..<690) < 0.5 * report.noise && error(710..<2000) < 0.5 * report.noise)
  }

  @Test func exactDataAndGapsAreNotSmoothedAgain() throws {
    let exact = try Smoother(threads: 1).run(try trajectories("duffing", noise: 0))
    let rates = exact.data.samples.map { Matrix(rows: $0.rows - 1, columns: 2, repeating: 1) }
    let again = try Smoother(threads: 1).run(again: exact, rates: rates)
    #expect(again.data == exact.data && again.rateVariances == nil)
  }

  /// A tenth of the values, one by one, in data with noise: filled to within the noise.
  @Test func gapsAreFilled() throws {
    let exact = try trajectories("electrolysis", noise: 0)
    var simulation = Simulation(plant: ElectrolysisCell(), trajectories: 8, samples: 2000)
    simulation.noise = 0.01
    simulation.missing = 0.1
    let data = try simulation.run()
    let smoothing = try Smoother(threads: 1).run(data)
    let deviations = Simulation.deviations(of: ElectrolysisCell(), mode: .aprbs)
    #expect(smoothing.data.missingValues == Array(repeating: 0, count: 8))
    for (state, report) in smoothing.states.enumerated() {
      #expect(abs(Double(report.gaps) / 1600 - 1) < 0.15)
      #expect(!report.noiseDrifts && report.correlation < -0.72)
      var errors: [Double] = []
      for trajectory in data.samples.indices {
        for sample in 0..<2000 where data.samples[trajectory][sample, state].isNaN {
          errors.append(
            smoothing.data.samples[trajectory][sample, state]
              - exact.samples[trajectory][sample, state])
        }
      }
      #expect(errors.map { $0 * $0 }.mean.squareRoot() < 0.01 * deviations[state], "\(report)")
    }
  }

  /// A chain of masses with cubic springs, whose accelerations a quadratic regression explains badly: what it lacks
  /// changes smoothly, and is no disturbance.
  @Test func noiseIsFoundWhereTheRegressionLacksEffects() throws {
    var simulation = Simulation(plant: SpringChain(masses: 10), trajectories: 12, samples: 1000)
    simulation.noise = 0.01
    let smoothing = try Smoother(threads: 1).run(try simulation.run())
    for report in smoothing.states {
      #expect(report.isNoise && !report.movesTheState && report.motion != nil, "\(report)")
      #expect(!report.noiseDrifts, "\(report)")
    }
  }

  /// What pushes the state itself stays in it, as it does where the regression lacks effects.
  @Test(arguments: [0, 2.0]) func disturbancesStay(bend: Double) throws {
    var stream = RandomStream(seed: 6)
    let samples = (0..<10).map { _ -> Matrix in
      var (x, u) = (0.0, 0.0)
      return Matrix(
        (0..<800).map { k -> [Double] in
          if k % 20 == 0 { u = 2 * stream.uniform() - 1 }
          defer {
            x += -0.1 * x + 0.1 * u + 0.01 * bend * Double.sin(3 * x) + 0.05 * stream.normal()
          }
          return [x, u]
        })
    }
    let data = try Trajectories(
      variables: [Variable("x", role: .state), Variable("u", role: .control)], timeStep: 1,
      samples: samples)
    let smoothing = try Smoother(threads: 1).run(data)
    #expect(smoothing.states[0].movesTheState, "\(smoothing.states[0])")
    #expect(smoothing.data.samples == data.samples)
  }

  /// (Noise with a correlation of 0.9 moves like a disturbance and is left.)
  @Test(arguments: [0.5])
  func noiseThatDriftsIsSaidSo(correlation: Double) throws {
    var simulation = Simulation(plant: ElectrolysisCell(), trajectories: 8, samples: 2000)
    simulation.noise = 0.01
    simulation.noiseCorrelation = correlation
    let smoothing = try Smoother(threads: 1).run(try simulation.run())
    #expect(smoothing.states.count(where: \.noiseDrifts) >= 5)
  }

  @Test func noiseOnControlsIsFound() throws {
    var simulation = Simulation(plant: ElectrolysisCell(), trajectories: 8, samples: 2000)
    simulation.controlNoise = 0.01
    let noisy = Smoother.noisyControls(try simulation.run())
    #expect(noisy.map(\.name) == ElectrolysisCell().controls.map(\.name))
    #expect(noisy.allSatisfy { abs($0.share / 0.01 - 1) < 0.8 })
    simulation.controlNoise = 0
    #expect(Smoother.noisyControls(try simulation.run()).isEmpty)
  }

  @Test func itIsTheSameForAnyNumberOfThreads() async throws {
    let data = try trajectories("electrolysis", noise: 0.01, samples: 300)
    let alone = try { try Smoother(threads: 1).run(data) }()
    let together = try await Smoother(threads: 3).run(data)
    #expect(alone.data == together.data && alone.rateVariances == together.rateVariances)
    #expect(alone.states == together.states)
  }

  @Test func aSplitKeepsVariancesBesideTheirSamples() throws {
    let smoothing = try Smoother(threads: 1).run(
      try trajectories("duffing", noise: 0.01, samples: 100))
    let (training, validation) = smoothing.split(validationFraction: 0.25)
    let whole = try #require(smoothing.rateVariances)
    #expect(training.rateVariances == Array(whole.prefix(6)))
    #expect(validation?.rateVariances == Array(whole.suffix(2)))
    let one = Smoothing(
      data: try smoothing.data.prefix(1), rateVariances: Array(whole.prefix(1)), states: [])
    let parts = one.split(validationFraction: 0.2)
    let rows = [parts.training, parts.validation].compactMap { $0?.rateVariances?[0].elements }
    #expect(Array(rows.joined()) == whole[0].elements && rows.count == 2)
  }
}
