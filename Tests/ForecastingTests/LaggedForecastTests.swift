import Dynamics
import Forecasting
import LinearAlgebra
import Networks
import Structure
import Testing
import Training

@Suite struct LaggedForecastTests {
  /// x(t+1) = 0.5 x(t) + 0.25 x(t−1) + u(t−2) + 2 u(t+1), as a model of rates.
  private static func model() -> Model {
    let x = Variable("x", unit: "K", role: .state)
    let u = Variable("u", role: .control)
    let layer = Network.Layer(
      name: "x", activation: .identity, bias: [0],
      connections: [.init(source: .inputs, weight: Matrix([[-0.25, 0.125, 0.5, 1]]))])
    return Model(
      network: Network(inputCount: 4, layers: [layer], outputLayers: [0]),
      inputs: [x, x.lagged(by: 1), u.lagged(by: 2), u.lagged(by: -1)], outputs: [x.rate],
      inputScaling: .identity(4), outputScaling: .identity(1), timeStep: 2)
  }

  private static func data(_ rows: Int) throws -> Trajectories {
    var stream = RandomStream(seed: 2)
    return try Trajectories(
      variables: [Variable("x", unit: "K", role: .state), Variable("u", role: .control)],
      timeStep: 2,
      samples: (0..<3).map { _ in Matrix(rows: rows, columns: 2) { _, _ in stream.normal() } })
  }

  @Test func predictionsFeedOnThemselves() throws {
    let data = try Self.data(70)
    let forecast = try RollingForecast(
      groups: [.init(name: "lagged", members: [.model(Self.model())])],
      inputs: data.states + data.controls, states: data.states, over: data, horizons: [10, 70],
      scale: [2])
    let errors = forecast.run()[0].members[0]
    for (trajectory, samples) in data.samples.enumerated() {
      var x = samples.column(0)
      let u = samples.column(1)
      var sums: [Double] = []
      var sum = 0.0
      for t in 0..<70 {
        if t > 2 { x[t] = 0.5 * x[t - 1] + 0.25 * x[t - 2] + u[t - 3] + 2 * u[t] }
        let error = (x[t] - samples[t, 0]) / 2
        sum += error * error
        if t == 9 || t == 69 { sums.append(sum / Double(t + 1)) }
      }
      for horizon in 0..<2 {
        let squared = errors.squared(trajectory, horizon: horizon, state: 0)
        #expect(abs(squared - sums[horizon]) < 1e-12 * sums[horizon])
      }
    }
  }

  @Test func errorsInUnitsLeaveTheStartOut() throws {
    let data = try Self.data(50)
    let forecast = try RollingForecast(
      groups: [.init(name: "lagged", members: [.model(Self.model())])],
      inputs: data.states + data.controls, states: data.states, over: data, horizons: [50],
      scale: [2])
    let errors = forecast.run()[0].members
    let found = UnitErrors.byState(
      errors, horizon: 0, known: 3, states: data.states, scale: [2], data: data)[0]
    let squares = (0..<3).map { errors[0].squared($0, horizon: 0, state: 0) * 4 * 50 / 47 }
    #expect(abs(found.rmse - squares.mean.squareRoot()) < 1e-12)
    #expect(abs(found.fit - 100 * (1 - found.nrmse)) < 1e-9 && found.nrmse > 0)
  }

  @Test func modesAreThoseOfTheCompanionMatrix() throws {
    let model = Self.model()
    let jacobian = try model.companionJacobians(at: Matrix([[0, 0, 0, 0]]), timeStep: 2)[0]
    let step = Matrix.identity(2) + jacobian.map { 2 * $0 }
    #expect(step == Matrix([[0.5, 0.25], [1, 0]]))
  }

  @Test func momentsOfAVariableAddUp() {
    let (names, sums) = Self.model().inputs.byVariable(Matrix([[1, 2, 3, 4]]))
    #expect(names == ["x", "u"] && sums == Matrix([[3, 7]]))
  }

  @Test func aLineOfLagsIsALeastSquaresFit() throws {
    let data = try Self.data(60)
    var samples = data.samples
    for index in samples.indices {
      for t in 3..<60 {
        samples[index][t, 0] =
          0.5 * samples[index][t - 1, 0] + 0.25 * samples[index][t - 2, 0]
          + samples[index][t - 3, 1] + 2 * samples[index][t, 1]
      }
    }
    let exact = try Trajectories(variables: data.variables, timeStep: 2, samples: samples)
    let orders = LagOrders(stateLags: 1, controls: [.init(delay: -1, count: 4)])
    let line = try Model.linear(exact.lagged(orders))
    let rates = line.physical(
      Matrix([Array(line.network.layers[0].connections[0].weight.row(0))]))
    for (found, true_) in zip(rates.elements, [-0.25, 0.125, 1, 0, 0, 0.5]) {
      #expect(abs(found - true_) < 1e-6)
    }
  }

  @Test func overlapIsSeen() throws {
    let data = try Self.data(20)
    #expect(data.overlap(with: data) == 1)
    #expect(data.choosing([0]).overlap(with: data.choosing([1, 2])) == 0)
  }
}
