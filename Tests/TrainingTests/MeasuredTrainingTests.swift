import Dynamics
import LinearAlgebra
import Networks
import Testing
import Training

/// Simulated stand-ins for recorded plants, of which the truth is known.
@Suite struct MeasuredTrainingTests {
  /// x(t+1) = 0.8 x(t) + 0.5 u(t−3), u piecewise constant.
  private static func delayed(noise: Double, gaps: Bool = false) throws -> Trajectories {
    var stream = RandomStream(seed: 11)
    let rows = 400
    var control: [Double] = []
    while control.count < rows {
      let level = stream.normal()
      control += Array(repeating: level, count: stream.integer(in: 1...9))
    }
    var x = 0.0
    var samples = Matrix(rows: rows, columns: 2)
    for row in 0..<rows {
      samples[row, 0] = gaps && row % 37 == 20 ? .nan : x + noise * stream.normal()
      samples[row, 1] = control[row]
      x = 0.8 * x + 0.5 * (row >= 3 ? control[row - 3] : 0)
    }
    return try Trajectories(
      variables: [Variable("x", role: .state), Variable("u", role: .control)], timeStep: 1,
      samples: [samples], gaps: .inStates)
  }

  private static func train(_ data: Trajectories, _ request: LagRequest = LagRequest())
    async throws -> MeasuredTraining.Outcome
  {
    try await MeasuredTraining(request: request, members: 2, seed: 1, threads: 2).run(on: data)
  }

  @Test func aDeadTimeIsFoundAndNothingElse() async throws {
    let outcome = try await Self.train(try Self.delayed(noise: 0.02, gaps: true))
    #expect(outcome.delivered.name.hasSuffix("line"), "\(outcome.verdict)")
    for model in outcome.models {
      let weights = model.network.layers.last?.connections[0].weight.row(0) ?? []
      let live = zip(model.inputs, weights).filter { $1 != 0 }.map(\.0.name)
      #expect(live == ["x", "u(t−3)"], "\(outcome.verdict)")
    }
    // The free run's error is that of the measurement.
    #expect(outcome.delivered.errorByState[0] < 0.025)
    #expect(outcome.best.error <= outcome.delivered.error)
    #expect(outcome.delivered.error <= 1.05 * outcome.best.error)
  }

  @Test func whatIsGivenStays() async throws {
    let request = LagRequest(stateLags: 1, inputCount: 4, delays: ["u": 0])
    let outcome = try await Self.train(try Self.delayed(noise: 0.02), request)
    #expect(outcome.orders == LagOrders(stateLags: 1, controls: [.init(delay: 0, count: 4)]))
    #expect(
      outcome.models[0].inputs.map(\.name) == ["x", "x(t−1)", "u", "u(t−1)", "u(t−2)", "u(t−3)"])
  }

  @Test func seedsDecideAndThreadsDoNot() async throws {
    let data = try Self.delayed(noise: 0.02)
    let request = LagRequest(stateLags: 1, inputCount: 2, delays: ["u": 2])
    let one = try await MeasuredTraining(request: request, members: 2, seed: 4, threads: 1)
      .run(on: data)
    let three = try await MeasuredTraining(request: request, members: 2, seed: 4, threads: 3)
      .run(on: data)
    #expect(one.models == three.models)
    #expect(one.candidates.map(\.error) == three.candidates.map(\.error))
  }

  /// A mass on a hardening spring of which only the place is recorded: not a line.
  @Test func aSpringThatHardensIsNoLine() async throws {
    var stream = RandomStream(seed: 8)
    let rows = 1200
    var (now, before) = (0.0, 0.0)
    var samples = Matrix(rows: rows, columns: 2)
    var force = 0.0
    for row in 0..<rows {
      if row % 6 == 0 { force = 1.2 * stream.normal() }
      samples[row, 0] = now + 1e-3 * stream.normal()
      samples[row, 1] = force
      let next = 1.6 * now - 0.8 * before - 0.05 * now * now * now + 0.2 * force
      (now, before) = (next, now)
    }
    let data = try Trajectories(
      variables: [Variable("place", role: .state), Variable("force", role: .control)],
      timeStep: 0.1, samples: [samples])
    let outcome = try await Self.train(data)
    let line = try #require(
      outcome.candidates.filter { $0.name.hasSuffix("line") }.map(\.error).min())
    #expect(outcome.delivered.name.contains("cubic"), "\(outcome.verdict)")
    #expect(outcome.delivered.error < 0.1 * line)
    #expect(outcome.delivered.errorByState[0] < 3e-3)
  }

  @Test func whatIsTooShortOrConstantIsSaid() async throws {
    let variables = [Variable("x", role: .state), Variable("u", role: .control)]
    let short = try Trajectories(
      variables: variables, timeStep: 1,
      samples: [Matrix(rows: 5, columns: 2) { Double($0 * $0 + $1) }])
    await #expect(throws: DataProblem.tooShort) { try await Self.train(short) }
    let still = try Trajectories(
      variables: variables, timeStep: 1,
      samples: [Matrix(rows: 100, columns: 2) { $1 == 1 ? 4 : Double($0 % 7) }])
    await #expect(throws: DataProblem.constant(variables[1])) { try await Self.train(still) }
  }
}
