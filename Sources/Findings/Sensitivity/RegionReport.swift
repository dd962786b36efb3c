import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Relevance by operating region: where a variable is low, medium and high.
public struct RegionReport {
  public struct Result: Encodable {
    struct Region: Encodable {
      var above: Double?
      var atMost: Double?
      var samples: Int
      var relevance: [[Double]]
    }

    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    var by: Variable
    var regions: [Region]
    /// R² of each output on trajectories that were held out in training, where the ensemble says so.
    var explained: [Double?]?
  }

  public let result: Result
  public let tables: [Table]

  /// - Parameters:
  ///   - ensemble: whose members are differentiated.
  ///   - points: samples × inputs in physical units.
  ///   - variable: by which samples are told apart.
  ///   - values: of it at the same samples.
  ///   - units: of the Jacobians.
  ///   - threads: that may work at once.
  public init(
    _ ensemble: Ensemble, over points: Matrix, by variable: Variable, values: [Double],
    units: JacobianUnits, threads: Int
  ) async throws {
    let style = JacobianTables(ensemble: ensemble, units: units)
    var tables: [Table] = []
    var regions: [Result.Region] = []
    for (above, atMost) in Self.terciles(values) {
      let rows = values.indices.filter { values[$0] > above && values[$0] <= atMost }
      guard !rows.isEmpty else { continue }
      let inside = Matrix(rows.map { Array(points.row($0)) })
      let relevance = try await EnsembleRelevance(ensemble, over: inside, threads: threads)
      let mean = style.inUnits(relevance.mean)
      let bounds = [
        above.isFinite ? String(format: "above %.6g", above) : nil,
        atMost.isFinite ? String(format: "up to %.6g", atMost) : nil,
      ].compactMap { $0 }.joined(separator: ", ")
      var part = style.table(
        "Mean |J| where \(variable.label) is \(bounds.isEmpty ? "any" : bounds) (\(rows.count) samples), "
          + style.unitsText + style.membersText, mean)
      part.isShaded = units == .standardised
      tables.append(part.saying(ensemble.explained))
      regions.append(
        .init(
          above: above.isFinite ? above : nil, atMost: atMost.isFinite ? atMost : nil,
          samples: rows.count, relevance: mean.nested))
    }
    self.tables = tables
    result = Result(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: ensemble.members.count, by: variable, regions: regions,
      explained: ensemble.explained?.shares)
  }

  /// One row per region and output.
  public var longTable: Table {
    Table(
      title: "", corner: "output",
      columns: ["above", "at_most", "samples"] + result.inputs.map(\.name),
      rows: result.regions.flatMap { region in
        zip(result.outputs, region.relevance).map { output, row in
          (
            output.name,
            [
              region.above.map(Cell.number) ?? .missing, region.atMost.map(Cell.number) ?? .missing,
              .integer(region.samples),
            ] + row.map(Cell.number)
          )
        }
      })
  }

  /// (−∞, a], (a, b], (b, ∞) with a third of the values in each, as far as ties allow.
  static func terciles(_ values: [Double]) -> [(above: Double, atMost: Double)] {
    let ordered = values.sorted()
    let (a, b) = (ordered.quantile(1 / 3.0), ordered.quantile(2 / 3.0))
    return [(-.infinity, a), (a, b), (b, .infinity)]
  }
}
