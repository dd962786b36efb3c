import Dynamics
import GraphDrawing
import LinearAlgebra
import Networks

/// Which inputs drive which rates: states and controls on the left, rates of change on the right,
/// an edge for every pair that is selected, its width the relevance, its colour the sign.
public struct DependencyDrawing {
  private let ensemble: Ensemble
  private let relevance: EnsembleRelevance
  private let threshold: Double
  private let title: String

  /// - Parameter threshold: relevance above which a connected pair counts as selected; of an ensemble
  ///   those are drawn that more than half of the members select.
  public init(
    _ ensemble: Ensemble, relevance: EnsembleRelevance, threshold: Double, title: String
  ) {
    self.ensemble = ensemble
    self.relevance = relevance
    self.threshold = threshold
    self.title = title
  }

  public var graph: Graph {
    let mean = relevance.mean
    let signed = relevance.signedMean
    let chosen = Selection(
      chosen: relevance.members.map { $0.meanMagnitude.elements.map { $0 > threshold } })
    let consensus = chosen.consensus
    let frequency = chosen.frequency
    let columns = ensemble.inputs.count

    let rows = Double(max(ensemble.inputs.count, ensemble.outputs.count))
    let height = rows * 30
    let inputs = VariableColumn.spread(
      ensemble.inputs, x: 0, top: height, bottom: 0, isOutput: false)
    let right =
      inputs.width / 2 + 260 + VariableColumn.width(of: ensemble.outputs, isOutput: true) / 2
    let inset = max(0, (height - Double(ensemble.outputs.count) * 44) / 2)
    let outputs = VariableColumn.spread(
      ensemble.outputs, x: right, top: height - inset, bottom: inset, isOutput: true)

    let selected = consensus.indices.filter { consensus[$0] }
    let members = ensemble.members.count
    let counts =
      "\(selected.count) of \(consensus.count) pairs with mean |J| above "
      + "\(DrawingStyle.number(threshold))"
      + (members > 1 ? " in more than half of \(members) members" : "")
    var graph = DrawingStyle.graph("dependencies", description: "\(title): \(counts)")
    let strongest = selected.map { mean.elements[$0] }.max() ?? 0
    for pair in selected.sorted(by: { (mean.elements[$0], $1) < (mean.elements[$1], $0) }) {
      let (row, column) = (pair / columns, pair % columns)
      let sign = signed.elements[pair] < 0 ? -1.0 : 1.0
      var attributes = DrawingStyle.edge(sign * mean.elements[pair], strongest: strongest)
      attributes["id"] = .keyword("\(inputs.nodeID(column))--\(outputs.nodeID(row))")
      attributes["class"] = .keyword(sign < 0 ? "dependency negative" : "dependency positive")
      let share = members > 1 ? ", \(Int((frequency[pair] * 100).rounded())) % of members" : ""
      attributes["tooltip"] = .text(
        "\(ensemble.inputs[column].name) → d/dt \(ensemble.outputs[row].name): mean |J| "
          + "\(DrawingStyle.number(mean.elements[pair])), mean J "
          + "\(DrawingStyle.number(signed.elements[pair]))\(share)")
      graph.add(
        Graph.Edge(
          inputs.nodeID(column), outputs.nodeID(row),
          along: DrawingStyle.curve(from: inputs.port(column), to: outputs.port(row)), attributes))
    }
    let liveInputs = (0..<columns).map { column in selected.contains { $0 % columns == column } }
    let liveOutputs = ensemble.outputs.indices.map { row in
      selected.contains { $0 / columns == row }
    }
    for node in inputs.nodes(live: liveInputs) { graph.add(node) }
    for node in outputs.nodes(live: liveOutputs) + inputs.headings() + outputs.headings() {
      graph.add(node)
    }
    Captions(
      title: title, counts: counts, caption: "", scale: "mean |J|, sign of mean J",
      strongest: strongest,
      left: -inputs.width / 2, right: right + outputs.width / 2, top: height, bottom: 0
    ).add(to: &graph)
    return graph
  }
}
