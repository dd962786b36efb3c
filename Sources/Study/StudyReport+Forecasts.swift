import Forecasting
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure
import Training

/// Sizes of models and errors of forecasts.
extension StudyReport {
  // MARK: Size

  func sizes() throws -> [ReportDocument.Block] {
    let groups = quiet
    guard !groups.isEmpty else { return [] }
    let parts = try groups.map { try depths($0) }
    let deepest = parts.flatMap { $0 }.map(\.hidden.count).max() ?? 0
    let rows = zip(groups, parts).map { group, members -> [ReportDocument.Cell] in
      func mean(_ values: [Int]) -> ReportDocument.Cell {
        Self.cell(values.isEmpty ? nil : values.map(Double.init).mean, "%.0f")
      }
      let weights = group.judgements.map { Double($0.weights) }
      return [
        .init(name(group)), Self.cell(Double(group.cell.size), "%.0f"),
        Self.cell(weights.mean, "%.0f"), Self.cell(weights.standardDeviation, "%.0f"),
        mean(group.judgements.map(\.neurons)),
      ]
        + (0..<deepest).map { depth in
          mean(members.compactMap { $0.hidden.indices.contains(depth) ? $0.hidden[depth] : nil })
        }
        + [mean(members.map(\.output)), mean(members.map(\.skip))]
    }
    return [
      folding(
        .init(
          "Surviving weights",
          columns: ["recipe", "trajectories", "weights", "spread", "units"]
            + (0..<deepest).map { "into layer \($0 + 1)" } + ["into rates", "skips"], rows: rows,
          note:
            "Means over members of what is alive: on some path from an input to a rate; spread: their standard "
            + "deviation. Of towers layers of equal depth are added up; skips lead from inputs straight to rates."
        ))
    ]
  }

  private struct Depths {
    var hidden: [Int] = []
    var output = 0
    var skip = 0
  }

  /// Of each member, live weights by the depth of the layer that they lead to.
  private func depths(_ group: StudyResults.Group) throws -> [Depths] {
    try models(group).map { model in
      let network = LiveStructure(model.network).network
      var depth: [Int] = []
      var found = Depths()
      for (number, layer) in network.layers.enumerated() {
        let own =
          layer.connections.map { connection in
            if case .layer(let source) = connection.source { depth[source] + 1 } else { 0 }
          }.max() ?? 0
        depth.append(own)
        for connection in layer.connections {
          let count = connection.weight.elements.count { $0 != 0 }
          if network.outputLayers.contains(number) {
            if connection.source == .inputs { found.skip += count } else { found.output += count }
          } else {
            while found.hidden.count <= own { found.hidden.append(0) }
            found.hidden[own] += count
          }
        }
      }
      return found
    }
  }

  func models(_ group: StudyResults.Group) throws -> [Model] {
    try group.members.compactMap { member in
      try run.model(.init(cell: group.cell, member: member.number))?.cut(group.cut)
    }
  }

  // MARK: Generalisation

  /// - Parameter subject: whose forecast is shown; nil for none.
  func generalisation(_ subject: ReportSubject?) async throws -> [ReportDocument.Block] {
    let groups = quiet.filter(isCompared)
    guard !groups.isEmpty, !plan.horizons.isEmpty else { return [] }
    var blocks: [ReportDocument.Block] = []
    let last = plan.horizons.count - 1
    if let subject, let whole = try await oneForecast(subject, isWhole: true) {
      blocks.append(.figure(whole))
    }
    for horizon in Set([max(0, last - 2), last]).sorted() {
      let chart = chart(
        groups, "Error within \(plan.horizons[horizon]) samples", "mean |error|, deviations",
        isLogarithmic: true, reference: (BoundedErrors.limit, "diverged")
      ) { .box(BoundedErrors($0.judgements.map(\.errors), horizon: horizon).all) }
      blocks.append(
        .figure(
          try await .init(
            "errors-\(plan.horizons[horizon])",
            caption:
              "Errors of free forecasts over \(plan.horizons[horizon]) samples, by recipe and number of "
              + "training trajectories: median, quartiles, 5th and 95th percentile over members and test "
              + "trajectories; diverged forecasts count as \(FigureText.number(BoundedErrors.limit)).",
            description: "Boxes of forecast errors for each recipe and training-set size", chart)))
    }
    let anyDiverges = groups.contains { group in
      BoundedErrors(group.judgements.map(\.errors), horizon: last).divergedShare > 0
    }
    guard anyDiverges else {
      blocks.append(
        .paragraph("No forecast diverges within \(plan.horizons[last]) samples."))
      return blocks + [folding(errorTable)] + pairedTable
    }
    let diverged = chart(groups, "Diverged within \(plan.horizons[last]) samples", "share, %") {
      let shares = $0.judgements.map {
        100 * BoundedErrors([$0.errors], horizon: last).divergedShare
      }
      let figure = StudyResults.Figure(shares)
      return .bar(
        figure?.mean ?? 0, low: (figure?.low).map { max(0, $0) },
        high: (figure?.high).map { min(100, $0) })
    }
    blocks.append(
      .figure(
        try await .init(
          "diverged",
          caption:
            "Share of forecasts that diverge within \(plan.horizons[last]) samples, with intervals over members.",
          description:
            "Bars of the share of diverged forecasts for each recipe and training-set size",
          diverged)))
    blocks += [folding(errorTable), folding(divergenceTable)]
    blocks += pairedTable
    return blocks
  }

