import Drawing
import Forecasting
import Foundation
import GraphDrawing
import Networks
import Reporting
import Structure

/// The comparison as a page.
extension EnsembleComparison {
  static var bound: Double { BoundedErrors.limit }

  /// - Throws: `ChartProblem` where gnuplot fails, `GraphvizError`.
  public func document() async throws -> ReportDocument {
    var overview: [ReportDocument.Block] = [.statements(sentences), verdicts]
    overview.append(.figure(try difference()))
    if !horizons.isEmpty { overview.append(.figure(try await errors())) }
    var sections = [ReportDocument.Section("At a glance", overview, isOverview: true)]
    sections.append(
      .init(
        "Tables",
        tables(isWhole: true).map { table in
          let table = table.inDocument
          return table.rows.count > 20
            ? .folded("\(table.caption): \(table.rows.count) rows", [.table(table)]) : .table(table)
        }))
    let all = pairsTable
    sections.append(
      .init("Every effect", [.folded("\(all.rows.count) effects", [.table(all.inDocument)])]))
    return ReportDocument(
      title: "\(first.name) and \(second.name)",
      introduction:
        "Two ensembles side by side: \(counted(first.members.count, "member")) of \(first.name), "
        + "\(counted(second.members.count, "member")) of \(second.name)"
        + (place.map { ", both over \($0)." } ?? "; no data were given."),
      sections: sections, colophon: "Made by filigree-study compare.")
  }

  private var verdicts: ReportDocument.Block {
    var verdicts = horizons.map { horizon in
      ReportDocument.Verdict(
        horizon.verdict == "better" ? "yes" : horizon.verdict == "worse" ? "no" : "open",
        "smaller errors over \(horizon.samples) samples: × \(FigureText.figure(horizon.ratio, horizon.interval))"
      )
    }
    if let agreement {
      verdicts.append(
        .init(
          !agreement.isClear ? "open" : agreement.stability > 0 ? "yes" : "no",
          "members agree more: Φ \(FigureText.signed(agreement.stability)) \(FigureText.interval(agreement.interval))"
        ))
    }
    if first.evidence != nil, second.evidence != nil {
      func undecided(_ ensemble: Ensemble) -> Int {
        ensemble.evidence?.pairs.joined().count { $0.verdict == .undecided } ?? 0
      }
      let (before, after) = (undecided(first), undecided(second))
      verdicts.append(
        .init(
          after < before ? "yes" : after > before ? "no" : "open",
          "fewer effects undecided: \(after) instead of \(before) of \(pairs.count)"))
    }
    return .verdicts(question: "Is \(second.name) better than \(first.name)?", verdicts)
  }

  private func difference() throws -> ReportDocument.Figure {
    let sizes = relevances.map { ($0.first.mean.elements, $0.second.mean.elements) }
    let drawing = PairDrawing.difference(
      first, second, pairs: (selections.first.consensus, selections.second.consensus),
      sizes: sizes ?? (selections.first.frequency, selections.second.frequency),
      signed: relevances.map { ($0.first.signedMean.elements, $0.second.signedMean.elements) },
      change: 0.25,
      condition: (relevances == nil ? PairSelection.connected : .relevant(above: options.threshold))
        .words
        + ", in most members", measure: relevances == nil ? "share of members" : "mean |J|",
      title: "What the models read")
    return try ReportSubject.drawn(
      "difference",
      caption:
        "What most members of each read: this is of the models; what the tests say of it is in the sentences "
        + "and the table."
    ) { drawing.graph(.columns, $0) }
  }

  private func errors() async throws -> ReportDocument.Figure {
    func mark(_ figure: StudyResults.Figure?) -> CategoryChart.Mark {
      figure.map { .bar($0.mean, low: $0.low.map { max(0, $0) }, high: $0.high) } ?? .none
    }
    let chart = CategoryChart(
      title: "Errors of free forecasts that hold, by samples", yLabel: "mean |error|, deviations",
      categories: horizons.map { String($0.samples) },
      groups: [first.name, second.name].map(EffectSentences.short),
      marks: horizons.map { [mark($0.first), mark($0.second)] })
    return try await .init(
      "errors",
      caption: "Mean errors over the forecasts that hold, with 95 % intervals over members.",
      description: "Bars of forecast errors at each horizon", chart)
  }
}

extension Table {
  /// As a table of a document.
  fileprivate var inDocument: ReportDocument.Table {
    .init(
      title.isEmpty ? "All" : title, columns: [corner] + columns,
      rows: rows.map { label, cells in
        [.init(label)]
          + cells.map { cell in
            switch cell {
            case .number(let value): .init(cell.short, number: value)
            case .integer(let value): .init(cell.short, number: Double(value))
            default: .init(cell.short)
            }
          }
      }, note: notes.last ?? "")
  }
}
