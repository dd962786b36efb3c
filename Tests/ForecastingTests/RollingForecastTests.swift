import Dynamics
import Forecasting
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Against loops over samples in NumPy; see Fixtures/PROVENANCE.md.
@Suite struct RollingForecastTests {
  struct Reference: Decodable {
    struct Layer: Decodable {
      var weight: [[Double]]
      var bias: [Double]
    }

    struct Member: Decodable {
      var activation: String
      var layers: [Layer]
      var skip: [[Double]]?
      var inputMean, inputDeviation, outputMean, outputDeviation: [Double]
    }

    struct Verdict: Decodable {
      var divergedAt: Int?
      /// Null beyond the finite numbers.
      var absolute, squared: [[Double?]]
      var divergedByTimeMean: [Bool]
    }

    struct Average: Decodable {
      var pairs: Int
      var absolute: Double?
    }

    struct Band: Decodable { var mean, half: [Double?] }

    struct Result: Decodable {
      var members: [[Verdict]]
      var mean: [Verdict]
      var covered: [[Int]]
      var bandSamples: [Int]
      var bandOfTrajectory1State0: Band
      var undiverged, common: [Average]
    }

    var timeStep: Double
    var scale: [Double]
    var horizons: [Int]
    var data: [[[Double]]]
    var ensembles: [String: [Member]]
    var results: [String: Result]
  }

  static let names = ["smooth", "wild"]
  let reference: Reference
  let states = ["a", "b", "c"].map { Variable($0, role: .state) }
  let controls = ["u", "v"].map { Variable($0, role: .control) }

  init() throws { reference = try Fixture.json("forecasts/forecasts.json", as: Reference.self) }

  private func model(_ member: Reference.Member) throws -> Model {
    let activation = try #require(Activation(rawValue: member.activation))
    var layers: [Network.Layer] = []
    for (index, layer) in member.layers.enumerated() {
      let isLast = index == member.layers.count - 1
      var connections = [
        Network.Connection(
          source: index == 0 ? .inputs : .layer(index - 1), weight: Matrix(layer.weight))
      ]
      if isLast, let skip = member.skip {
        connections.append(Network.Connection(source: .inputs, weight: Matrix(skip)))
      }
      layers.append(
        Network.Layer(
          name: "l\(index)", activation: isLast ? .identity : activation, bias: layer.bias,
          connections: connections))
    }
    return Model(
      network: Network(inputCount: 5, layers: layers, outputLayers: [layers.count - 1]),
      inputs: states + controls, outputs: states,
      inputScaling: Standardisation(mean: member.inputMean, deviation: member.inputDeviation),
      outputScaling: Standardisation(mean: member.outputMean, deviation: member.outputDeviation),
      timeStep: reference.timeStep)
  }

  private func data(_ order: [Int]? = nil) throws -> Trajectories {
    try Trajectories(
      variables: states + controls, timeStep: reference.timeStep,
      samples: (order ?? Array(reference.data.indices)).map { Matrix(reference.data[$0]) })
  }

  private func groups() throws -> [RollingForecast.Group] {
    try Self.names.map { name in
      RollingForecast.Group(
        name: name, members: try (reference.ensembles[name] ?? []).map { .model(try model($0)) })
    }
  }

  private func outcome(
    _ precision: Rollout.Precision, threads: Int = 1, order: [Int]? = nil,
    groups: [RollingForecast.Group]? = nil, kept: Set<Int> = [1], scale: [Double]? = nil
  ) async throws -> [RollingForecast.GroupOutcome] {
    try await RollingForecast(
      groups: try groups ?? self.groups(), inputs: states + controls, states: states,
      over: try data(order), horizons: reference.horizons, scale: scale ?? reference.scale,
      precision: precision
    ).run(threads: threads, keepingBandsOf: kept)
  }

  /// Relative; what is beyond the finite numbers there has to be so here.
  private func agrees(_ ours: Double, _ theirs: Double?, _ tolerance: Double) -> Bool {
    guard let theirs else { return !ours.isFinite }
    return abs(ours - theirs) <= tolerance * max(1e-3, abs(theirs))
  }