  /// Recipes as categories, sizes as groups.
  private func chart(
    _ groups: [StudyResults.Group], _ title: String, _ yLabel: String, isLogarithmic: Bool = false,
    reference: (value: Double, name: String)? = nil,
    _ mark: (StudyResults.Group) -> CategoryChart.Mark
  ) -> CategoryChart {
    let recipes = plan.recipes.indices.filter { recipe in
      groups.contains { $0.cell.recipe == recipe }
    }
    return CategoryChart(
      title: title, yLabel: yLabel, categories: recipes.map(label),
      groups: plan.sizes.map { "\($0) trajectories" },
      marks: recipes.map { recipe in
        plan.sizes.map { size in
          groups.first { $0.cell.recipe == recipe && $0.cell.size == size }.map(mark) ?? .none
        }
      }, isLogarithmic: isLogarithmic, reference: reference)
  }

  private func forecastRows(
    _ cells: (_ horizons: [StudyResults.Horizon?]) -> [ReportDocument.Cell]
  ) -> [[ReportDocument.Cell]] {
    rows.filter { $0.noise == plan.noise.min() && !$0.horizons.isEmpty }.map { row in
      let found = plan.horizons.map { wanted in row.horizons.first { $0.horizon == wanted } }
      return [
        .init(StudyResults.name(row.recipe, cut: row.cut)),
        Self.cell(Double(row.size), "%.0f"),
      ] + cells(found)
    }
  }

  private var errorTable: ReportDocument.Table {
    .init(
      "Errors of free forecasts that hold",
      columns: ["recipe", "trajectories"] + plan.horizons.map { "\($0) samples" },
      rows: forecastRows { horizons in horizons.map { Self.cell($0?.absolute) } },
      note:
        "Mean of |forecast − truth|/σ over states and samples, over the forecasts that have not diverged, with "
        + "intervals over members. Squared errors are in recipes.csv.")
  }

  private var divergenceTable: ReportDocument.Table {
    .init(
      "Diverged forecasts, and errors where none diverged",
      columns: ["recipe", "trajectories"] + plan.horizons.map { "diverged by \($0), %" }
        + (plan.horizons.last.map { ["pairs to \($0)", "error of them"] } ?? []),
      rows: forecastRows { horizons in
        let last = horizons.last ?? nil
        return horizons.map { Self.cell($0.map { 100 * $0.diverged }, "%.1f") }
          + [
            Self.cell(last.map { Double($0.commonPairs) }, "%.0f"), Self.cell(last?.commonAbsolute),
          ]
      },
      note:
        "Shares of pairs of member and test trajectory. Pairs: those in which no recipe's forecast diverged, and "
        + "the error over them. Divergence by time means is in recipes.csv.")
  }

  /// Every compared recipe beside the reference, at every horizon.
  private var pairedTable: [ReportDocument.Block] {
    guard let comparison = plan.comparison else { return [] }
    let groups = quiet.filter(isCompared)
    var rows: [[ReportDocument.Cell]] = []
    for recipe in plan.recipes.indices where recipe != comparison.reference {
      for size in plan.sizes {
        func errors(_ recipe: Int) -> [ForecastErrors]? {
          groups.first { $0.cell.recipe == recipe && $0.cell.size == size }?.judgements.map(
            \.errors)
        }
        guard let dense = errors(comparison.reference), let other = errors(recipe) else { continue }
        let found = plan.horizons.indices.map {
          ErrorComparison(BoundedErrors(dense, horizon: $0), BoundedErrors(other, horizon: $0))
        }
        rows.append(
          [.init(label(recipe)), Self.cell(Double(size), "%.0f")]
            + found.map { found in
              guard let found else { return .init("–") }
              return .init(FigureText.figure(found.ratio, found.ratioInterval), number: found.ratio)
            })
      }
    }
    guard !rows.isEmpty else { return [] }
    let dense = plan.recipes[comparison.reference].name
    return [
      folding(
        .init(
          "Errors as a multiple of those of \(dense), trajectory by trajectory",
          columns: ["recipe", "trajectories"] + plan.horizons.map { "\($0) samples" }, rows: rows,
          note: "Geometric means over members and test trajectories, diverged forecasts at "
            + "\(FigureText.number(BoundedErrors.limit)); intervals by a bootstrap of members and trajectories. An interval "
            + "that holds 1 says that the data do not tell which is better."))
    ]
  }
}
