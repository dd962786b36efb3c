/// The tools by name, with what each does in a line, in the order in which they are used.
public enum ToolCatalogue {
  public static let tools: [(name: String, does: String)] = [
    ("simulate", "Simulates trajectories of a plant under an excitation."),
    ("data", "Looks at tables as they come, says what is in them, and makes trajectories of them."),
    ("train", "Trains an ensemble of sparse or dense networks from trajectories."),
    ("paths", "Lists the input-output paths that survive in a model."),
    ("sensitivity", "Exact Jacobians of a model, and the input-relevance table."),
    (
      "agreement",
      "How far the members of ensembles agree in structure, with each other and with a plant."
    ),
    (
      "laws",
      "Which inputs act together, formulas in physical units, and what is conserved."
    ),
    ("certify", "Proves what a model does at every point of a box: signs, bounds, differences."),
    ("draw", "Draws pruned networks and what ensembles of them say."),
    ("forecast", "Rolling forecasts: how far models stay on the track, and for how long."),
    ("study", "Carries out whole studies from a plan: simulate, train, judge, report."),
  ]

  /// The list, as `filigree` prints it.
  public static var list: String {
    let width = tools.map(\.name.count).max() ?? 0
    return tools.map { name, does in
      "  \(name)\(String(repeating: " ", count: width - name.count + 2))\(does)"
    }.joined(separator: "\n")
  }
}
