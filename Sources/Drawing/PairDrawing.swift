import Dynamics
import GraphDrawing
import Structure

/// Pairs of input and rate as a graph: states and controls on the left and rates of change on the right, or the
/// states on a circle, where an edge shows what drives what.
public struct PairDrawing {
  public enum Layout: Sendable {
    case columns, circle
    /// Graphviz's `dot` places nodes and edges.
    case dot
  }

  var inputs: [Variable]
  var outputs: [Variable]
  var links: [PairLink]
  var captions: Captions
  /// How much of each rate is explained; nil where that is not known.
  var explained: ExplainedShares?

  /// With more labels than this, only the strongest links are labelled.
  static let mostLabels = 60

  /// - Parameters:
  ///   - layout: where boxes stand.
  ///   - detail: how much is shown where the drawing is made for a width.
  public func graph(_ layout: Layout, _ detail: Detail = .full) -> Graph {
    var graph = DrawingStyle.graph(
      "dependencies", title: captions.title, summary: captions.counts)
    var captions = captions
    let links = shown(detail, &captions)
    let unlabelled = links.count { $0.label != nil } - Self.mostLabels
    if unlabelled > 0 {
      let note = "the \(Self.mostLabels) strongest are labelled"
      captions.caption += captions.caption.isEmpty ? note : " · \(note)"
    }
    switch layout {
    case .columns: addColumns(links, isDecorated: true, detail, to: &graph)
    case .circle: addCircle(links, detail, to: &graph)
    case .dot:
      addColumns(links, isDecorated: false, detail, to: &graph)
      // Without labels there is nothing to say of them.
      captions.caption = ""
      return graph.placedByGraphviz(captions)
    }
    captions.add(to: &graph, detail)
    return graph
  }

  /// Boxes and edges in columns, without title and legend.
  var columnsAlone: Graph {
    var graph = Graph(name: "pairs")
    var captions = captions
    addColumns(shown(.full, &captions), isDecorated: true, .full, to: &graph)
    return graph
  }

  /// The links that are drawn, the weakest first, with the labels that are shown.
  private func shown(_ detail: Detail, _ captions: inout Captions) -> [PairLink] {
    var links = links.sorted {
      if $0.isOnTop != $1.isOnTop { return $1.isOnTop }
      return ($0.strength, $1.output, $1.input) < ($1.strength, $0.output, $0.input)
    }
    if let most = detail.mostPairs, links.count > most {
      captions.counts += "; the \(most) strongest of \(links.count) are drawn"
      links.removeFirst(links.count - most)
    }
    guard !detail.showsLabels else { return links }
    for index in links.indices { links[index].label = nil }
    // What was said of labels is void.
    captions.caption = captions.captionWithoutLabels
    return links
  }

  // MARK: Columns

  /// - Parameter isDecorated: whether there are labels and headings.
  private func addColumns(
    _ links: [PairLink], isDecorated: Bool, _ detail: Detail, to graph: inout Graph
  ) {
    let size = detail.isNarrow ? DrawingSize.column : .full
    let least = [inputs, outputs].enumerated().map {
      VariableColumn.leastHeight($1, isOutput: $0 == 1, size: size)
    }
    let height = least.max() ?? 0
    let left = VariableColumn.spread(
      inputs, x: 0, top: height, bottom: 0, isOutput: false, size: size)
    let gap = detail.isNarrow ? 90.0 : links.contains { $0.label != nil } ? 250 : 200
    let right =
      left.width / 2 + gap + VariableColumn.width(of: outputs, isOutput: true, size: size) / 2
    let inset = max(0, (height - 1.5 * least[1]) / 2)
    var columns = (
      left,
      VariableColumn.spread(
        outputs, x: right, top: height - inset, bottom: inset, isOutput: true, size: size)
    )
    columns.1.remarks = explainedRemarks
    let curves = Self.fanned(links, columns)
    addEdges(links, curves.map { ($0, nil) }, columns, to: &graph)
    if isDecorated { addLabels(links, curves, columns, to: &graph) }
    graph.nodes += columns.0.nodes(
      live: inputs.indices.map { i in links.contains { $0.input == i } })
    graph.nodes += columns.1.nodes(
      live: outputs.indices.map { o in links.contains { $0.output == o } })
    guard isDecorated else { return }
    graph.nodes += columns.0.headings() + columns.1.headings()
    graph.nodes += explainedTexts(beside: columns.1)
  }

