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

/// How far members agree, whether what they say is true, the networks, and what no method can tell.
extension StudyReport {
  func agreement(_ subject: ReportSubject?) async throws -> [ReportDocument.Block] {
    var blocks: [ReportDocument.Block] = []
    if let subject {
      let title = "What drives what: \(subject.ensemble.name)"
      let drawing =
        results.truth.map {
          PairDrawing.judged(subject.chosen, by: $0, plant: plan.plant ?? "", title: title)
        } ?? PairDrawing.dependencies(subject.chosen, title: title)
      blocks.append(
        .figure(
          try ReportSubject.drawn(
            "dependency",
            caption: "The consensus of \(counted(subject.ensemble.members.count, "member")) of "
              + subject.ensemble.name
              + (results.truth == nil
                ? ", by effect." : " beside the plant: found, missed and spurious pairs.")
          ) { drawing.graph(.columns, $0) }))
    }
    blocks.append(folding(agreementTable))
    if let subject { blocks += agreementAlone(subject) }
    let curves = try await precisionRecall()
    if !curves.isEmpty { blocks.append(.folded("Precision and recall at every threshold", curves)) }
    return blocks
  }

  /// Members that decide together agree by that.
  private func agreementAlone(_ subject: ReportSubject) -> [ReportDocument.Block] {
    guard let alone = subject.ensemble.selectionAlone, alone.memberCount > 1 else { return [] }
    return [
      .paragraph(
        "The members of \(subject.ensemble.name) decided together which inputs act, and agree by that; Φ of what each "
          + "finds alone is "
          + (alone.stability.map { String(format: "%.2f", $0) } ?? "undefined") + ".")
    ]
  }

  static func drawn(_ graph: Graph, _ id: String, _ caption: String) throws -> ReportDocument.Figure
  {
    .init(
      id, caption: caption, description: "\(graph.title): \(graph.summary)",
      svg: try Renderer.render(graph, as: .svg), isGraph: true)
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
          svg: try await chart.svg(), narrow: try await chart.narrowed.svg()))
    ]
  }

  // MARK: Paths and members

  /// Members by place in the group's models, the best forecasts first.
  func order(_ group: StudyResults.Group?) -> [Int] {
    let errors = (group?.judgements ?? []).map {
      BoundedErrors([$0.errors], horizon: plan.horizons.count - 1).geometricMean
    }
    return errors.indices.sorted { (errors[$0], $0) < (errors[$1], $1) }
  }

  /// The best, the median and the worst member, and one of what they are compared with, over the test data.
  func networks(_ subject: ReportSubject) throws -> [ReportDocument.Block] {
    let (group, models) = (subject.group, subject.ensemble.members)
    let order = order(group)
    guard models.count == order.count, !order.isEmpty else { return [] }
    let ranks = [
      ("best", order[0]), ("median", order[order.count / 2]), ("worst", order[order.count - 1]),
    ]
    let numbers = group.members.filter { $0.judgement != nil }.map(\.number)
    var figures = try ranks.enumerated().filter { place, rank in
      !ranks[..<place].contains { $0.1 == rank.1 }
    }.map { _, rank in
      try network(
        models[rank.1], "member-\(rank.0)",
        title: "\(name(group)), member \(numbers[rank.1]): the \(rank.0) of \(order.count)",
        caption:
          "The \(rank.0) member of \(name(group)) by its forecasts over \(plan.horizons.last ?? 0) samples.",
        subject)
    }
    let dense = plan.comparison.flatMap { comparison in
      quiet.first {
        $0.cell.recipe == comparison.reference && $0.cell.size == group.cell.size
          && comparison.reference != group.cell.recipe
      }
    }
    if let dense, let model = try self.models(dense).first {
      figures.append(
        try network(
          model, "dense", title: "\(name(dense)), member 0",
          caption: "For comparison: a member of \(name(dense)).", subject))
    }
    return [.choice(label: "Member", figures)]
  }

  /// More weights than this are drawn by groups of units, which have no effects.
  private static let mostEdges = 4000

  private func network(
    _ model: Model, _ id: String, title: String, caption: String, _ subject: ReportSubject
  ) throws -> ReportDocument.Figure {
    var options = NetworkDrawing.Options()
    options.mostEdges = Self.mostEdges
    let weights = LiveStructure(model.network).network.survivingWeightCount
    let isSmall = weights <= Self.mostEdges
    if isSmall {
      options.activity = UnitActivity(model, over: subject.fewPoints)
      options.acting = ActingNetwork(model, over: subject.fewPoints)
    }
    return try Self.drawn(
      NetworkDrawing(model, title: isSmall ? title : title + ", by weight", options: options).graph,
      id,
      caption)
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
        folding(
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
    if let truth = results.truth { blocks.append(folding(doubtful(truth, model))) }
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
