import Dynamics
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Of what Jacobians are told.
public enum JacobianUnits: String, CaseIterable, Sendable {
  /// Deviations of the output per deviation of the input, both of the training data.
  case standardised
  /// Rates per unit of the input.
  case physical

  public var words: String {
    self == .standardised ? "standardised" : "physical units (rate per unit of input)"
  }
}

/// Matrices of outputs × inputs of an ensemble as tables.
struct JacobianTables {
  let ensemble: Ensemble
  let units: JacobianUnits

  var unitsText: String { units.words }

  var membersText: String {
    ensemble.members.count > 1 ? ", mean of \(ensemble.members.count) members" : ""
  }

  /// Members share their standardisation when they were trained together; otherwise each has its own,
  /// and the first member's is used.
  func inUnits(_ matrix: Matrix) -> Matrix {
    units == .physical ? ensemble.members[0].physical(matrix) : matrix
  }

  /// - Parameters:
  ///   - title: above the table.
  ///   - matrix: outputs × inputs, in the units asked for.
  ///   - columns: of the matrix; the inputs by default.
  ///   - hasTrueZeros: whether a zero says that no path is left.
  func table(
    _ title: String, _ matrix: Matrix, columns: [String]? = nil, hasTrueZeros: Bool = true
  ) -> Table {
    let isPhysical = units == .physical
    var table = Table(
      title: title,
      columns: columns ?? ensemble.inputs.map { isPhysical ? $0.label : $0.name },
      rows: ensemble.outputs.enumerated().map { row, output in
        (
          isPhysical ? output.label : output.name,
          matrix.row(row).map { $0 == 0 && hasTrueZeros ? .trueZero : .number($0) }
        )
      })
    // Physical sensitivities are small or large as their units want it.
    table.hasThreeDigits = isPhysical
    return table
  }

  func spreadTable(_ spread: Matrix) -> Table {
    table("Spread over the members (standard deviation)", spread)
  }

  /// The matrix as a picture.
  ///
  /// - Parameters:
  ///   - values: standardised; the numbers are in the units asked for.
  ///   - legend: what they are.
  func map(_ values: Matrix, legend: String) -> HeatMap {
    let isPhysical = units == .physical
    return HeatMap(
      title: "\(ensemble.name): what the \(ensemble.members[0].wordForOutputs) respond to",
      rows: ensemble.outputs.enumerated().map {
        ensemble.members[0].label(ofOutput: $0) + (isPhysical ? " [\($1.unit)]" : "")
          + (ensemble.explained?.shares[$0].map { ", R² \(ExplainedShares.words($0))" } ?? "")
      },
      columns: ensemble.inputs.map { isPhysical ? $0.label : $0.name },
      legend: legend + ", standardised" + (isPhysical ? "; numbers: in physical units" : ""),
      values: values, labels: inUnits(values))
  }

  /// Mean and deviation over the members of a matrix of each.
  static func meanAndSpread(_ matrices: [Matrix]) -> (mean: Matrix, spread: Matrix) {
    let first = matrices[0]
    func over(_ statistic: ([Double]) -> Double) -> Matrix {
      Matrix(rows: first.rows, columns: first.columns) { row, column in
        statistic(matrices.map { $0[row, column] })
      }
    }
    return (over { $0.mean }, over { $0.standardDeviation })
  }
}

extension Matrix {
  /// Row by row.
  var nested: [[Double]] { (0..<rows).map { Array(row($0)) } }
}
