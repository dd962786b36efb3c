import Dynamics
import Foundation
import Networks
import Structure

/// The words of a network drawing: tooltips and captions.
struct NetworkDescription {
  let model: Model
  /// The variables, units and weights gathered into each node and edge of the model; nil if nothing was gathered.
  var groups: CoarseModel.Groups?

  init(_ model: Model, groups: CoarseModel.Groups? = nil) {
    self.model = model
    self.groups = groups
  }

  /// - Parameters:
  ///   - effect: over data; nil without.
  ///   - sum: of how many paths it is the sum; nil for a weight.
  func edge(
    _ source: PathNode, _ target: PathNode, _ weight: Double, effect: Double? = nil,
    sum: String? = nil
  ) -> String {
    let ends = "\(model.name(of: source)) → \(model.name(of: target))"
    if let effect {
      let size = "effect \(DrawingStyle.number(effect))"
      return sum.map { "\(ends): \(size), the sum of \($0) paths that cancel" }
        ?? "\(ends): \(size), weight \(DrawingStyle.number(weight))"
    }
    guard let groups else { return "\(ends): weight \(DrawingStyle.number(weight))" }
    let count = groups.weights[.init(source: source, target: target)] ?? 0
    return "\(ends): \(count) weights, root of the sum of their squares "
      + "\(DrawingStyle.number(abs(weight))), their sum \(weight < 0 ? "negative" : "positive")"
  }

  func unit(_ node: PathNode, activeShare: Double?) -> String {
    if let groups { return "\(model.name(of: node)): \(groups.units[node] ?? 0) units" }
    guard let activeShare else { return model.name(of: node) }
    let share =
      activeShare <= 0
      ? "never active" : "active at \(Self.percent(activeShare)) of the samples"
    return "\(model.name(of: node)): \(share)"
  }

  private static func percent(_ share: Double) -> String {
    share < 0.01 ? "less than 1 %" : String(format: "%.0f %%", 100 * share)
  }

  /// How the model was trained, in a line; empty where that is unknown.
  static func recipe(_ recipe: [String: String]) -> String {
    guard let towers = recipe["towers"] else { return "" }
    var parts = ["towers \(towers)"]
    if let hidden = recipe["hidden"] { parts.append("hidden \(hidden)") }
    if let activation = recipe["activation"] { parts.append(activation) }
    if recipe["skip"] == "true" { parts.append("linear skip") }
    if let sparsifier = recipe["sparsifier"] {
      parts.append(
        sparsifier == "none" ? "dense" : "\(sparsifier), λ = \(recipe["strength"] ?? "")")
    }
    return parts.joined(separator: " · ")
  }

  /// What numbers beside inputs are, and what was folded away.
  ///
  /// - Parameters:
  ///   - acting: what is drawn.
  ///   - sums: how many lines stand for paths that cancel.
  ///   - hasNumbers: whether inputs have numbers, as they do beside one output.
  static func effects(_ acting: ActingNetwork, sums: Int, hasNumbers: Bool) -> [[Captions.Sample]] {
    var texts =
      hasNumbers ? ["numbers: mean effect of the input by all paths, ± where its sign varies"] : []
    if sums > 0 { texts.append("paths that cancel: one line, their sum") }
    let folded = [
      (acting.lines.count, "as lines"), (acting.idle.count, "as they never act"),
    ].filter { $0.0 > 0 }.map { "\($0.0) units folded \($0.1)" }
    if !folded.isEmpty {
      let change = String(format: "%.2g %%", 100 * acting.deviation)
      texts.append(folded.joined(separator: ", ") + ": no rate changes by more than \(change)")
    }
    return texts.map { [Captions.Sample(mark: .none, text: $0)] }
  }

  /// What is left of the model.
  static func counts(_ structure: LiveStructure, of model: Model) -> String {
    let paths = PathAnalysis(structure.network)
    func grouped(_ count: Int) -> String { DrawingStyle.grouped(UInt64(count)) }
    return "\(grouped(structure.network.survivingWeightCount)) of "
      + "\(grouped(model.network.weightCount)) weights, "
      + "\(grouped(structure.liveNeuronCount)) of \(grouped(structure.neuronCount)) hidden units, "
      + "\(paths.totalCount.map(DrawingStyle.grouped) ?? "more than 2⁶⁴") paths, "
      + "\(grouped(paths.connectedPairs)) of "
      + "\(grouped(model.inputs.count * model.outputs.count)) pairs"
  }
}
