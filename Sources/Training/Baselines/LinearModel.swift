import Dynamics
import LinearAlgebra
import Networks

extension Model {
  /// The linear model of the rates by least squares, rates = A z + b: the baseline for networks.
  ///
  /// Solved by the normal equations of the standardised variables with 1e-10 added to their diagonal, so
  /// that inputs which are linear functions of others share the effect instead of failing.
  ///
  /// - Throws: `DataProblem` for data without a step or with a variable that does not vary.
  public static func linear(_ data: Trajectories) throws(DataProblem) -> Model {
    let regression = try Regression(data)
    let scaling = try regression.standardisation()
    let (width, targets) = (regression.features.count, regression.targets.count)
    // Behind the features a one, for b.
    var normal = Matrix(rows: width + 1, columns: width + 1)
    var right = Matrix(rows: targets, columns: width + 1)
    var z = [Double](repeating: 1, count: width + 1)
    regression.forEachRow { _, values in
      for column in 0..<width { z[column] = scaling.inputs.standardise(column, values[column]) }
      for i in 0...width { for j in 0...i { normal[i, j] += z[i] * z[j] } }
      for target in 0..<targets {
        let y = scaling.outputs.standardise(target, values[width + target])
        for i in 0...width { right[target, i] += z[i] * y }
      }
    }
    for i in 0...width { normal[i, i] *= 1 + 1e-10 }
    let rows = (0..<targets).map { target in
      normal.solvePositiveDefinite(Array(right.row(target)))
        ?? Array(repeating: 0, count: width + 1)
    }
    let layer = Network.Layer(
      name: "linear", activation: .identity, bias: rows.map { $0[width] },
      connections: [
        Network.Connection(
          source: .inputs, weight: Matrix(rows: targets, columns: width) { rows[$0][$1] })
      ])
    return Model(
      network: Network(inputCount: width, layers: [layer], outputLayers: [0]),
      inputs: regression.features, outputs: regression.targets, inputScaling: scaling.inputs,
      outputScaling: scaling.outputs, timeStep: regression.timeStep,
      recipe: ["model": "linear least squares"])
  }

  /// The model that predicts no change.
  public static func persistence(inputs: [Variable], outputs: [Variable]) -> Model {
    let layer = Network.Layer(
      name: "persistence", activation: .identity, bias: outputs.map { _ in 0 }, connections: [])
    return Model(
      network: Network(inputCount: inputs.count, layers: [layer], outputLayers: [0]),
      inputs: inputs, outputs: outputs, inputScaling: .identity(inputs.count),
      outputScaling: .identity(outputs.count), timeStep: nil)
  }
}
