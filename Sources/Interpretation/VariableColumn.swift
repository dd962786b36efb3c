import Dynamics
import GraphDrawing

/// A column of named boxes: inputs on the left or rates on the right of a drawing.
struct VariableColumn {
  static let boxHeight = 20.0

  let variables: [Variable]
  /// Centres, from the top down.
  let centres: [Point]
  let width: Double
  let isOutput: Bool

  /// Room for the longest label; names beyond it are shortened in the box and whole in the tooltip.
  static func width(of variables: [Variable], isOutput: Bool) -> Double {
    let longest = variables.map { estimatedWidth(label($0, isOutput: isOutput)) }.max() ?? 0
    return min(190, max(64, longest + 16))
  }

  /// Evenly spaced from `top` to `bottom`, with a wider gap where states end and controls begin.
  static func spread(
    _ variables: [Variable], x: Double, top: Double, bottom: Double, isOutput: Bool
  ) -> VariableColumn {
    let gap = isOutput ? 0.0 : 0.9
    var places: [Double] = []
    var place = 0.0
    for (index, variable) in variables.enumerated() {
      if index > 0 {
        place += 1
        if variable.role != variables[index - 1].role { place += gap }
      }
      places.append(place)
    }
    let step = place > 0 ? (top - bottom) / place : 0
    let middle = (top + bottom) / 2
    return VariableColumn(
      variables: variables,
      centres: places.map { Point(x, place > 0 ? top - $0 * step : middle) },
      width: width(of: variables, isOutput: isOutput), isOutput: isOutput)
  }

  func nodeID(_ index: Int) -> String { (isOutput ? "output-" : "input-") + String(index) }
  /// Where edges leave or arrive.
  func port(_ index: Int) -> Point {
    Point(centres[index].x + (isOutput ? -width / 2 : width / 2), centres[index].y)
  }

  /// - Parameter inFocus: what does not fade.
  func nodes(live: [Bool], inFocus: [Bool]? = nil) -> [Graph.Node] {
    variables.indices.map { index in
      let variable = variables[index]
      let isFaded = inFocus.map { !$0[index] } ?? false
      let colours =
        isFaded
        ? DrawingStyle.fadedColours
        : isOutput ? DrawingStyle.outputColours : DrawingStyle.colours(variable.role)
      let isLive = live[index]
      let kind = isOutput ? "output" : variable.role == .state ? "input state" : "input control"
      return Graph.Node(
        nodeID(index), label: Self.shortened(Self.label(variable, isOutput: isOutput), width - 12),
        at: centres[index], size: (width, Self.boxHeight),
        [
          "shape": "box", "style": .keyword(isLive ? "filled,rounded" : "filled,rounded,dashed"),
          "fillcolor": .keyword(isLive ? colours.fill : "#FFFFFF"),
          "color": .keyword(isLive ? colours.line : "#AAAAAA"),
          "fontcolor": .keyword(
            isFaded ? "#BBBBBB" : isLive ? DrawingStyle.ink : DrawingStyle.faint),
          "fontname": .keyword(DrawingStyle.font), "fontsize": 10.0, "penwidth": 1.0,
          "id": .keyword(nodeID(index)),
          "class":
            .keyword(kind + (isLive ? "" : " dead") + (isFaded ? " faded" : "")),
          "tooltip": .text(Self.tooltip(variable, isOutput: isOutput, isLive: isLive)),
        ])
    }
  }

  /// What each group is, in small letters above it.
  func headings() -> [Graph.Node] {
    let names: [Role: String] =
      isOutput
      ? [.state: "rates of change"] : [.state: "states", .control: "inputs"]
    return names.keys.sorted { $0.rawValue < $1.rawValue }.compactMap { role in
      guard let first = variables.firstIndex(where: { $0.role == role }) else { return nil }
      let prefix = isOutput ? "output" : role.rawValue
      return DrawingStyle.text(
        "heading-\(prefix)", names[role] ?? "",
        at: Point(centres[first].x, centres[first].y + Self.boxHeight / 2 + 8), width: width,
        size: 9, colour: DrawingStyle.faint)
    }
  }

  private static func label(_ variable: Variable, isOutput: Bool) -> String {
    isOutput ? "d/dt \(variable.name)" : variable.label
  }

  private static func tooltip(_ variable: Variable, isOutput: Bool, isLive: Bool) -> String {
    let name = isOutput ? "rate of change of \(variable.label)" : variable.label
    let meaning = variable.longName.isEmpty || isOutput ? "" : ": \(variable.longName)"
    let state = isLive ? "" : isOutput ? " (constant)" : " (reaches no output)"
    return name + meaning + state
  }

  /// Width in points of a line in the drawings' font at 10 pt, by class of character.
  static func estimatedWidth(_ text: String) -> Double {
    text.unicodeScalars.reduce(0) { width, scalar in
      switch scalar {
      case "i", "j", "l", "I", "f", "t", "r", ".", ",", "'", "|", " ", "[", "]", "/", "(", ")":
        width + 3.4
      case "m", "w", "M", "W", "@", "%": width + 9
      default: width + (scalar.value >= 0x1100 ? 10.5 : scalar.properties.isUppercase ? 7.2 : 6)
      }
    }
  }

  /// The text, or its beginning and its end around an ellipsis: names that differ often do so in
  /// their last characters.
  static func shortened(_ text: String, _ room: Double, size: Double = 10, bold: Bool = false)
    -> String
  {
    let scale = size / 10 * (bold ? 1.1 : 1)
    var head = Array(text.map { $0.isNewline ? "⏎" : $0 })
    guard estimatedWidth(String(head)) * scale > room else { return String(head) }
    var tail = Array(head[(head.count / 2)...])
    head.removeLast(tail.count)
    while head.count + tail.count > 2,
      estimatedWidth(String(head) + "…" + String(tail)) * scale > room
    {
      if head.count > tail.count { head.removeLast() } else { tail.removeFirst() }
    }
    return String(head) + "…" + String(tail)
  }
}
