import Dynamics
import LinearAlgebra
import Networks

extension RollingForecast {
  /// Forecasts by one ensemble over recorded trajectories, judged in the standard deviations of the states there.
  ///
  /// - Parameters:
  ///   - ensemble: whose members forecast; they may read lagged values.
  ///   - data: true trajectories with the variables that the members read.
  ///   - horizons: ascending numbers of samples, the start included; by default the length of the longest
  ///     trajectory.
  /// - Throws: `DataProblem.missingVariables`; `.tooShort` for data without a step, `.constant` for a state that does
  ///   not vary.
  public init(_ ensemble: Ensemble, over data: Trajectories, horizons: [Int]? = nil)
    throws(DataProblem)
  {
    let inputs = ensemble.inputs.haveLags ? data.sources(of: ensemble.inputs) : ensemble.inputs
    let states = Array(inputs.prefix(ensemble.outputs.count))
    let scaling = try Regression(try data.selecting(inputs.map(\.name))).standardisation().inputs
    try self.init(
      groups: [Group(name: ensemble.name, members: ensemble.members.map { .model($0) })],
      inputs: inputs, states: states, over: data,
      horizons: horizons ?? [max(1, data.samples.map(\.rows).max() ?? 1)],
      scale: Array(scaling.deviation.prefix(states.count)))
  }
}
