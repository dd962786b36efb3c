import Dynamics
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// What free runs make of networks.
@Suite struct FreeRunTests {
  /// Two states that are always the same, driven by an input: s⁺ = 0.95 s + 0.1 u.
  private func twins() throws -> Trajectories {
    var stream = RandomStream(seed: 5)
    let samples = (0..<4).map { _ -> Matrix in
      var (s, u) = (0.5, 0.0)
      return Matrix(
        (0..<600).map { k -> [Double] in
          if k % 20 == 0 { u = stream.uniform() }
          defer { s = 0.95 * s + 0.1 * u }
          return [s, s, u]
        })
    }
    return try Trajectories(
      variables: [
        Variable("a", role: .state), Variable("b", role: .state), Variable("u", role: .control),
      ], timeStep: 1, samples: samples)
  }

  /// Rates −0.05 s + 0.1 u, and half of the difference of the states away from each other: exact where data are.
  private func runaway(_ set: TrainingSet) -> Model {
    let (z, y) = (set.inputScaling, set.outputScaling)
    let physical = [[0.45, -0.5, 0.1], [-0.5, 0.45, 0.1]]
    let weight = Matrix(rows: 2, columns: 3) {
      physical[$0][$1] * z.deviation[$1] / y.deviation[$0]
    }
    let bias = (0..<2).map { row in
      ((0..<3).map { physical[row][$0] * z.mean[$0] }.reduce(0, +) - y.mean[row]) / y.deviation[row]
    }
    let layer = Network.Layer(
      name: "line", activation: .identity, bias: bias,
      connections: [Network.Connection(source: .inputs, weight: weight)])
    return Model(
      network: Network(inputCount: 3, layers: [layer], outputLayers: [0]), inputs: set.features,
      outputs: set.targets, inputScaling: z, outputScaling: y, timeStep: 1)
  }

  /// The model is right at every sample of the data, and its free runs leave them: the way back is learnt from where
  /// they strayed to, and costs nothing where data are.
  @Test func strayedRunsAreLedBack() throws {
    let data = try twins()
    let set = try TrainingSet(data)
    var model = runaway(set)
    let judge = try #require(
      FreeRunJudge(data, scale: Array(set.inputScaling.deviation.prefix(2))))
    #expect(judge.error(of: model) > 0.5)
    let steadying = Steadying(
      data: data, inputScaling: set.inputScaling, outputScaling: set.outputScaling)
    let rows = try regression(data, set)
    let strayed = try #require(steadying.rows { rates(model, $0) })
    #expect(strayed.inputs.rows > 20)
    let joined = rows.followed(by: strayed)
    #expect(joined.inputs.rows == rows.inputs.rows + strayed.inputs.rows)
    model.network = LevenbergMarquardt(attempts: 5).fit(model.network, joined).network
    #expect(judge.error(of: model) < 0.01)
    #expect(LevenbergMarquardt(attempts: 0).fit(model.network, rows).loss < 1e-6)
    // A run that keeps to the data gives no rows.
    #expect(steadying.rows { rates(model, $0) } == nil)
  }

  private func regression(_ data: Trajectories, _ set: TrainingSet) throws -> RegressionRows {
    var inputs: [[Double]] = []
    var targets: [[Double]] = []
    for samples in data.samples {
      for row in 0..<(samples.rows - 1) {
        inputs.append((0..<3).map { set.inputScaling.standardise($0, samples[row, $0]) })
        targets.append(
          (0..<2).map {
            set.outputScaling.standardise($0, samples[row + 1, $0] - samples[row, $0])
          })
      }
    }
    return RegressionRows(inputs: Matrix(inputs), targets: Matrix(targets))
  }

  private func rates(_ model: Model, _ samples: Matrix) -> Matrix {
    let weight = model.network.layers[0].connections[0].weight
    return Matrix(rows: samples.rows - 1, columns: 2) { row, output in
      // In single precision, as the kernels that forecast: what rounding leaves between the states grows.
      var y = Float(model.network.layers[0].bias[output])
      for column in 0..<3 {
        y +=
          Float(weight[output, column])
          * Float(model.inputScaling.standardise(column, samples[row, column]))
      }
      return model.outputScaling.mean[output] + model.outputScaling.deviation[output] * Double(y)
    }
  }

  @Test func whatKeepsToTheDataClearlyBetterIsDelivered() {
    #expect(
      FreeRunChoice.best([.networks: 2, .line: 0.3, .steadied: 0.1, .dense: 0.099]) == .steadied)
    #expect(FreeRunChoice.best([.networks: 2, .line: 0.3, .steadied: 1, .dense: 1.5]) == .line)
    #expect(FreeRunChoice.best([.networks: 0.3, .line: 0.29]) == .networks)
    #expect(FreeRunChoice.best([.networks: 0.009, .line: 0.001]) == .networks)
    #expect(FreeRunChoice.suffices([.networks: 0.3, .line: 0.29, .persistence: 1]))
    #expect(FreeRunChoice.suffices([.networks: 0.009, .line: 0.001, .persistence: 0.005]))
    #expect(!FreeRunChoice.suffices([.networks: 3, .line: 0.5, .persistence: 1]))
    #expect(!FreeRunChoice.suffices([.networks: 2, .line: 3, .persistence: 1]))
    // That nothing changes is no model.
    #expect(FreeRunChoice.best([.networks: 2, .line: 3, .persistence: 1]) == .networks)
  }
}
