import Dynamics
import Findings
import Networks
import Structure

extension VariationOption {
  /// The dependencies of a plant that an ensemble models, graded over data.
  ///
  /// - Throws: `ValidationError` where there is no such plant, `DataMismatch` where the ensemble models another
  ///   or the data lack a variable.
  public func truth(
    _ name: String, for ensemble: Ensemble, over data: Trajectories, from path: String, threads: Int
  ) async throws -> PlantTruth {
    let plant = try plant(name)
    let names = (plant.states + plant.controls).map(\.name)
    guard ensemble.inputs.map(\.name) == names,
      ensemble.outputs.map(\.name) == plant.states.map(\.name)
    else {
      throw DataMismatch(
        "\(ensemble.name) does not model the plant \(plant.name), which has the variables "
          + names.joined(separator: ", "))
    }
    do {
      return try await PlantTruth(plant, over: data, threads: threads)
    } catch let problem as DataProblem {
      throw DataMismatch("\(path): \(problem)")
    }
  }
}

extension Ensemble {
  /// - Throws: `DataMismatch` where the other ensemble has other variables, so that structures cannot be compared.
  public func checkComparable(with other: Ensemble) throws {
    guard inputs.map(\.name) == other.inputs.map(\.name),
      outputs.map(\.name) == other.outputs.map(\.name)
    else {
      throw DataMismatch(
        "\(name) and \(other.name) have different variables, so their structures cannot be "
          + "compared: \(inputs.listed) and \(other.inputs.listed)")
    }
  }
}