  private func compare(
    _ errors: ForecastErrors, _ verdicts: [Reference.Verdict], _ tolerance: Double
  ) {
    for (trajectory, verdict) in verdicts.enumerated() {
      #expect(errors.divergedAt[trajectory] == verdict.divergedAt)
      for (horizon, absolute) in verdict.absolute.enumerated() {
        // Once diverged, rounding grows: there only the verdict counts.
        let isHeld = (verdict.divergedAt ?? .max) >= reference.horizons[horizon]
        for state in states.indices where isHeld || tolerance < 1e-9 {
          #expect(
            agrees(
              errors.absolute(trajectory, horizon: horizon, state: state), absolute[state],
              tolerance))
          #expect(
            agrees(
              errors.squared(trajectory, horizon: horizon, state: state),
              verdict.squared[horizon][state], 2 * tolerance))
        }
        let byTimeMean = errors.diverged(trajectory, horizon: horizon, by: .timeMean)
        #expect(byTimeMean == verdict.divergedByTimeMean[horizon])
      }
    }
  }

  @Test(arguments: [(Rollout.Precision.double, 1e-10), (.single, 2e-5)])
  func errorsAndDivergencesAreThoseOfNumPy(precision: Rollout.Precision, tolerance: Double)
    async throws
  {
    let outcome = try await outcome(precision)
    for (group, name) in zip(outcome, Self.names) {
      let expected = try #require(reference.results[name])
      for (errors, verdicts) in zip(group.members, expected.members) {
        compare(errors, verdicts, tolerance)
      }
      compare(try #require(group.mean), expected.mean, 10 * tolerance)
      for (horizon, counts) in expected.covered.enumerated() {
        #expect(group.covered[horizon].map(\.inside) == counts)
        #expect(group.covered[horizon].allSatisfy { $0.all == expected.bandSamples[horizon] })
      }
      for (horizon, length) in reference.horizons.enumerated() {
        let summary = try #require(ForecastSummary(group, horizon: horizon, compared: outcome))
        let (undiverged, common) = (expected.undiverged[horizon], expected.common[horizon])
        #expect(
          summary.horizon == length && summary.pairs == group.members.count * (length > 45 ? 4 : 5))
        #expect(
          summary.undiverged.pairs == undiverged.pairs && summary.common.pairs == common.pairs)
        #expect(agrees(summary.undiverged.meanAbsolute ?? .nan, undiverged.absolute, tolerance))
        #expect(agrees(summary.common.meanAbsolute ?? .nan, common.absolute, tolerance))
        #expect(
          abs(summary.diverged - (1 - Double(undiverged.pairs) / Double(summary.pairs))) < 1e-12)
      }
    }
  }

  @Test func bandsAreThoseOfNumPy() async throws {
    for (group, name) in zip(try await outcome(.double), Self.names) {
      let expected = try #require(reference.results[name]?.bandOfTrajectory1State0)
      let band = try #require(group.bands[1])
      #expect(group.bands.count == 1)
      for sample in 0..<60 {
        #expect(agrees(band.mean[sample, 0], expected.mean[sample], 1e-9))
        let half = (band.upper[sample, 0] - band.lower[sample, 0]) / 2
        #expect(agrees(half, expected.half[sample], 1e-7))
      }
    }
  }

  @Test func neitherThreadsNorCompanyChangeABit() async throws {
    // 35 trajectories are three vectors, so several threads get parts of different widths.
    let order = (0..<35).map { $0 % 5 }
    let alone = try await outcome(.single, kept: [])
    for threads in [1, 2, 3] {
      let many = try await outcome(.single, threads: threads, order: order, kept: [])
      for (group, other) in zip(many, alone) {
        for (errors, expected) in zip(group.members, other.members) {
          for trajectory in order.indices {
            #expect(errors.divergedAt[trajectory] == expected.divergedAt[trajectory % 5])
            for state in states.indices where expected.reaches(trajectory % 5, horizon: 2) {
              let ours = errors.absolute(trajectory, horizon: 2, state: state)
              let theirs = expected.absolute(trajectory % 5, horizon: 2, state: state)
              #expect(ours == theirs || ours.isNaN && theirs.isNaN)
            }
          }
        }
      }
    }
  }

  /// A model joined from towers, with an output that another layer reads and one that is output twice.
  @Test func anyGraphOfLayersMovesStatesAsItsRatesSay() async throws {
    var stream = RandomStream(seed: 3)
    func matrix(_ rows: Int, _ columns: Int) -> Matrix {
      Matrix(rows: rows, columns: columns) { _, _ in Double(Float(0.3 * stream.normal())) }
    }
    let network = Network(
      inputCount: 5,
      layers: [
        .init(
          name: "h", activation: .tanh, bias: [0.1, -0.2],
          connections: [.init(source: .inputs, weight: matrix(2, 5))]),
        .init(
          name: "y", activation: .relu, bias: [0.3],
          connections: [
            .init(source: .layer(0), weight: matrix(1, 2)),
            .init(source: .inputs, weight: matrix(1, 5)),
          ]),
        .init(
          name: "z", activation: .silu, bias: [0],
          connections: [.init(source: .layer(1), weight: matrix(1, 1))]),
      ], outputLayers: [1, 2, 1])
    let model = Model(
      network: network, inputs: states + controls, outputs: states,
      inputScaling: .identity(5),
      outputScaling: Standardisation(mean: [0, 0.1, -0.2], deviation: [0.05, 0.1, 0.02]),
      timeStep: reference.timeStep)
    for precision in Rollout.Precision.allCases {
      let outcome = try await outcome(
        precision, groups: [.init(name: "one", members: [.model(model)])], kept: [0],
        scale: [1e6, 1e6, 1e6])
      let band = try #require(outcome[0].bands[0])
      var x = Array(reference.data[0][0].prefix(3))
      for sample in 0..<60 {
        for state in states.indices { #expect(abs(band.mean[sample, state] - x[state]) < 1e-5) }
        let rates = model.rates(x + reference.data[0][sample].suffix(2))
        x = zip(x, rates).map { $0 + reference.timeStep * $1 }
      }
      #expect(outcome[0].mean == nil)
    }
  }

  @Test func thePlantForecastsItself() async throws {
    let plant = DuffingOscillator()
    let data = try await Simulation(plant: plant, trajectories: 3, samples: 200).run(threads: 1)
      .data
    let outcome = try await RollingForecast(
      groups: [.init(name: "plant", members: [.plant(plant)])],
      inputs: plant.states + plant.controls, states: plant.states, over: data, horizons: [50, 200],
      scale: [1, 1]
    ).run(threads: 2)
    let summary = try #require(ForecastSummary(outcome[0], horizon: 1, compared: outcome))
    #expect(summary.undiverged.meanAbsolute == 0 && summary.undiverged.pairs == 3)
  }

  /// Linear data are found exactly, also where an input is a copy of another.
  @Test func theLinearModelRecoversALinearSystem() throws {
    var stream = RandomStream(seed: 5)
    var x = [1.0, -0.5]
    var rows: [[Double]] = []
    for _ in 0..<400 {
      let u = stream.normal()
      rows.append(x + [u, 2 * u])
      x = [x[0] + 0.1 * (x[1] + 0.2), x[1] + 0.1 * (-x[0] - 0.5 * x[1] + u)]
    }
    let variables =
      ["x", "v"].map { Variable($0, role: .state) }
      + ["u", "copy"].map { Variable($0, role: .control) }
    let data = try Trajectories(variables: variables, timeStep: 0.1, samples: [Matrix(rows)])
    let model = try Model.linear(data)
    for row in rows.prefix(50) {
      let rates = model.rates(row)
      #expect(abs(rates[0] - (row[1] + 0.2)) < 1e-5)
      #expect(abs(rates[1] - (-row[0] - 0.5 * row[1] + row[2])) < 1e-5)
    }
  }
}
