import Reporting

/// A study's results as tables.
public struct StudyTables {
  private let results: StudyResults
  private let rows: [StudyResults.RecipeRow]

  public init(_ results: StudyResults) {
    self.results = results
    rows = results.recipeRows
  }

  private var plan: StudyPlan { results.plan }

  private static func cell(_ value: Double?) -> Cell { value.map(Cell.number) ?? .missing }
  private static func cell(_ value: Int?) -> Cell { value.map(Cell.integer) ?? .missing }

  // MARK: For programs

  /// One row per member and cut.
  public var members: Table {
    var table = Table(
      title: "", corner: "recipe",
      columns: [
        "trajectories", "noise", "cut", "member", "status", "reason", "restarts", "training_loss",
        "validation_loss", "weights", "neurons", "connected_pairs", "relevant_pairs", "found",
        "missed", "spurious", "jacobian_error",
      ]
        + plan.horizons.flatMap { horizon in
          ["absolute", "squared", "diverged", "diverged_by_time_mean"].map { "\($0)_\(horizon)" }
        })
    for row in results.memberRows {
      var cells: [Cell] = [
        .integer(row.size), .number(row.noise), .number(row.cut), .integer(row.member),
        .text(row.status), .text(row.reason ?? ""), .integer(row.restarts),
        Self.cell(row.trainingLoss), Self.cell(row.validationLoss), Self.cell(row.weights),
        Self.cell(row.neurons), Self.cell(row.connectedPairs), Self.cell(row.relevantPairs),
        Self.cell(row.score?.found), Self.cell(row.score?.missed), Self.cell(row.score?.spurious),
        Self.cell(row.jacobianError),
      ]
      for horizon in plan.horizons {
        let found = row.horizons.first { $0.horizon == horizon }
        cells += [
          Self.cell(found?.absolute?.mean), Self.cell(found?.squared?.mean),
          Self.cell(found?.diverged), Self.cell(found?.divergedByTimeMean),
        ]
      }
      table.rows.append((row.recipe, cells))
    }
    return table
  }

  /// One row per recipe, size, noise and cut; low and high are 95 % intervals over members.
  public var recipes: Table {
    func spread(_ name: String) -> [String] { [name, "\(name)_low", "\(name)_high"] }
    func cells(_ figure: StudyResults.Figure?) -> [Cell] {
      [Self.cell(figure?.mean), Self.cell(figure?.low), Self.cell(figure?.high)]
    }
    func cells(_ structure: StudyResults.Structure?) -> [Cell] {
      let score = structure?.score
      return [
        Self.cell(structure?.pairs), Self.cell(structure?.stability),
        Self.cell(structure?.interval?.lowerBound), Self.cell(structure?.interval?.upperBound),
        Self.cell(score?.found), Self.cell(score?.missed), Self.cell(score?.spurious),
        Self.cell(score?.precision), Self.cell(score?.recall), Self.cell(score?.f1),
      ]
    }
    var columns = ["trajectories", "noise", "cut", "members", "diverged"]
    columns += spread("training_loss") + spread("validation_loss") + spread("weights")
    for kind in ["connected", "relevant"] {
      columns += [
        "\(kind)_pairs", "\(kind)_stability", "\(kind)_stability_low", "\(kind)_stability_high",
        "\(kind)_found", "\(kind)_missed", "\(kind)_spurious", "\(kind)_precision",
        "\(kind)_recall", "\(kind)_f1",
      ]
    }
    columns += spread("jacobian_error")
    for horizon in plan.horizons {
      columns += spread("absolute_\(horizon)") + spread("squared_\(horizon)")
      columns += [
        "diverged", "diverged_by_time_mean", "common_pairs", "common_absolute", "mean_absolute",
        "mean_diverged", "coverage",
      ].map { "\($0)_\(horizon)" }
    }
    var table = Table(title: "", corner: "recipe", columns: columns)
    for row in rows {
      var line: [Cell] = [
        .integer(row.size), .number(row.noise), .number(row.cut), .integer(row.members),
        .integer(row.diverged),
      ]
      line += cells(row.trainingLoss) + cells(row.validationLoss) + cells(row.weights)
      line += cells(row.connected) + cells(row.relevant) + cells(row.jacobianError)
      for horizon in plan.horizons {
        let found = row.horizons.first { $0.horizon == horizon }
        line += cells(found?.absolute) + cells(found?.squared)
        line += [
          Self.cell(found?.diverged), Self.cell(found?.divergedByTimeMean),
          Self.cell(found?.commonPairs), Self.cell(found?.commonAbsolute),
          Self.cell(found?.ofMean), Self.cell(found?.meanDiverged), Self.cell(found?.coverage),
        ]
      }
      table.rows.append((row.recipe, line))
    }
    return table
  }

