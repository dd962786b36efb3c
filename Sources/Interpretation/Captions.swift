import GraphDrawing

/// Title and counts above a drawing, scale of the edges and caption below it.
struct Captions {
  var title: String
  var counts: String
  var caption: String
  /// What the edges' width and sign show.
  var scale: String
  /// The value of the widest edge.
  var strongest: Double
  var left: Double
  var right: Double
  var top: Double
  var bottom: Double

  func add(to graph: inout Graph) {
    let middle = (left + right) / 2
    let width = right - left
    graph.add(
      DrawingStyle.text(
        "title", VariableColumn.shortened(title, max(width, 440), size: 14, bold: true),
        at: Point(middle, top + 58), width: max(width, 440), size: 14, bold: true))
    graph.add(
      DrawingStyle.text(
        "counts", counts, at: Point(middle, top + 38),
        width: max(width, VariableColumn.estimatedWidth(counts)), size: 10,
        colour: DrawingStyle.faint))
    if strongest > 0 { addScale(to: &graph, middle: middle, y: bottom - 40) }
    if !caption.isEmpty {
      graph.add(
        DrawingStyle.text(
          "caption", caption, at: Point(middle, bottom - 62),
          width: max(width, VariableColumn.estimatedWidth(caption) * 0.9), size: 9,
          colour: DrawingStyle.faint))
    }
  }

  /// Sample edges of both signs, at full and at a quarter of the strength.
  private func addScale(to graph: inout Graph, middle: Double, y: Double) {
    let full = DrawingStyle.number(strongest)
    let quarter = DrawingStyle.number(strongest / 4)
    let entries = [
      ("+\(full)", strongest), ("+\(quarter)", strongest / 4), ("−\(quarter)", -strongest / 4),
      ("−\(full)", -strongest),
    ]
    let step = 90.0
    let titleWidth = VariableColumn.estimatedWidth(scale) * 0.9 + 8
    let start = middle - step * 2 + titleWidth / 2
    graph.add(
      DrawingStyle.text(
        "legend-title", scale, at: Point(start - titleWidth / 2 - 8, y), width: titleWidth, size: 9,
        colour: DrawingStyle.faint))
    for (index, entry) in entries.enumerated() {
      let x = start + step * Double(index)
      let ends = [Point(x, y), Point(x + 34, y)]
      for (number, end) in ends.enumerated() {
        graph.add(
          Graph.Node(
            "legend-\(index)-\(number)", at: end, size: (0.01, 0.01),
            ["shape": "point", "style": "invis", "class": "legend"]))
      }
      var attributes = DrawingStyle.edge(entry.1, strongest: strongest)
      attributes["class"] = "legend"
      graph.add(
        Graph.Edge(
          "legend-\(index)-0", "legend-\(index)-1",
          along: DrawingStyle.curve(from: ends[0], to: ends[1]), attributes))
      graph.add(
        DrawingStyle.text(
          "legend-\(index)", entry.0, at: Point(x + 56, y), width: 44, size: 9,
          colour: DrawingStyle.faint))
    }
  }
}
