import Dynamics
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The Jacobian at a point.
public struct PointReport {
  public struct Result: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    /// outputs × inputs
    var jacobian: [[Double]]
    var jacobianSpread: [[Double]]
    /// R² of each output on trajectories that were held out in training, where the ensemble says so.
    var explained: [Double?]?
  }

  public let result: Result
  public let tables: [Table]
  /// The first for programs.
  public let table: Table

  /// - Parameters:
  ///   - ensemble: whose members are differentiated.
  ///   - point: in physical units, in the order of the inputs.
  ///   - units: of the Jacobian.
  public init(_ ensemble: Ensemble, at point: [Double], units: JacobianUnits) {
    let style = JacobianTables(ensemble: ensemble, units: units)
    let jacobians = ensemble.members.map { model in
      units == .physical
        ? model.physicalJacobian(point)
        : JacobianEvaluator(model.network).jacobian(model.inputScaling.standardise(point))
    }
    let (mean, spread) = JacobianTables.meanAndSpread(jacobians)
    let isUnscaled = units == .standardised && ensemble.members[0].scalesNothing
    table = style.table(
      "Jacobian of the \(ensemble.members[0].wordForOutputs) at the point, "
        + (isUnscaled ? "in the file's own units, as it scales nothing" : style.unitsText)
        + style.membersText, mean)
    var tables = [table]
    if jacobians.count > 1 { tables.append(style.spreadTable(spread)) }
    self.tables = tables.saying(ensemble.explained)
    result = Result(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: jacobians.count, jacobian: mean.nested, jacobianSpread: spread.nested,
      explained: ensemble.explained?.shares)
  }
}
