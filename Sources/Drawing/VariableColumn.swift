import Dynamics
import GraphDrawing

/// A column of named boxes: inputs on the left or rates on the right of a drawing, or some of them.
struct VariableColumn {
  let variables: [Variable]
  /// The number of each variable among all of its kind, which is part of its identifier.
  let numbers: [Int]
  /// Centres, from the top down.
  let centres: [Point]
  let width: Double
  let isOutput: Bool
  let size: DrawingSize
  /// Before the identifiers, where a variable is drawn more than once.
  var prefix = ""
  /// What tooltips say beside names, by number.
  var remarks: [Int: String] = [:]

  /// Room for the longest label; names beyond it are shortened in the box and whole in the tooltip.
  static func width(of variables: [Variable], isOutput: Bool, size: DrawingSize) -> Double {
    let longest =
      variables.map { estimatedWidth(label($0, isOutput, size)) * size.fontSize / 10 }.max() ?? 0
    return min(size.widestBox, max(size.narrowestBox, longest + 1.6 * size.fontSize))
  }

  /// Evenly spaced from `top` to `bottom`, with a wider gap where states end and controls begin.
  ///
  /// - Parameter numbers: which of the variables; all where it is nil.
  static func spread(
    _ all: [Variable], numbers: [Int]? = nil, x: Double, top: Double, bottom: Double,
    isOutput: Bool,
    size: DrawingSize, width: Double? = nil
  ) -> VariableColumn {
    let numbers = numbers ?? Array(all.indices)
    let variables = numbers.map { all[$0] }
    let places = slots(variables, isOutput: isOutput)
    let last = places.last ?? 0
    let step = last > 0 ? (top - bottom) / last : 0
    let middle = (top + bottom) / 2
    return VariableColumn(
      variables: variables, numbers: numbers,
      centres: places.map { Point(x, last > 0 ? top - $0 * step : middle) },
      width: width ?? Self.width(of: variables, isOutput: isOutput, size: size), isOutput: isOutput,
      size: size)
  }

  /// Where each stands, in steps from the first.
  private static func slots(_ variables: [Variable], isOutput: Bool) -> [Double] {
    // Inputs in an order of their own may alternate between states and controls: those are not apart.
    let changes = zip(variables, variables.dropFirst()).count { $0.role != $1.role }
    let isGrouped = changes <= 2
    var places: [Double] = []
    var place = 0.0
    for (index, variable) in variables.enumerated() {
      if index > 0 {
        place += !isOutput && isGrouped && variable.role != variables[index - 1].role ? 1.9 : 1
      }
      places.append(place)
    }
    return places
  }

  /// Least height, middle of the first to middle of the last, at which boxes keep their distance.
  static func leastHeight(_ variables: [Variable], isOutput: Bool, size: DrawingSize) -> Double {
    (slots(variables, isOutput: isOutput).last ?? 0) * size.boxStep
  }

  func nodeID(_ number: Int) -> String {
    prefix + (isOutput ? "output-" : "input-") + String(number)
  }

  func centre(_ number: Int) -> Point {
    if numbers.indices.contains(number), numbers[number] == number { return centres[number] }
    return numbers.firstIndex(of: number).map { centres[$0] } ?? Point(0, 0)
  }

  /// Where edges leave or arrive.
  func port(_ number: Int) -> Point {
    let centre = centre(number)
    return Point(centre.x + (isOutput ? -width / 2 : width / 2), centre.y)
  }

  /// - Parameters:
  ///   - live: by number.
  ///   - inFocus: by number, what does not fade; nil for all.
  func nodes(live: [Bool], inFocus: [Bool]? = nil) -> [Graph.Node] {
    zip(numbers, zip(variables, centres)).map { number, content in
      let (variable, centre) = content
      let isFaded = inFocus.map { !$0[number] } ?? false
      let colours =
        isFaded
        ? DrawingStyle.fadedColours
        : isOutput ? DrawingStyle.outputColours : DrawingStyle.colours(variable.role)
      let isLive = live[number]
      let kind = isOutput ? "output" : variable.role == .state ? "input state" : "input control"
      let label = Self.shortened(
        Self.label(variable, isOutput, size), width - 1.2 * size.fontSize, size: size.fontSize)
      var node = Graph.Node(
        nodeID(number), label: label, at: centre, size: (width, size.boxHeight),
        [
          "shape": "box", "style": .keyword(isLive ? "filled,rounded" : "filled,rounded,dashed"),
          "fillcolor": .keyword(isLive ? colours.fill : "#FFFFFF"),
          "color": .keyword(isLive ? colours.line : "#AAAAAA"),
          "fontcolor": .keyword(
            isFaded ? "#BBBBBB" : isLive ? DrawingStyle.ink : DrawingStyle.faint),
          "fontname": .keyword(DrawingStyle.font), "fontsize": .number(size.fontSize),
          "penwidth": .number(size.fontSize / 10),
          "id": .keyword(nodeID(number)),
          "class":
            .keyword(kind + (isLive ? "" : " dead") + (isFaded ? " faded" : "")),
          "tooltip": .text(
            Self.tooltip(variable, isOutput: isOutput, isLive: isLive)
              + (remarks[number].map { "; \($0)" } ?? "")),
        ])
      node.data = [
        "name": .text(variable.name), "kind": .text(kind), "unit": .text(variable.unit),
      ]
      return node
    }
  }

  /// What each group is, in small letters above it.
  func headings() -> [Graph.Node] {
    let names: [Role: String] =
      isOutput
      ? [.state: "rates of change", .observable: "outputs"]
      : [.state: "states", .control: "inputs"]
    return names.keys.sorted { $0.rawValue < $1.rawValue }.compactMap { role in
      guard let first = variables.firstIndex(where: { $0.role == role }) else { return nil }
      let kind = isOutput ? "output" : role.rawValue
      return DrawingStyle.text(
        "\(prefix)heading-\(kind)", names[role] ?? "",
        at: Point(centres[first].x, centres[first].y + size.boxHeight / 2 + 8), width: width,
        size: min(9, size.fontSize), colour: DrawingStyle.faint)
    }
  }

  private static func label(_ variable: Variable, _ isOutput: Bool, _ size: DrawingSize) -> String {
    if isRate(variable, isOutput) { return "d/dt \(variable.name)" }
    return !isOutput && size.showsUnits ? variable.label : variable.name
  }

  /// Outputs that are no rates of states have the role of what is recorded.
  private static func isRate(_ variable: Variable, _ isOutput: Bool) -> Bool {
    isOutput && variable.role != .observable
  }

  private static func tooltip(_ variable: Variable, isOutput: Bool, isLive: Bool) -> String {
    let name = isRate(variable, isOutput) ? "rate of change of \(variable.label)" : variable.label
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

  /// The text, or its beginning and end around an ellipsis: names often differ in their last characters only.
  static func shortened(_ text: String, _ room: Double, size: Double = 10, bold: Bool = false)
    -> String
  {
    let scale = size / 10 * (bold ? 1.1 : 1)
    var head = Array(text.map { $0.isNewline ? "⏎" : $0 })
    // What lies farther inside finds no room anywhere; to measure it again and again would take long.
    if head.count > 1000 { head.removeSubrange(500..<(head.count - 500)) }
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
