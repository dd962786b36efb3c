import CommandSupport
import Dynamics
import Findings
import Forecasting
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting

/// What is forecast, and over what.
extension Forecast {
  /// What is forecast, and what references are fitted to.
  func readData(_ ensembles: [Ensemble]) throws -> (Trajectories, Trajectories?) {
    var data = try tables.read(self.data, gaps: .inStates, quiet: run.quiet)
    var training = try training.map { try tables.read($0, gaps: .inStates, quiet: run.quiet) }
    if let split {
      let (before, behind) = data.splitInTime(split)
      data = behind
      training = training ?? before
    }
    if let origins {
      let longest = try parsedHorizons().last ?? 1
      let windows = data.windows(length: longest, every: origins)
      guard !windows.samples.isEmpty else {
        throw DataMismatch(
          "\(self.data): no trajectory has the \(longest) samples of the longest horizon; give smaller "
            + "--horizons")
      }
      data = windows
    }
    if split == nil, let training {
      let overlap = data.overlap(with: training)
      if overlap > 0.5 {
        Console.warning(
          "\(Int((100 * overlap).rounded())) % of the samples of \(self.data) are in "
            + "\(self.training ?? "the training data") too; forecasts of what was learnt say little"
        )
      }
    }
    return (data, training)
  }

  /// The data with what the models call inputs as inputs, where a table does not say.
  func withRoles(of ensembles: [Ensemble], _ data: Trajectories) throws -> Trajectories {
    let controls = ForecastReferences.plainInputs(of: ensembles, data).filter {
      $0.role == .control
    }.map(\.name)
    let there = Set(data.variables.map(\.name))
    guard tables.inputs == nil, controls.allSatisfy(there.contains),
      Set(controls) != Set(data.controls.map(\.name))
    else { return data }
    return try data.declaring(controls: controls)
  }

  func prepare(
    _ groups: [RollingForecast.Group], _ ensemble: Ensemble, _ inputs: [Variable],
    _ data: Trajectories, _ training: Trajectories?
  ) throws -> RollingForecast {
    if let step = ensemble.members[0].timeStep, abs(step / data.timeStep - 1) > 1e-6 {
      Console.warning(
        "\(ensemble.name) was trained on samples \(step) s apart, \(self.data) has them "
          + "\(data.timeStep) s apart; the rates are used as they are")
    }
    let longest = data.samples.map(\.rows).max() ?? 0
    var horizons = try shownHorizons(data)
    if try horizons != parsedHorizons() {
      run.note(
        "note: the trajectories have at most \(longest) samples; horizons: "
          + horizons.map(String.init).joined(separator: ", "))
    }
    if plot != nil || output != nil, horizons.last != longest { horizons.append(longest) }
    guard plot == nil || data.samples.indices.contains(trajectory) else {
      throw ValidationError(
        "--trajectory \(trajectory): \(self.data) has trajectories 0 to \(data.samples.count - 1).")
    }
    let states = ensemble.outputs.count
    do {
      let scale =
        try training.map {
          let training = try $0.selecting(inputs.map(\.name))
          return try Regression(training).standardisation().inputs.deviation
        } ?? ensemble.members[0].inputScaling.deviation
      return try RollingForecast(
        groups: groups, inputs: inputs, states: Array(inputs.prefix(states)), over: data,
        horizons: horizons,
        scale: Array(scale.prefix(states)), precision: precision)
    } catch let problem as DataProblem {
      throw FileProblem.badData(path: self.data, problem: problem)
    }
  }
}
