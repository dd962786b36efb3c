import Dynamics
import Forecasting
import Foundation
import GraphDrawing
import LinearAlgebra
import Networks
import Reporting
import Structure
import Training

/// The results of a study, for people to read: claims, sizes, forecasts, structure, noise, and what the data leave
/// open. Equal studies give equal reports; times and machines are in the manifest.
public struct StudyReport {
  let run: StudyRun
  let results: StudyResults
  let plan: StudyPlan
  /// A row per recipe, size, noise and cut.
  let rows: [StudyResults.RecipeRow]
  /// Where structure is shown: the last of the compared recipes, or of all, at the largest size.
  let shown: StudyResults.Group?

  public init(_ run: StudyRun) {
    self.run = run
    results = run.results()
    plan = results.plan
    rows = results.recipeRows
    let noise = plan.noise.min() ?? 0
    let recipe = plan.comparison?.sparse.last ?? (plan.recipes.count - 1, 0)
    let found = results.groups.filter {
      $0.cell.recipe == recipe.0 && $0.cell.noise == noise && !$0.judgements.isEmpty
    }
    shown = found.filter { $0.cut == recipe.1 }.max { $0.cell.size < $1.cell.size } ?? found.last
  }

  /// Whether any member has been judged.
  public var hasContent: Bool { results.groups.contains { !$0.judgements.isEmpty } }

  /// - Throws: `ChartProblem` where gnuplot fails, `GraphvizError`, and whatever reading models throws.
  public func document() async throws -> ReportDocument {
    var sections: [ReportDocument.Section] = []
    func add(_ title: String, _ blocks: [ReportDocument.Block], isOverview: Bool = false) {
      if !blocks.isEmpty { sections.append(.init(title, blocks, isOverview: isOverview)) }
    }
    let subject = try await subject()
    if let subject {
      add("At a glance", try await overview(subject), isOverview: true)
      add("Warnings about the data", warnings)
      add("What drives what", try await drivers(subject))
    } else {
      add("Warnings about the data", warnings)
    }
    add("Forecasts", try await generalisation(subject))
    add("Agreement", try await agreement(subject))
    add("Recipes compared", try claims + sizes())
    add("Measurement noise", try await noise())
    add("What the data cannot tell", try identifiability(subject?.ensemble.members ?? []))
    add("Empty models", list(results.emptyModels))
    add("How it was made", try method(subject))
    return ReportDocument(
      title: plan.title ?? "Study of \(plan.plant.map { "the plant \($0)" } ?? "measured data")",
      introduction: introduction, sections: sections,
      colophon: "Made by filigree-study. Versions, seeds, machine, durations and commands are in "
        + "manifest.json and provenance.md beside this report; everything in it is the same in every run."
    )
  }

  /// What the report is about; nil where nothing can be shown.
  private func subject() async throws -> ReportSubject? {
    guard let shown else { return nil }
    let models = try models(shown)
    guard !models.isEmpty else { return nil }
    var ensemble = Ensemble(
      name: "\(name(shown)), \(counted(shown.cell.size, "trajectory"))", members: models)
    ensemble.evidence = shown.evidence
    return try await ReportSubject(
      shown, ensemble, over: try run.testPoints(), rule: plan.selection, threads: 1)
  }

  // MARK: Words

  static func cell(_ value: Double?, _ format: String = "%.3g", shade: Double? = nil)
    -> ReportDocument.Cell
  {
    guard let value, value.isFinite else { return .init("–") }
    return .init(String(format: format, value), number: value, shade: shade)
  }

  static func cell(_ figure: StudyResults.Figure?) -> ReportDocument.Cell {
    guard let figure else { return .init("–") }
    // Members that do not differ have no interval to speak of.
    guard let low = figure.low, let high = figure.high, high - low > 1e-3 * abs(figure.mean) else {
      return .init(FigureText.number(figure.mean), number: figure.mean)
    }
    // What is shown so is never negative.
    return .init(
      "\(String(format: "%.2g", figure.mean)) \(FigureText.interval(max(0, low)...high))",
      number: figure.mean)
  }

  func name(_ group: StudyResults.Group) -> String {
    StudyResults.name(plan.recipes[group.cell.recipe].name, cut: group.cut)
  }

  /// A recipe's name, with the cut at which it is compared.
  func label(_ recipe: Int) -> String {
    let cut =
      plan.comparison?.sparse.first { $0.recipe == recipe }?.cut ?? plan.recipes[recipe].cuts[0]
    return StudyResults.name(plan.recipes[recipe].name, cut: cut)
  }

  /// Groups without noise, or with the least of it.
  var quiet: [StudyResults.Group] {
    let least = plan.noise.min() ?? 0
    return results.groups.filter { $0.cell.noise == least && !$0.judgements.isEmpty }
  }

  /// Those at the first cut of their recipe, and at the cut at which they are compared.
  func isCompared(_ group: StudyResults.Group) -> Bool {
    let own = plan.comparison?.sparse.first { $0.recipe == group.cell.recipe }?.cut
    return group.cut == (own ?? plan.recipes[group.cell.recipe].cuts[0])
  }

