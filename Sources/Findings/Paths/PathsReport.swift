import LinearAlgebra
import Networks
import Reporting

/// What survives in the members of an ensemble: a summary, and of a single model its paths.
public struct PathsReport {
  private let name: String
  private let reports: [MemberReport]
  private let elsewhere: String

  /// - Parameters:
  ///   - ensemble: of one or more members.
  ///   - strongest: how many of the strongest paths are listed, overall and per output.
  ///   - perPair: whether those of every connected pair are, too.
  ///   - data: samples × inputs in physical units over which paths are active or not; nil for none.
  ///   - elsewhere: of several members, where their paths are to be found, in words.
  public init(
    _ ensemble: Ensemble, strongest: Int, perPair: Bool, data: Matrix?, elsewhere: String
  ) {
    name = ensemble.name
    reports = ensemble.members.indices.map {
      MemberReport(ensemble, $0, strongest: strongest, perPair: perPair, data: data)
    }
    self.elsewhere = elsewhere
  }

  /// Of each member, for programs.
  public var results: some Encodable { reports.map(\.result) }

  public var tables: [Table] {
    var tables = [summary]
    if let only = reports.first, reports.count == 1 {
      tables += only.tables()
    } else {
      tables[0].notes.append(elsewhere)
    }
    return tables
  }

  /// One row per member and connected pair.
  public var pairsTable: Table {
    Table(
      title: "", corner: "member",
      columns: [
        "output", "input", "paths", "positive", "negative", "derivative_low", "derivative_high",
        "monotony",
      ],
      rows: reports.enumerated().flatMap { member, report in
        report.result.connectedPairs.map { pair in
          (
            String(member),
            [
              .text(pair.output), .text(pair.input), .text(pair.paths), .number(pair.positive),
              .number(pair.negative), .number(pair.derivativeLow), .number(pair.derivativeHigh),
              .text(pair.monotony?.rawValue ?? ""),
            ]
          )
        }
      })
  }

  private var summary: Table {
    Table(
      title: "\(name): what survives", corner: "member",
      columns: [
        "weights", "of all", "live neurons", "of neurons", "inputs used", "pairs", "of pairs",
        "paths", "ℓ1 norm",
      ],
      rows: reports.enumerated().map { index, report in
        let result = report.result
        return (
          String(index),
          [
            .integer(result.weights), .integer(result.weightsInAll), .integer(result.liveNeurons),
            .integer(result.neurons), .integer(result.inputsUsed), .integer(result.pairs),
            .integer(result.pairsInAll), .text(result.paths), .number(result.norm),
          ]
        )
      },
      notes: [
        "ℓ1 norm: sum of |product| over all paths; it bounds the slopes of all outputs together."
      ])
  }
}
