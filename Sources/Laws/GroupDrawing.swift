import Dynamics
import GraphDrawing
import Networks
import Reporting

extension InteractionReport {
  /// A picture: every output with the groups of inputs that act together on it, the stronger the wider the line.
  ///
  /// - Parameter ensemble: that the report is of.
  public func drawing(_ ensemble: Ensemble) -> Graph {
    var graph = Graph(
      name: "interactions",
      attributes: [
        "rankdir": "LR", "nodesep": 0.12, "ranksep": 1.2, "bgcolor": "white",
        "fontname": .text("Helvetica"),
      ])
    graph.title = "\(ensemble.name): inputs that act together"
    graph.summary = "Every output as a sum of functions of groups of inputs."
    let most = parts.flatMap(\.parts).map(\.strength).max() ?? 1
    for part in parts {
      let output = "output-\(part.output)"
      graph.nodes.append(
        Graph.Node(
          output,
          [
            "label": .text(ensemble.members[0].label(ofOutput: part.output)), "shape": "box",
            "style": "rounded,filled", "fillcolor": "#DDF3EA", "color": "#00785A",
            "fontname": .text("Helvetica"), "class": "output",
          ]))
      for (place, group) in part.parts.enumerated() where group.strength > 0 {
        let id = "group-\(part.output)-\(place)"
        let names = group.inputs.map { ensemble.inputs[$0].name }.joined(separator: "  ×  ")
        graph.nodes.append(
          Graph.Node(
            id,
            [
              "label": .text(names), "shape": "box", "style": "rounded,filled",
              "fillcolor": group.inputs.count > 1 ? "#DCEBF7" : "#F4F4F4", "color": "#2B6CA3",
              "fontname": .text("Helvetica"), "class": "group",
            ]))
        graph.edges.append(
          Graph.Edge(
            id, output,
            [
              "penwidth": .number(0.5 + 3.5 * group.strength / most), "color": "#444444",
              "arrowsize": 0.6, "label": .text(Cell.number(group.strength).short),
              "fontsize": 9.0, "fontname": .text("Helvetica"),
            ]))
      }
    }
    return graph
  }
}
