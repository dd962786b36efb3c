import GraphDrawing

/// Title and counts above a drawing; legend and caption below it.
struct Captions {
  /// A line or a unit as the drawing shows it, with its meaning.
  struct Sample {
    enum Mark { case line, unit, none }

    var mark: Mark
    var text: String
    var attributes: Attributes = [:]
  }

  var title: String
  var counts: String
  /// Samples that belong together stay in one row where there is room.
  var legend: [[Sample]] = []
  var caption = ""

  private static let lineLength = 30.0
  private static let rowStep = 16.0

  /// Adds the captions around the present bounds of the graph.
  func add(to graph: inout Graph) {
    let body = graph.bounds ?? Graph.Frame(centre: Point(0, 0), width: 0, height: 0)
    let middle = body.centre.x
    let widest = legend.map { $0.reduce(0) { $0 + Self.width($1) } }.max() ?? 0
    let room = max(body.width, 480, min(widest, 680))
    graph.add(
      DrawingStyle.text(
        "title", VariableColumn.shortened(title, room, size: 14, bold: true),
        at: Point(middle, body.top + 46), width: room, size: 14, bold: true))
    graph.add(
      DrawingStyle.text(
        "counts", counts, at: Point(middle, body.top + 26),
        width: max(room, VariableColumn.estimatedWidth(counts)), size: 10,
        colour: DrawingStyle.faint))
    let rows = legendRows(room)
    var y = body.bottom - 28
    for row in rows {
      addLegend(row, to: &graph, middle: middle, y: y)
      y -= Self.rowStep
    }
    guard !caption.isEmpty else { return }
    graph.add(
      DrawingStyle.text(
        "caption", caption, at: Point(middle, y - 4),
        width: max(room, VariableColumn.estimatedWidth(caption) * 0.9), size: 9,
        colour: DrawingStyle.faint))
  }

  // MARK: Legend

  private static func width(_ sample: Sample) -> Double {
    let text = VariableColumn.estimatedWidth(sample.text) * 0.9 + 18
    return switch sample.mark {
    case .line: text + lineLength + 4
    case .unit: text + 12
    case .none: text
    }
  }

  /// The legend, broken into as many rows as it needs.
  private func legendRows(_ room: Double) -> [[(number: Int, sample: Sample)]] {
    var rows: [[(number: Int, sample: Sample)]] = []
    var used = Double.infinity
    var number = 0
    for group in legend {
      let whole = group.reduce(0) { $0 + Self.width($1) }
      if used + min(whole, room) > room { used = .infinity }
      for sample in group {
        let width = Self.width(sample)
        if used + width > room {
          rows.append([])
          used = 0
        }
        rows[rows.count - 1].append((number, sample))
        used += width
        number += 1
      }
    }
    return rows
  }

  private func addLegend(
    _ row: [(number: Int, sample: Sample)], to graph: inout Graph, middle: Double, y: Double
  ) {
    var x = middle - row.reduce(0) { $0 + Self.width($1.sample) } / 2
    for (number, sample) in row {
      let width = Self.width(sample)
      var begin = x
      switch sample.mark {
      case .line:
        addLine(number, sample, to: &graph, from: Point(begin, y))
        begin += Self.lineLength + 4
      case .unit:
        var attributes = sample.attributes
        attributes["class"] = "legend"
        graph.add(
          Graph.Node("legend-\(number)-unit", at: Point(begin + 5, y), size: (9, 9), attributes))
        begin += 12
      case .none: break
      }
      let textWidth = x + width - 12 - begin
      graph.add(
        DrawingStyle.text(
          "legend-\(number)", sample.text, at: Point(begin + textWidth / 2, y), width: textWidth,
          size: 9, colour: DrawingStyle.faint))
      x += width
    }
  }

  private func addLine(_ number: Int, _ sample: Sample, to graph: inout Graph, from start: Point) {
    let ends = [start, Point(start.x + Self.lineLength, start.y)]
    for (end, point) in ends.enumerated() {
      graph.add(
        Graph.Node(
          "legend-\(number)-\(end)", at: point, size: (0.01, 0.01),
          ["shape": "point", "style": "invis", "class": "legend"]))
    }
    var attributes = sample.attributes
    attributes["class"] = "legend"
    graph.add(
      Graph.Edge(
        "legend-\(number)-0", "legend-\(number)-1",
        along: DrawingStyle.curve(from: ends[0], to: ends[1]), attributes))
  }
}

extension [Captions.Sample] {
  /// Both signs, at full and at a quarter of the strength.
  static func scale(_ name: String, strongest: Double) -> [Captions.Sample] {
    guard strongest > 0 else { return [] }
    let strengths = [strongest, strongest / 4, -strongest / 4, -strongest]
    return [Captions.Sample(mark: .none, text: name)]
      + strengths.map {
        Captions.Sample(
          mark: .line, text: ($0 < 0 ? "−" : "+") + DrawingStyle.number(abs($0)),
          attributes: DrawingStyle.edge($0, strongest: strongest))
      }
  }

  /// The legend of widths where several panels have their own scales.
  static func relativeScale(_ name: String) -> [Captions.Sample] {
    [Captions.Sample(mark: .none, text: "weights, relative to the \(name)")]
      + [("+1", 1.0), ("+¼", 0.25), ("−¼", -0.25), ("−1", -1)].map {
        Captions.Sample(
          mark: .line, text: $0.0, attributes: DrawingStyle.edge($0.1, strongest: 1))
      }
  }

  /// The legend of how far units are filled.
  static var activity: [Captions.Sample] {
    [
      Captions.Sample(
        mark: .none, text: "units, filled by share of samples at which they are active")
    ]
      + [("never", 0.0), ("a third", 1.0 / 3), ("always", 1.0)].map {
        Captions.Sample(
          mark: .unit, text: $0.0, attributes: DrawingStyle.unit(activeShare: $0.1))
      }
  }
}
