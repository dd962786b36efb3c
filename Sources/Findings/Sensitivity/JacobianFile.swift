import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Structure

/// The Jacobian along a trajectory, as a function of time.
public enum JacobianFile {
  /// A NetCDF file of member × time × output × input.
  ///
  /// - Parameters:
  ///   - ensemble: whose members are differentiated.
  ///   - points: samples × inputs in physical units, one trajectory.
  ///   - timeStep: between them, in seconds.
  ///   - trajectory: its number, counted from 0.
  ///   - units: of the Jacobians.
  public static func along(
    _ points: Matrix, of ensemble: Ensemble, timeStep: Double, trajectory: Int, units: JacobianUnits
  ) throws -> GriddedFile {
    let (members, samples) = (ensemble.members.count, points.rows)
    // The first samples have no past.
    let history = ensemble.inputs.history
    var file = GriddedFile(dimensions: [
      ("member", members), ("time", samples), ("output", ensemble.outputs.count),
      ("input", ensemble.inputs.count),
    ])
    let (outputs, inputs) = (ensemble.outputs.count, ensemble.inputs.count)
    var values = [Double](repeating: 0, count: members * samples * outputs * inputs)
    for (member, model) in ensemble.members.enumerated() {
      var batch = JacobianBatch(LiveStructure(model.network).network)
      let scale =
        units == .physical
        ? model.physical(Matrix(rows: outputs, columns: inputs, repeating: 1)) : nil
      batch.forEachBlock(points, model.inputScaling) { jacobians, first, count in
        for lane in 0..<count {
          let place = (member * samples + first + lane) * outputs * inputs
          for entry in 0..<(outputs * inputs) {
            values[place + entry] =
              jacobians[entry * JacobianBatch.lanes + lane] * (scale?.elements[entry] ?? 1)
          }
        }
      }
    }
    file.variables = [
      .init(
        "time", dimensions: [1], values: (0..<samples).map { Double(history + $0) * timeStep },
        texts: ["units": "s", "long_name": "time since the start of the trajectory"]),
      .init(
        "jacobian", dimensions: [0, 1, 2, 3], values: values,
        texts: [
          "long_name": ensemble.members[0].predicts == .rate
            ? "derivative of the rate of change of output with respect to input"
            : "derivative of output with respect to input",
          "units": units == .physical ? "unit of the output per second and unit of the input" : "1",
        ]),
    ]
    func list(_ variables: [Variable], _ part: (Variable) -> String) throws -> String {
      String(decoding: try JSONEncoder().encode(variables.map(part)), as: UTF8.self)
    }
    file.attributes = [
      "outputs": try list(ensemble.outputs, \.name), "inputs": try list(ensemble.inputs, \.name),
      "output_units": try list(ensemble.outputs, \.unit),
      "input_units": try list(ensemble.inputs, \.unit),
      "scaling": units == .physical ? "physical" : "standardised",
      "trajectory": String(trajectory),
      "source": "Jacobians of \(ensemble.name) by filigree-sensitivity",
      "comment": "names and units are lists in JSON, in the order of the dimensions",
    ]
    return file
  }
}
