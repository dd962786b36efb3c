import Drawing
import Dynamics
import Findings
import Forecasting
import Foundation
import GraphDrawing
import LinearAlgebra
import Networks
import Reporting
import Structure

/// What drives what, how far members agree, and whether it is true.
extension StudyReport {
  /// - Parameter members: the models of `shown`.
  func structure(_ members: [Model]) async throws -> [ReportDocument.Block] {
    guard let shown, !members.isEmpty else { return [] }
    var ensemble = Ensemble(
      name: "\(name(shown)), \(shown.cell.size) trajectories", members: members)
    ensemble.evidence = shown.evidence
    let points = try run.testPoints()
    let relevance = try await EnsembleRelevance(ensemble, over: points, threads: 1)
    var blocks: [ReportDocument.Block] = [.table(relevanceTable(ensemble, relevance))]
    let chosen = PairDrawing.Chosen(ensemble, relevance: relevance, rule: plan.selection)
    let title = "What drives what: \(ensemble.name)"
    let drawing =
      results.truth.map {
        PairDrawing.judged(chosen, by: $0, plant: plan.plant ?? "", title: title)
      } ?? PairDrawing.dependencies(chosen, title: title)
    blocks.append(
      .figure(
        try Self.drawn(
          drawing.graph(.columns), "dependency",
          "The consensus of \(ensemble.members.count) members of \(ensemble.name)"
            + (results.truth == nil ? "." : " beside the plant: found, missed and spurious pairs."))
      ))
    blocks.append(.table(agreementTable))
    blocks += try await precisionRecall()
    blocks.append(.table(strongestPaths(ensemble)))
    blocks += try drawings(of: shown, members)
    return blocks
  }

  static func drawn(_ graph: Graph, _ id: String, _ caption: String) throws -> ReportDocument.Figure
  {
    .init(
      id, caption: caption, description: "\(graph.title): \(graph.summary)",
      svg: try Renderer.render(graph, as: .svg), isGraph: true)
  }

  private func relevanceTable(_ ensemble: Ensemble, _ relevance: EnsembleRelevance)
    -> ReportDocument.Table
  {
    let mean = relevance.mean
    let strongest = mean.elements.max() ?? 1
    let explained = ensemble.explained
    return .init(
      "Relevance of inputs (columns) for rates of change (rows): \(ensemble.name)",
      columns: ["rate of"] + (explained == nil ? [] : ["R²"]) + ensemble.inputs.map(\.name),
      rows: ensemble.outputs.indices.map { row in
        let isNothing = explained?.isNothing(row) ?? false
        let name = ensemble.outputs[row].name + (isNothing ? ", nothing explained" : "")
        let share: [ReportDocument.Cell] =
          explained.map { explained in
            [
              explained.shares[row].map { .init(ExplainedShares.words($0), number: $0) }
                ?? .init("–")
            ]
          } ?? []
        return [.init(name)] + share
          + ensemble.inputs.indices.map { column in
            let value = mean[row, column]
            guard value > 0 else { return isNothing ? .init("–") : .init("·", number: 0) }
            return Self.cell(value, "%.2g", shade: (value / strongest).squareRoot())
          }
      },
      note: "Mean |J| over \(relevance.members[0].samples) samples in standardised units, mean of "
        + "\(ensemble.members.count) members; a dot is a true zero: no path is left."
        + (explained.map { " " + $0.legend } ?? ""))
  }

  private var agreementTable: ReportDocument.Table {
    let rows = self.rows.filter { $0.noise == plan.noise.min() && $0.weights != nil }
    let hasTruth = results.truth != nil
    return .init(
      "Agreement of members on the relevant pairs",
      columns: ["recipe", "trajectories", "pairs", "Φ", "interval"]
        + (hasTruth ? ["found", "missed", "spurious", "F1", "error of J"] : []),
      rows: rows.map { row in
        let structure = row.relevant
        let agreement: [ReportDocument.Cell] = [
          Self.cell(structure?.pairs, "%.1f"),
          structure?.isUnanimous == true
            ? .init("all agree", number: 1) : Self.cell(structure?.stability, "%.2f"),
          .init(structure?.interval.map(FigureText.interval) ?? "–"),
        ]
        let score = structure?.score
        return [
          .init(StudyResults.name(row.recipe, cut: row.cut)),
          Self.cell(Double(row.size), "%.0f"),
        ] + agreement
          + (hasTruth
            ? [
              Self.cell(score.map { Double($0.found) }, "%.0f"),
              Self.cell(score.map { Double($0.missed) }, "%.0f"),
              Self.cell(score.map { Double($0.spurious) }, "%.0f"), Self.cell(score?.f1, "%.2f"),
              Self.cell(row.jacobianError?.mean),
            ] : [])
      },
      note:
        "Pairs: mean over members. Φ is 1 for perfect agreement, about 0 for chance; intervals by the jackknife "
        + "over members."
        + (hasTruth
          ? " Found, missed, spurious, F1: of the consensus (more than half of the members) against the plant. Error of "
            + "J: median over real pairs of the relative error of mean |J|, mean over members."
          : ""))
  }