  /// Wall times: the one table that differs from run to run.
  public var timings: Table {
    var table = Table(
      title: "", corner: "recipe", columns: ["trajectories", "noise", "seconds_per_member"])
    for row in rows
    where row.cut == results.plan.recipes.first(where: { $0.name == row.recipe })?.cuts.first {
      table.rows.append(
        (row.recipe, [.integer(row.size), .number(row.noise), Self.cell(row.seconds)]))
    }
    return table
  }

  // MARK: For people

  private static func plain(_ value: Double) -> String { value == 0 ? "0" : "\(value)" }

  private func label(_ row: StudyResults.RecipeRow) -> String {
    var label = "\(row.recipe), \(row.size)"
    if plan.noise.count > 1 { label += ", noise \(Self.plain(row.noise))" }
    let cuts = plan.recipes.first { $0.name == row.recipe }?.cuts ?? []
    if cuts.count > 1 { label += ", cut \(Self.plain(row.cut))" }
    return label
  }

  private func table(
    _ title: String, _ columns: [String], _ notes: [String],
    _ cells: (StudyResults.RecipeRow) -> [Cell]
  ) -> Table {
    Table(
      title: title, corner: "recipe, trajectories", columns: columns,
      rows: rows.map { (label($0), cells($0)) }, notes: notes)
  }

  public var summaryTables: [Table] {
    let structure = table(
      "Structure", ["members", "weights", "pairs", "Φ", "low", "high", "F1", "J error"],
      [
        "weights: live, mean of the members; pairs: relevant ones (connected, mean |J| above "
          + "\(plan.threshold)); Φ: agreement of the members on them with its 95 % interval"
          + (results.truth == nil
            ? "."
            : "; F1: their consensus against the plant; J error: median relative error of mean |J| on "
              + "real pairs.")
      ]
    ) { row in
      [
        .integer(row.members - row.diverged), Self.cell(row.weights?.mean),
        Self.cell(row.relevant?.pairs),
        row.relevant?.isUnanimous == true ? .text("all") : Self.cell(row.relevant?.stability),
        Self.cell(row.relevant?.interval?.lowerBound),
        Self.cell(row.relevant?.interval?.upperBound), Self.cell(row.relevant?.score?.f1),
        Self.cell(row.jacobianError?.mean),
      ]
    }
    let forecasts = table(
      "Rolling forecasts: mean error of those that hold, share that diverged",
      plan.horizons.map { "|e| \($0)" } + plan.horizons.map { "% div. \($0)" },
      ["|e|: mean of |forecast − truth|/σ; diverged: mean error of the states above 3 σ."]
    ) { row in
      let found = plan.horizons.map { wanted in row.horizons.first { $0.horizon == wanted } }
      return found.map { Self.cell($0?.absolute?.mean) }
        + found.map { Self.cell($0.map { 100 * $0.diverged }) }
    }
    var tables = [structure, forecasts]
    if plan.recipes.count > 1 {
      tables.append(
        table(
          "The same over the pairs of member and trajectory in which no recipe diverged",
          plan.horizons.map { "|e| \($0)" } + plan.horizons.map { "pairs \($0)" }, []
        ) { row in
          let found = plan.horizons.map { wanted in row.horizons.first { $0.horizon == wanted } }
          return found.map { Self.cell($0?.commonAbsolute) }
            + found.map { Self.cell($0?.commonPairs) }
        })
    }
    return tables.compactMap(\.withoutEmptyColumns)
  }

  public static func words(_ warning: StudyResults.Warning) -> String {
    let noise = warning.noise > 0 ? ", noise \(plain(warning.noise))" : ""
    return
      "\(counted(warning.size, "trajectory"))\(noise) (\(warning.recipes.joined(separator: ", "))): "
      + warning.text
  }

  public var summary: String {
    var text = "# Summary\n\n"
    let what = plan.plant.map { "the plant \($0)" } ?? "data from files"
    let count = rows.reduce(0) { $0 + $1.members }
    text +=
      "\(plan.recipes.count) recipes on \(what); \(plan.sizes.map(String.init).joined(separator: ", ")) "
    text +=
      "training trajectories, \(plan.members) members each. Intervals are 95 % over members.\n\n"
    if count == 0 { return text + "Nothing has been trained yet.\n" }
    text += summaryTables.map(\.markdown).joined(separator: "\n")
    let failed = results.failedMembers
    if !failed.isEmpty {
      text += "\n## Members without a model\n\n"
      for row in failed {
        text += "- \(row.recipe), \(counted(row.size, "trajectory")), member \(row.member): "
        text += "\(row.reason ?? "not trained yet")\n"
      }
    }
    if !results.emptyModels.isEmpty {
      text += "\n## Empty models\n\n"
      for warning in results.emptyModels { text += "- \(Self.words(warning))\n" }
    }
    if !results.warnings.isEmpty {
      text += "\n## Warnings about the data\n\n"
      for warning in results.warnings { text += "- \(Self.words(warning))\n" }
    }
    return text + "\nAll figures: recipes.csv, members.csv. Wall times: timings.csv.\n"
  }
}
