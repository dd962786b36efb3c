import Dynamics
import GraphDrawing
import Networks

/// Every output with the groups of inputs that act together on it: the output is the sum of functions of the groups.
public struct GroupDrawing {
  /// Inputs that act together, by number.
  public struct Group {
    public var inputs: [Int]
    /// Standard deviation of the group's own function over data, in deviations of the output.
    public var strength: Double

    public init(inputs: [Int], strength: Double) {
      self.inputs = inputs
      self.strength = strength
    }
  }

  private let ensemble: Ensemble
  private let groups: [[Group]]
  private let captions: Captions
  private let boxWidth: Double
  private let size = DrawingSize.panel

  /// Inputs beside each other in a group.
  private static let perLine = 4
  private static let margin = 6.0
  private static let gap = (box: 6.0, group: 8.0, output: 26.0)
  /// From the groups to their output.
  private static let way = 110.0

  /// - Parameters:
  ///   - ensemble: whose inputs and outputs are drawn.
  ///   - groups: of every output; those without strength are left out.
  ///   - title: above the drawing.
  public init(_ ensemble: Ensemble, groups: [[Group]], title: String) {
    self.ensemble = ensemble
    self.groups = groups.map { $0.filter { $0.strength > 0 } }
    boxWidth = VariableColumn.width(of: ensemble.inputs, isOutput: false, size: size)
    var captions = Captions(
      title: title,
      counts: "each output is a sum of functions of its frames: inputs in a frame act together")
    captions.caption =
      "width and number: standard deviation of the frame's function over the data, in deviations of the output"
    self.captions = captions
  }

  public var graph: Graph {
    var graph = DrawingStyle.graph("interactions", title: captions.title, summary: captions.counts)
    let strongest = groups.joined().map(\.strength).max() ?? 0
    var top = 0.0
    for output in groups.indices where !groups[output].isEmpty {
      let height = groups[output].reduce(-Self.gap.group) { $0 + frameHeight($1) + Self.gap.group }
      let end = add(output, to: &graph, middle: top - height / 2)
      for (number, group) in groups[output].enumerated() {
        let frame = addFrame("\(output)-\(number)", group, to: &graph, top: top)
        addEdge(from: frame, to: end, group.strength, strongest, output, number, &graph)
        top -= frame.height + Self.gap.group
      }
      top -= Self.gap.output - Self.gap.group
    }
    captions.add(to: &graph)
    return graph
  }

  private func lines(_ group: Group) -> Int {
    (group.inputs.count + Self.perLine - 1) / Self.perLine
  }

  private func frameHeight(_ group: Group) -> Double {
    Double(lines(group)) * (size.boxHeight + Self.gap.box) - Self.gap.box + 2 * Self.margin
  }

  /// The box of an output; returns where edges arrive.
  private func add(_ output: Int, to graph: inout Graph, middle: Double) -> Point {
    let width = VariableColumn.width(of: ensemble.outputs, isOutput: true, size: size)
    let column = VariableColumn(
      variables: [ensemble.outputs[output]], numbers: [output],
      centres: [Point(Self.way + width / 2, middle)], width: width, isOutput: true, size: size)
    for node in column.nodes(live: ensemble.outputs.map { _ in true }) { graph.add(node) }
    return column.port(output)
  }

  /// The boxes of a group in a frame whose right side is at zero.
  private func addFrame(_ name: String, _ group: Group, to graph: inout Graph, top: Double)
    -> Graph.Frame
  {
    let across = min(group.inputs.count, Self.perLine)
    let step = (x: boxWidth + Self.gap.box, y: size.boxHeight + Self.gap.box)
    let width = Double(across) * step.x - Self.gap.box + 2 * Self.margin
    let height = frameHeight(group)
    let frame = Graph.Frame(
      centre: Point(-width / 2, top - height / 2), width: width, height: height)
    graph.add(
      Graph.Node(
        "group-\(name)", at: frame.centre, size: (width, height),
        [
          "shape": "box", "style": "rounded", "color": .keyword(DrawingStyle.faint),
          "penwidth": 0.8, "class": "group",
          "tooltip": .text(
            group.inputs.map { ensemble.inputs[$0].name }.joined(separator: ", ")
              + ": \(DrawingStyle.number(group.strength)) deviations"),
        ]))
    let centres = group.inputs.indices.map { place in
      Point(
        frame.left + Self.margin + boxWidth / 2 + Double(place % Self.perLine) * step.x,
        top - Self.margin - size.boxHeight / 2 - Double(place / Self.perLine) * step.y)
    }
    let boxes = VariableColumn(
      variables: group.inputs.map { ensemble.inputs[$0] }, numbers: group.inputs,
      centres: centres, width: boxWidth, isOutput: false, size: size, prefix: "group-\(name)-")
    for node in boxes.nodes(live: ensemble.inputs.map { _ in true }) { graph.add(node) }
    return frame
  }

  private func addEdge(
    from frame: Graph.Frame, to end: Point, _ strength: Double, _ strongest: Double, _ output: Int,
    _ number: Int, _ graph: inout Graph
  ) {
    let start = Point(frame.right, frame.centre.y)
    var style = DrawingStyle.edge(strength, strongest: strongest)
    style["class"] = "group"
    style["color"] = .keyword(DrawingStyle.ink + DrawingStyle.opacity(strength / strongest))
    graph.add(
      Graph.Edge(
        "group-\(output)-\(number)", "output-\(output)",
        along: DrawingStyle.curve(from: start, to: end), style))
    // On the side from which the line bends away.
    let offset = end.y > start.y ? -7.0 : 7.0
    graph.add(
      DrawingStyle.text(
        "strength-\(output)-\(number)", DrawingStyle.number(strength, digits: 2),
        at: Point(start.x + 20, start.y + offset), width: 36, size: 8, colour: DrawingStyle.faint))
  }
}