  // MARK: Precision and recall

  private func precisionRecall() async throws -> [ReportDocument.Block] {
    guard let truth = results.truth, let shown else { return [] }
    let compared =
      [plan.comparison?.reference].compactMap { $0 } + (plan.comparison?.sparse.map(\.recipe) ?? [])
    let wanted = compared.isEmpty ? [shown.cell.recipe] : compared
    let colours = ["#999999", "#D55E00", "#0072B2", "#009E73", "#CC79A7"]
    let series = wanted.enumerated().compactMap { number, recipe -> Chart.Series? in
      let group = quiet.first {
        $0.cell.recipe == recipe && $0.cell.size == shown.cell.size && isCompared($0)
      }
      guard let group, let first = group.judgements.first else { return nil }
      let sums = group.judgements.dropFirst().reduce(first.relevance) {
        zip($0, $1.relevance).map(+)
      }
      let mean = Matrix(
        rows: truth.relevance.rows, columns: truth.relevance.columns,
        elements: sums.map { $0 / Double(group.judgements.count) })
      let points = truth.curve(mean).points
      var curve = Chart.Series(
        name(group), colour: colours[number % colours.count], x: points.map(\.recall),
        y: points.map(\.precision))
      curve.isMarked = true
      return curve
    }
    guard !series.isEmpty else { return [] }
    let chart = Chart(
      title: "Precision and recall of pairs, \(shown.cell.size) trajectories", xLabel: "recall",
      columns: [[.init("precision", series, height: 2.4)]])
    return [
      .figure(
        .init(
          "precision-recall",
          caption:
            "Pairs selected by mean |J| (mean over members) at all thresholds, against the plant.",
          description: "Curves of precision over recall for each compared recipe",
          svg: try await chart.svg()))
    ]
  }

  // MARK: Paths and members

  private func strongestPaths(_ ensemble: Ensemble) -> ReportDocument.Table {
    let best = order(shown).first ?? 0
    let model = ensemble.members[min(best, ensemble.members.count - 1)]
    let paths = PathAnalysis(model.network).strongestPaths(3)
    return .init(
      "The strongest paths to each rate, in the best member of \(ensemble.name)",
      columns: ["rate of", "path", "product of its weights"],
      rows: zip(model.outputs, paths).flatMap { output, paths in
        paths.map { path in
          [
            .init(output.name),
            .init(path.nodes.dropLast().map(model.name(of:)).joined(separator: " → ")),
            Self.cell(path.product),
          ]
        }
      }, note: "Between standardised inputs and rates.")
  }

  /// Members by place in the group's models, the best forecasts first.
  private func order(_ group: StudyResults.Group?) -> [Int] {
    let errors = (group?.judgements ?? []).map {
      BoundedErrors([$0.errors], horizon: plan.horizons.count - 1).geometricMean
    }
    return errors.indices.sorted { (errors[$0], $0) < (errors[$1], $1) }
  }

  private func drawings(of group: StudyResults.Group, _ models: [Model]) throws
    -> [ReportDocument.Block]
  {
    let order = order(group)
    guard models.count == order.count, !order.isEmpty else { return [] }
    let ranks = [
      ("best", order[0]), ("median", order[order.count / 2]), ("worst", order[order.count - 1]),
    ]
    let numbers = group.members.filter { $0.judgement != nil }.map(\.number)
    var options = NetworkDrawing.Options()
    options.mostEdges = 4000
    var figures = try ranks.enumerated().filter { place, rank in
      !ranks[..<place].contains { $0.1 == rank.1 }
    }.map { _, rank in
      let drawing = NetworkDrawing(
        models[rank.1],
        title: "\(name(group)), member \(numbers[rank.1]): the \(rank.0) of \(order.count)",
        options: options)
      return try Self.drawn(
        drawing.graph, "member-\(rank.0)",
        "The \(rank.0) member of \(name(group)) by its forecasts over \(plan.horizons.last ?? 0) samples."
      )
    }
    let dense = plan.comparison.flatMap { comparison in
      quiet.first { $0.cell.recipe == comparison.reference && $0.cell.size == group.cell.size }
    }
    if let dense, let model = try self.models(dense).first {
      figures.append(
        try Self.drawn(
          NetworkDrawing(model, title: "\(name(dense)), member 0", options: options).graph, "dense",
          "For comparison: a member of \(name(dense))."))
    }
    return [.choice(label: "Member", figures)]
  }

