import Dynamics
import Forecasting
import Interchange
import Networks
import Training

/// What ensembles are compared with in rolling forecasts.
public enum ForecastReferences {
  /// The ensembles, then persistence, the line that fits training data best, and a plant.
  ///
  /// - Parameters:
  ///   - ensembles: of rates of the same states.
  ///   - inputs: states, then controls.
  ///   - training: what lines are fitted to; nil for none.
  ///   - path: where that is from.
  ///   - arx: how many moments a further line reads; nil for none.
  ///   - plant: nil for none.
  /// - Throws: `DataMismatch`; `FileProblem.badData` where a line cannot be fitted.
  public static func groups(
    _ ensembles: [Ensemble], inputs: [Variable], training: Trajectories?, from path: String,
    arx: Int?, plant: (any Plant)?
  ) throws -> [RollingForecast.Group] {
    let outputs = ensembles[0].outputs
    var groups = ensembles.map {
      RollingForecast.Group(name: $0.name, members: $0.members.map { .model($0) })
    }
    groups.append(
      RollingForecast.Group(
        name: "persistence", members: [.model(.persistence(inputs: inputs, outputs: outputs))]))
    if let training {
      do {
        let chosen = try training.selecting(inputs.map(\.name))
        let linear = try Model.linear(chosen)
        guard linear.outputs.map(\.name) == outputs.map(\.name) else {
          throw DataMismatch("\(path): its states are not those of \(ensembles[0].name)")
        }
        groups.append(RollingForecast.Group(name: "linear", members: [.model(linear)]))
        if let arx {
          let model = try Self.linear(order: arx, chosen, ensembles)
          groups.append(RollingForecast.Group(name: "ARX \(arx)", members: [.model(model)]))
        }
      } catch let problem as DataProblem {
        throw FileProblem.badData(path: path, problem: problem)
      }
    }
    if let plant {
      let names = (plant.states + plant.controls).map(\.name)
      guard inputs.map(\.name) == names, outputs.map(\.name) == plant.states.map(\.name) else {
        throw DataMismatch(
          "\(ensembles[0].name) does not model the plant \(plant.name), which has the variables "
            + names.joined(separator: ", "))
      }
      groups.append(RollingForecast.Group(name: "plant", members: [.plant(plant)]))
    }
    return groups
  }

  /// The line of any order: as many moments of each state and input.
  private static func linear(order: Int, _ training: Trajectories, _ ensembles: [Ensemble]) throws
    -> Model
  {
    let isEarly = ensembles.contains { $0.inputs.contains { $0.delay < 0 } }
    let moments = LagOrders.Control(delay: isEarly ? -1 : 0, count: isEarly ? order + 1 : order)
    return try Model.linear(
      training.lagged(
        LagOrders(stateLags: order - 1, controls: training.controls.map { _ in moments })))
  }

  /// What models without lags read: states, then inputs.
  public static func plainInputs(of ensembles: [Ensemble], _ data: Trajectories) -> [Variable] {
    guard ensembles.contains(where: { $0.inputs.haveLags }) else { return ensembles[0].inputs }
    return data.sources(of: ensembles[0].inputs)
  }

  /// - Parameters:
  ///   - ensembles: that are to be forecast together.
  ///   - remedy: how to say what the outputs are where that is not known, in words.
  /// - Throws: `DataMismatch` where they give no rates of their states, or model different variables.
  public static func check(_ ensembles: [Ensemble], remedy: String) throws {
    for ensemble in ensembles {
      guard ensemble.members.allSatisfy({ $0.predicts != .value }) else {
        throw DataMismatch(
          "\(ensemble.name): a forecast needs rates of change or next states, and its outputs are taken for "
            + "values; \(remedy)")
      }
      let inputs = ensemble.inputs.map(\.name)
      let outputs = ensemble.outputs.map(\.name)
      guard Array(inputs.prefix(outputs.count)) == outputs else {
        throw DataMismatch(
          "\(ensemble.name): a rolling forecast needs the rate of each state, in the order of the "
            + "inputs; the outputs are \(outputs.joined(separator: ", ")), the inputs "
            + inputs.joined(separator: ", "))
      }
      // Different moments of the same variables forecast the same.
      guard Set(ensemble.inputs.sources) == Set(ensembles[0].inputs.sources),
        outputs == ensembles[0].outputs.map(\.name),
        ensemble.inputs.haveLags || ensembles[0].inputs.haveLags
          || inputs == ensembles[0].inputs.map(\.name)
      else {
        throw DataMismatch(
          "\(ensembles[0].name) and \(ensemble.name) have different variables, so their forecasts "
            + "cannot be compared")
      }
    }
  }
}
