import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Relevance over data: the table and its statistics.
public struct RelevanceReport {
  public struct Result: Encodable {
    /// Statistics of J over the samples, each the mean of the members.
    struct Statistics: Encodable {
      var positiveShare: [[Double]]
      var negativeShare: [[Double]]
      var quantile05: [[Double]]
      var median: [[Double]]
      var quantile95: [[Double]]
      var samplesOfQuantiles: Int
    }

    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    var samples: Int
    /// outputs × inputs: mean |J|
    var relevance: [[Double]]
    var relevanceSpread: [[Double]]
    /// outputs × inputs: mean J
    var jacobian: [[Double]]
    var statistics: Statistics?
    /// R² of each output on trajectories that were held out in training, where the ensemble says so.
    var explained: [Double?]?
  }

  public let result: Result
  public let tables: [Table]
  /// The first for programs: one row per output.
  public let table: Table
  /// The whole for programs: one row per pair; nil without statistics.
  public let statisticsTable: Table?
  /// Of mean |J|.
  public let map: HeatMap

  /// - Parameters:
  ///   - ensemble: whose members were differentiated.
  ///   - relevance: of its members over the data.
  ///   - statistics: of each member over the same data; nil for none.
  ///   - units: of the Jacobians.
  public init(
    _ ensemble: Ensemble, _ relevance: EnsembleRelevance, statistics: [JacobianStatistics]?,
    units: JacobianUnits
  ) {
    let style = JacobianTables(ensemble: ensemble, units: units)
    let samples = relevance.members[0].samples
    let mean = style.inUnits(relevance.mean)
    let spread = style.inUnits(relevance.spread)
    let signed = style.inUnits(relevance.signedMean)
    let title =
      "Relevance of inputs for \(ensemble.members[0].wordForOutputs): mean |J| over \(samples) samples, "
      + "\(style.unitsText)\(style.membersText)"
    var first = style.table(title, mean)
    first.isShaded = units == .standardised
    var tables = [first]
    if ensemble.inputs.haveLags, units == .standardised {
      first.title += ", by lag"
      tables = [Self.byVariable(mean, style), first]
    }
    table = tables[0]
    let shared = tables.count
    if ensemble.members.count > 1 { tables.append(style.spreadTable(spread)) }
    var result = Result(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: ensemble.members.count, samples: samples, relevance: mean.nested,
      relevanceSpread: spread.nested, jacobian: signed.nested,
      explained: ensemble.explained?.shares)
    var csv: Table?
    if let statistics {
      let (tablesOfIt, entry) = Self.statisticsTables(statistics, signed, style)
      tables += tablesOfIt
      result.statistics = entry
      csv = Self.statisticsCSV(result, entry)
    }
    self.result = result
    self.tables = tables.saying(ensemble.explained, first: shared)
    statisticsTable = csv
    map = style.map(relevance.mean, legend: "mean |J|")
  }

  /// All moments of a variable together.
  private static func byVariable(_ mean: Matrix, _ style: JacobianTables) -> Table {
    let ensemble = style.ensemble
    let (names, sums) = ensemble.inputs.byVariable(mean)
    var table = Table(
      title: "Relevance of variables for rates of change, all their moments added up"
        + style.membersText, columns: names,
      rows: ensemble.outputs.enumerated().map { row, output in
        (output.name, sums.row(row).map { $0 == 0 ? .trueZero : .number($0) })
      })
    table.isShaded = true
    return table
  }

  /// One row per pair.
  private static func statisticsCSV(
    _ result: Result, _ statistics: Result.Statistics
  ) -> Table {
    let columns: [(String, [[Double]])] = [
      ("mean_magnitude", result.relevance), ("mean", result.jacobian),
      ("positive_share", statistics.positiveShare), ("negative_share", statistics.negativeShare),
      ("quantile_05", statistics.quantile05), ("median", statistics.median),
      ("quantile_95", statistics.quantile95),
    ]
    return Table(
      title: "", corner: "output", columns: ["input"] + columns.map(\.0),
      rows: result.outputs.enumerated().flatMap { row, output in
        result.inputs.enumerated().map { column, input in
          (output.name, [.text(input.name)] + columns.map { .number($0.1[row][column]) })
        }
      })
  }

  private static func statisticsTables(
    _ found: [JacobianStatistics], _ signed: Matrix, _ style: JacobianTables
  ) -> ([Table], Result.Statistics) {
    func mean(_ part: (JacobianStatistics) -> Matrix) -> Matrix {
      JacobianStatistics.mean(found, part)
    }
    func quantile(_ index: Int) -> Matrix { style.inUnits(mean { $0.quantiles[index] }) }
    let (positive, negative) = (mean(\.positiveShare), mean(\.negativeShare))
    let quantiles = (0..<3).map(quantile)
    var tables = [
      style.table("Mean J: the same with its sign", signed),
      style.table("Share of the samples at which J is positive", positive, hasTrueZeros: false),
      style.table("Share of the samples at which J is negative", negative, hasTrueZeros: false),
    ]
    let whose = style.ensemble.members.count > 1 ? ", mean of the members'" : ""
    for (share, matrix) in zip(["5 % quantile", "median", "95 % quantile"], quantiles) {
      tables.append(style.table("J over the samples: \(share)\(whose)", matrix))
    }
    let samples = found[0].samplesOfQuantiles
    if samples < found[0].samples {
      tables[tables.count - 1].notes.append(
        "Quantiles are of \(samples) samples, evenly spaced; all else is of all.")
    }
    return (
      tables,
      Result.Statistics(
        positiveShare: positive.nested, negativeShare: negative.nested,
        quantile05: quantiles[0].nested, median: quantiles[1].nested,
        quantile95: quantiles[2].nested, samplesOfQuantiles: samples)
    )
  }
}