  // MARK: Identifiability

  /// What no method can determine from these data, and why.
  ///
  /// - Parameter members: the models of `shown`.
  func identifiability(_ members: [Model]) throws -> [ReportDocument.Block] {
    guard let model = members.first else { return [] }
    let points = try run.testPoints()
    var blocks: [ReportDocument.Block] = []
    if let inverse = Self.correlation(points).invertedPositiveDefinite() {
      let shares = (0..<points.columns).map { 1 - 1 / max(1, inverse[$0, $0]) }
      let order = shares.indices.sorted { shares[$0] > shares[$1] }
      blocks += [
        .paragraph(
          "An input that is nearly a linear function of the others can be replaced by them: how much of a rate it "
            + "carries is then read off what little of it is its own. Inputs set by feedback are of this kind; what "
            + "tells their effect apart are the samples at which they move by themselves."),
        .table(
          .init(
            "How much of each input the others explain",
            columns: ["input", "R² from all others", "own share of its deviation"],
            rows: order.map { index in
              [
                .init(model.inputs[index].name), Self.cell(shares[index], "%.3f"),
                Self.cell((1 - shares[index]).squareRoot(), "%.3f"),
              ]
            }, note: "Linear, over the test data.")),
      ]
    }
    if let truth = results.truth { blocks.append(.table(doubtful(truth, model))) }
    return blocks
  }

  private static func correlation(_ points: Matrix) -> Matrix {
    let columns = (0..<points.columns).map { column in
      let values = (0..<points.rows).map { points[$0, column] }
      let (mean, deviation) = (values.mean, values.standardDeviation)
      return values.map { deviation > 0 ? ($0 - mean) / deviation : 0 }
    }
    return Matrix(rows: points.columns, columns: points.columns) { a, b in
      let product = zip(columns[a], columns[b]).reduce(0) { $0 + $1.0 * $1.1 } / Double(points.rows)
      // A constant input is correlated with nothing.
      return a == b ? max(product, 1e-12) + 1e-12 : product
    }
  }

  /// Pairs of the plant that are too weak to count, and those on which the compared recipes are wrong.
  private func doubtful(_ truth: PlantTruth, _ model: Model) -> ReportDocument.Table {
    let columns = model.inputs.count
    let groups = quiet.filter { group in
      isCompared(group) && group.cell.size == shown?.cell.size
        && (plan.comparison?.sparse.contains { $0.recipe == group.cell.recipe } ?? true)
    }
    let frequencies = groups.map { group in
      Selection(chosen: group.judgements.map { results.relevant($0) }).frequency
    }
    let pairs = truth.relevance.elements.indices.filter { pair in
      let grade = truth.grade(pair / columns, pair % columns)
      return grade == .uncertain
        || frequencies.contains { grade == .real ? $0[pair] <= 0.5 : $0[pair] > 0.5 }
    }.sorted { truth.relevance.elements[$0] > truth.relevance.elements[$1] }
    return .init(
      "Pairs in doubt",
      columns: ["input → rate", "plant"] + groups.map { "\(name($0)), members" } + ["kind"],
      rows: pairs.map { pair in
        let kind: String
        switch truth.grade(pair / columns, pair % columns) {
        case .real: kind = "real, missed by some"
        case .uncertain: kind = "too weak to count"
        case .absent: kind = "not there"
        }
        return [
          .init("\(model.inputs[pair % columns].name) → \(model.outputs[pair / columns].name)"),
          Self.cell(truth.relevance.elements[pair], "%.2g"),
        ] + frequencies.map { Self.cell(100 * $0[pair], "%.0f %%") } + [.init(kind)]
      },
      note:
        "Relevance in the plant between \(FigureText.number(PlantTruth.absentAtMost)) and \(FigureText.number(PlantTruth.realAbove)) "
        + "is real but below what a member is asked for; members: how many select the pair.")
  }
}
