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

  /// Of drawings of pairs, what the caption says where edges have no labels.
  var captionWithoutLabels = ""

  private static let lineLength = 30.0
  private static let rowStep = 16.0

  /// Adds the captions around the present bounds of the graph.
  ///
  /// - Parameter detail: whose room breaks lines where there is some.
  func add(to graph: inout Graph, _ detail: Detail = .full) {
    if let room = detail.room {
      // Lines longer than the drawing would make it small.
      let least = min(room, 480)
      return addLines(to: &graph, room: max(least, graph.bounds?.width ?? 0), detail.isNarrow)
    }
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

  /// The captions broken into lines no longer than there is room.
  private func addLines(to graph: inout Graph, room: Double, _ isNarrow: Bool) {
    let body = graph.bounds ?? Graph.Frame(centre: Point(0, 0), width: 0, height: 0)
    let middle = body.centre.x
    var number = 0
    func add(_ name: String, _ text: String, size: Double, colour: String, bold: Bool, _ y: Double)
    {
      let width = VariableColumn.estimatedWidth(text) * size / 10 * (bold ? 1.1 : 1)
      graph.add(
        DrawingStyle.text(
          "\(name)-\(number)", text, at: Point(middle, y), width: width, size: size, colour: colour,
          bold: bold))
      number += 1
    }
    let small = isNarrow ? 8.0 : 9
    let above =
      Self.lines(title, room, size: isNarrow ? 11 : 14, bold: true).map { ($0, true) }
      + Self.lines(counts, room, size: small).map { ($0, false) }
    var y = body.top + 10
    for (line, isTitle) in above.reversed() {
      let size = isTitle ? (isNarrow ? 11.0 : 14) : small
      add(
        isTitle ? "title" : "counts", line, size: size,
        colour: isTitle ? DrawingStyle.ink : DrawingStyle.faint, bold: isTitle, y + 0.7 * size)
      y += 1.45 * size
    }
    y = body.bottom - 20
    var shown = self
    shown.legend = legend.map { $0.flatMap { Self.pieces($0, room) } }
    for row in shown.legendRows(room) {
      shown.addLegend(row, to: &graph, middle: middle, y: y)
      y -= 14
    }
    for line in Self.lines(caption, room, size: small) {
      add("caption", line, size: small, colour: DrawingStyle.faint, bold: false, y)
      y -= 1.4 * small
    }
  }

  /// A text broken between words.
  static func lines(_ text: String, _ room: Double, size: Double, bold: Bool = false) -> [String] {
    let scale = size / 10 * (bold ? 1.1 : 1)
    var lines: [String] = []
    for word in text.split(separator: " ") {
      let longer = (lines.last.map { $0 + " " } ?? "") + word
      if !lines.isEmpty, VariableColumn.estimatedWidth(longer) * scale <= room {
        lines[lines.count - 1] = longer
      } else {
        lines.append(VariableColumn.shortened(String(word), room, size: size, bold: bold))
      }
    }
    return lines
  }

  /// A sample of a legend whose text is longer than a line, as several.
  private static func pieces(_ sample: Sample, _ room: Double) -> [Sample] {
    guard width(sample) > room else { return [sample] }
    let used = width(sample) - VariableColumn.estimatedWidth(sample.text) * 0.9
    return lines(sample.text, room - used, size: 9).enumerated().map { place, line in
      place == 0
        ? Sample(mark: sample.mark, text: line, attributes: sample.attributes)
        : Sample(mark: .none, text: line)
    }
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
    [Captions.Sample(mark: .none, text: name)]
      + [("+1", 1.0), ("+¼", 0.25), ("−¼", -0.25), ("−1", -1)].map {
        Captions.Sample(
          mark: .line, text: $0.0, attributes: DrawingStyle.edge($0.1, strongest: 1))
      }
  }

  /// The legend of how far units are filled.
  static var activity: [Captions.Sample] {
    [
      Captions.Sample(
        mark: .none, text: "units, filled by the share of samples at which their slope is above 0.1"
      )
    ]
      + [("none", 0.0), ("a third", 1.0 / 3), ("all", 1.0)].map {
        Captions.Sample(
          mark: .unit, text: $0.0, attributes: DrawingStyle.unit(activeShare: $0.1))
      }
  }
}