  private var introduction: String {
    let subject = plan.plant.map { "the plant \($0)" } ?? "data from files"
    let sizes = plan.sizes.map(String.init).joined(separator: ", ")
    let test =
      if case .simulation(let trajectories, let samples, _) = plan.test {
        "\(trajectories) fresh test trajectories of \(samples) samples"
      } else {
        "test data of their own"
      }
    return (plan.about.map { $0 + " " } ?? "")
      + "\(plan.recipes.count) recipes on \(subject): \(sizes) training trajectories, \(plan.members) members "
      + "each, judged on \(test). Intervals are 95 %."
  }

  // MARK: Claims

  /// A table; folded where it is long.
  func folding(_ table: ReportDocument.Table) -> ReportDocument.Block {
    table.rows.count > Self.mostRows
      ? .folded("\(table.caption): \(table.rows.count) rows", [.table(table)]) : .table(table)
  }

  private static let mostRows = 8

  private var claims: [ReportDocument.Block] {
    guard let claims = Claims(results), let comparison = plan.comparison else { return [] }
    let dense = plan.recipes[comparison.reference].name
    let several = claims.sizes.count > 1
    let rows = claims.lines.map { line -> [ReportDocument.Cell] in
      [.init(line.claim), .init(line.recipe)] + line.findings.map { .init($0?.figure ?? "–") }
        + [
          .init(
            several
              ? Claims.overall(line, sizes: claims.sizes)
              : line.findings[0]?.answer.rawValue ?? "–")
        ]
    }
    return [
      .paragraph(
        "Each claim about sparse models is held against \(dense) networks trained on the same trajectories. Yes or no where the 95 % "
          + "interval says so, open where it does not."),
      .table(
        .init(
          "Claims",
          columns: ["claim", "recipe"] + claims.sizes.map { "\($0) trajectories" } + ["holds"],
          rows: rows,
          note:
            "Weights: share of the dense models' (t-interval over members). Errors: × the dense models' "
            + "(geometric mean over members and test trajectories of the mean |error| in deviations of the states; "
            + "a diverged forecast counts as \(FigureText.number(BoundedErrors.limit))); divergence: difference of shares "
            + "in points; intervals by a bootstrap of members and trajectories, trajectories paired. Φ: Nogueira, "
            + "Sechidis and Brown 2018, above 0.75 by their scale excellent; pairs with mean |J| above "
            + "\(FigureText.number(plan.threshold)); intervals by the jackknife over members."
            + (results.truth == nil
              ? ""
              : " F1 against the plant's own one-step map, means over members and the interval of their difference "
                + "(Welch)."))),
    ]
  }

  // MARK: Noise and stability

  private func noise() async throws -> [ReportDocument.Block] {
    guard plan.noise.count > 1 else { return [] }
    let size = plan.sizes.max() ?? 0
    let recipes = plan.recipes.indices.filter { recipe in
      Set(
        results.groups.filter { $0.cell.recipe == recipe && !$0.judgements.isEmpty }
          .map(\.cell.noise)
      ).count > 1
    }
    guard !recipes.isEmpty else { return [] }
    func group(_ recipe: Int, _ noise: Double, _ size: Int) -> StudyResults.Group? {
      results.groups.first {
        $0.cell == StudyPlan.Cell(recipe: recipe, size: size, noise: noise) && isCompared($0)
          && !$0.judgements.isEmpty
      }
    }
    let last = plan.horizons.count - 1
    let chart = CategoryChart(
      title: "Error within \(plan.horizons[last]) samples, \(size) trajectories",
      yLabel: "mean |error|, deviations",
      categories: recipes.map(label),
      groups: plan.noise.map { $0 == 0 ? "no noise" : "noise \(FigureText.number($0))" },
      marks: recipes.map { recipe in
        plan.noise.map { noise in
          group(recipe, noise, size).map {
            .box(BoundedErrors($0.judgements.map(\.errors), horizon: last).all)
          } ?? .none
        }
      }, isLogarithmic: true, reference: (BoundedErrors.limit, "diverged"))
    let rows = self.rows.filter { row in
      row.horizons.count > last
        && recipes.contains {
          plan.recipes[$0].name == row.recipe && group($0, row.noise, row.size)?.cut == row.cut
        }
    }
    return [
      .paragraph(
        "White noise on the recorded states of the training data, as a share of each state's deviation; inputs "
          + "and test data are exact."),
      .figure(
        try await .init(
          "noise",
          caption:
            "Forecast errors by measurement noise: median, quartiles, 5th and 95th percentile over "
            + "members and test trajectories.",
          description: "Boxes of forecast errors for each recipe at each level of noise", chart)),
      folding(
        .init(
          "Noise",
          columns: [
            "recipe", "trajectories", "noise", "weights", "Φ", "F1", "|e| \(plan.horizons[last])",
            "diverged %",
          ],
          rows: rows.map { row in
            [
              .init(StudyResults.name(row.recipe, cut: row.cut)),
              Self.cell(Double(row.size), "%.0f"), Self.cell(row.noise, "%g"),
              Self.cell(row.weights?.mean, "%.0f"), Self.cell(row.relevant?.stability, "%.2f"),
              Self.cell(row.relevant?.score?.f1, "%.2f"), Self.cell(row.horizons[last].absolute),
              Self.cell(100 * row.horizons[last].diverged, "%.1f"),
            ]
          }, note: "|e|: over the forecasts that hold, with intervals over members.")),
    ]
  }

