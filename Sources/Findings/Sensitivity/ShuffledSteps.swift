import Dynamics
import LinearAlgebra
import Networks

/// Steps evenly spaced over the data, their rates, and five shufflings of them.
public struct ShuffledSteps: Sendable {
  /// steps × inputs of the models
  let inputs: Matrix
  /// steps × outputs
  let rates: Matrix
  let orders: [[Int]]

  /// - Parameters:
  ///   - ensemble: that gives rates of the states.
  ///   - data: with its inputs and states.
  ///   - path: where the data are from.
  ///   - most: at most so many steps, evenly spaced.
  ///   - seed: of the shufflings.
  /// - Throws: `DataMismatch` where variables or steps are missing.
  public init(
    _ ensemble: Ensemble, _ data: Trajectories, from path: String, most: Int, seed: UInt64
  ) throws {
    let regression: Regression
    do {
      regression = try Regression(data)
    } catch {
      throw DataMismatch("\(path): \(error)")
    }
    func columns(_ wanted: [Variable], of there: [Variable]) throws -> [Int] {
      try wanted.map { variable in
        guard let index = there.firstIndex(where: { $0.name == variable.name }) else {
          throw DataMismatch(
            "\(path) has no state \"\(variable.name)\", whose rate the models give")
        }
        return index
      }
    }
    guard regression.rows > 1 else {
      throw DataMismatch(
        "\(path): one step cannot be shuffled; permutation importance needs two at least")
    }
    inputs = regression.inputs.evenlySpaced(most)
      .columns(try columns(ensemble.inputs, of: regression.features))
    rates = regression.outputs.evenlySpaced(most)
      .columns(try columns(ensemble.outputs, of: regression.targets))
    var stream = RandomStream(seed: seed)
    let count = inputs.rows
    orders = (0..<5).map { _ in
      var order = Array(0..<count)
      stream.shuffle(&order)
      return order
    }
  }
}