  /// The curves of the links, those at one box a little apart, in the order of their other ends.
  private static func fanned(_ links: [PairLink], _ columns: (VariableColumn, VariableColumn))
    -> [[Point]]
  {
    let room = columns.0.size.boxHeight - 8
    func offsets(_ box: KeyPath<PairLink, Int>, _ other: (PairLink) -> Double) -> [Double] {
      var result = [Double](repeating: 0, count: links.count)
      for (_, members) in Dictionary(grouping: links.indices, by: { links[$0][keyPath: box] }) {
        let order = members.sorted {
          let (a, b) = (other(links[$0]), other(links[$1]))
          return a != b ? a > b : $0 < $1
        }
        let step = order.count > 1 ? min(2.5, room / Double(order.count - 1)) : 0
        for (rank, link) in order.enumerated() {
          result[link] = step * (Double(order.count - 1) / 2 - Double(rank))
        }
      }
      return result
    }
    let leaving = offsets(\.input) { columns.1.port($0.output).y }
    let arriving = offsets(\.output) { columns.0.port($0.input).y }
    return links.indices.map { index in
      var (start, end) = (columns.0.port(links[index].input), columns.1.port(links[index].output))
      start.y += leaving[index]
      end.y += arriving[index]
      return DrawingStyle.curve(from: start, to: end)
    }
  }

  // MARK: Circle

  private func addCircle(_ links: [PairLink], _ detail: Detail, to graph: inout Graph) {
    let circle = CirclePlaces(
      inputs: inputs, outputs: outputs, links: links, size: detail.isNarrow ? .column : .full)
    var boxes = circle.boxes
    for (output, remark) in explainedRemarks { boxes.remarks[circle.nodeOfOutput(output)] = remark }
    let curves = circle.curves(of: links)
    addEdges(links, curves.map { ($0.curve, $0.tip) }, (circle.boxes, circle.boxes), to: &graph) {
      circle.nodeOfOutput($0.output)
    }
    addLabels(links, curves.map(\.curve), (circle.boxes, circle.boxes), to: &graph)
    let touched = Set(links.flatMap { [$0.input, circle.nodeOfOutput($0.output)] })
    graph.nodes += boxes.nodes(live: boxes.variables.indices.map(touched.contains))
  }

  // MARK: Edges

  /// - Parameter target: the number of the box that a link leads to; that of its output by default.
  private func addEdges(
    _ links: [PairLink], _ curves: [(curve: [Point], tip: Point?)],
    _ columns: (VariableColumn, VariableColumn), to graph: inout Graph,
    target: (PairLink) -> Int = { $0.output }
  ) {
    for (link, path) in zip(links, curves) {
      var attributes = link.attributes
      attributes["id"] = .keyword("input-\(link.input)--output-\(link.output)")
      attributes["tooltip"] = .text(link.tooltip)
      attributes["arrowhead"] = path.tip == nil ? "none" : link.isHollow ? "onormal" : "normal"
      attributes["arrowsize"] = path.tip == nil ? nil : 0.5
      var edge = Graph.Edge(
        columns.0.nodeID(link.input), columns.1.nodeID(target(link)), along: path.curve,
        tip: path.tip, attributes)
      edge.data = link.data
      graph.add(edge)
    }
  }

  private func addLabels(
    _ links: [PairLink], _ curves: [[Point]], _ columns: (VariableColumn, VariableColumn),
    to graph: inout Graph
  ) {
    let labelled = links.indices.filter { links[$0].label != nil }
      .sorted { (links[$0].strength, $0) < (links[$1].strength, $1) }.suffix(Self.mostLabels)
    let size = 7.0
    let boxes = [columns.0, columns.1].flatMap { column in
      column.centres.map {
        Graph.Frame(centre: $0, width: column.width, height: column.size.boxHeight)
      }
    }
    let widths = labelled.map {
      VariableColumn.estimatedWidth(links[$0].label ?? "") * size / 10 + 2
    }
    let places = LabelPlacement.places(
      labelled.map { $0 }, along: curves, widths: widths, height: size + 1, clearOf: boxes)
    for (link, (place, width)) in zip(labelled, zip(places, widths)) {
      var colour: AttributeValue = .keyword(DrawingStyle.ink)
      // The line's colour without its opacity.
      if case .keyword(let line)? = links[link].attributes["color"] {
        colour = .keyword(
          line == PairDrawing.Side.faintLine ? DrawingStyle.faint : String(line.prefix(7)))
      }
      graph.add(
        Graph.Node(
          "label-\(links[link].input)-\(links[link].output)", label: links[link].label ?? "",
          at: place, size: (width, size + 1),
          [
            "shape": "plaintext", "fontsize": .number(size), "fontcolor": colour,
            "fontname": .keyword(DrawingStyle.font), "class": "label", "style": "filled",
            "fillcolor": "#FFFFFFD0", "tooltip": .text(links[link].tooltip),
          ]))
    }
  }
}