  private var stability: [ReportDocument.Table] {
    let rows = self.rows.filter { row in
      row.noise == plan.noise.min()
        && plan.recipes.contains { $0.name == row.recipe && $0.cuts[0] == row.cut }
    }
    guard !rows.isEmpty else { return [] }
    let members = results.memberRows
    return [
      .init(
        "Training stability: how far members that differ in initial weights and order of samples end apart",
        columns: [
          "recipe", "trajectories", "stochastic loss", "its spread %", "on validation",
          "spread of forecast errors %", "restarts", "without a model",
        ],
        rows: rows.map { row in
          let own = members.filter {
            $0.recipe == row.recipe && $0.size == row.size && $0.noise == row.noise
              && $0.cut == row.cut
          }
          let losses = own.compactMap(\.trainingLoss)
          let spread = losses.count > 1 ? 100 * losses.standardDeviation / losses.mean : nil
          let group = results.groups.first {
            plan.recipes[$0.cell.recipe].name == row.recipe && $0.cell.size == row.size
              && $0.cell.noise == row.noise && $0.cut == row.cut
          }
          let errors = (group?.judgements ?? []).map {
            BoundedErrors([$0.errors], horizon: plan.horizons.count - 1).geometricMean
          }
          let apart = errors.count > 1 ? 100 * errors.standardDeviation / errors.mean : nil
          return [
            .init(row.recipe), Self.cell(Double(row.size), "%.0f"),
            Self.cell(row.trainingLoss?.mean),
            Self.cell(spread, "%.1f"), Self.cell(row.validationLoss?.mean),
            Self.cell(apart, "%.0f"),
            Self.cell(Double(own.reduce(0) { $0 + $1.restarts }), "%.0f"),
            Self.cell(Double(row.diverged), "%.0f"),
          ]
        },
        note:
          "Losses: mean squared error of the standardised rates at the end of the stochastic training, before what "
          + "least squares and refinement do, mean over the networks of a member. Forecast errors: geometric mean over "
          + "test trajectories to the longest horizon. Spread: standard deviation over members as a share of the mean."
      )
    ]
  }

  private var warnings: [ReportDocument.Block] { list(results.warnings) }

  private func list(_ warnings: [StudyResults.Warning]) -> [ReportDocument.Block] {
    guard !warnings.isEmpty else { return [] }
    return [
      .list(
        warnings.map { warning in
          "\(warning.size) trajectories"
            + (plan.noise.count > 1 || warning.noise > 0
              ? ", noise \(FigureText.number(warning.noise))" : "")
            + " (\(warning.recipes.joined(separator: ", "))): \(warning.text)"
        })
    ]
  }

  private func method(_ subject: ReportSubject?) throws -> [ReportDocument.Block] {
    var items = [
      "Relevance of an input for a rate: mean |∂rate/∂input| over at most \(plan.relevanceSamples) evenly spaced samples "
        + "of the test data, exact, in standardised units. A pair counts as selected if a path connects it and "
        + "its relevance is above \(FigureText.number(plan.threshold)).",
      "A forecast starts from the true state and runs freely with the recorded inputs. It has diverged when the "
        + "mean over the states of |error| exceeds \(FigureText.number(RollingForecast.divergenceLimit)) deviations at some "
        + "sample.",
    ]
    if results.truth != nil {
      items.append(
        "Truth: the derivatives of the plant's own one-step map over the same samples; pairs above "
          + "\(FigureText.number(PlantTruth.realAbove)) are real, those at most \(FigureText.number(PlantTruth.absentAtMost)) are "
          + "absent, those between count neither way.")
    }
    let recipes = plan.recipes.map { recipe in
      let options = RecipeField.texts(of: recipe.recipe).sorted { $0.key < $1.key }
        .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      return "\(recipe.name): \(options)"
    }
    var blocks: [ReportDocument.Block] = [
      .list(items), .folded("Every option of every recipe", [.list(recipes)]),
    ]
    blocks += stability.map { .folded("Training stability", [.table($0)]) }
    if let subject {
      let networks = try networks(subject)
      if !networks.isEmpty { blocks.append(.folded("The networks, by effect", networks)) }
    }
    return blocks
  }
}

extension StudyResults.Group {
  var judgements: [Judgement] { members.compactMap(\.judgement) }
}
