import Dynamics
import Foundation
import GraphDrawing

/// Colours and line styles of all drawings. The colours are Okabe & Ito's, which people with any colour vision can
/// tell apart; dashes show the sign as well, so that drawings also work in black and white.
enum DrawingStyle {
  static let font = "Helvetica"
  static let ink = "#1A1A1A"
  static let faint = "#7A7A7A"
  static let positive = "#0072B2"
  static let negative = "#D55E00"

  /// Fill and outline by role.
  static func colours(_ role: Role) -> (fill: String, line: String) {
    switch role {
    case .state: ("#DCEBF7", "#2B6CA3")
    case .control: ("#FCEBD2", "#B36B00")
    case .observable: ("#EEEEEE", "#666666")
    }
  }

  static let fadedColours = (fill: "#FFFFFF", line: "#DDDDDD")

  /// What is not in focus: pale, thin, and still there.
  static func fade(_ attributes: inout Attributes) {
    attributes["color"] = .keyword("#BBBBBB30")
    attributes["penwidth"] = 0.5
    if case .keyword(let kind)? = attributes["class"] {
      attributes["class"] = .keyword(kind + " faded")
    }
  }

  static let outputColours = (fill: "#DDF3EA", line: "#00785A")

  /// A hidden unit: its disc is filled in proportion to the share of samples at which it is active; hollow where it
  /// never is, grey where that is unknown.
  static func unit(activeShare: Double?, isFaded: Bool = false) -> Attributes {
    let line = isFaded ? fadedColours.line : "#444444"
    var result: Attributes = [
      "shape": "circle", "style": "filled", "fillcolor": isFaded ? "#FFFFFF" : "#D5D9DD",
      "color": .keyword(line), "class": "unit hidden",
    ]
    if let activeShare {
      switch activeShare {
      case ...0: result["fillcolor"] = "#FFFFFF"
      case 0.995...: result["fillcolor"] = .keyword(line)
      default:
        // Less than a hundredth would not be seen.
        let filled = max(0.01, (activeShare * 1000).rounded() / 1000)
        result["style"] = "wedged"
        result["fillcolor"] = .keyword("\(line);\(filled):#FFFFFF")
      }
      if activeShare <= 0 { result["class"] = "unit hidden inactive" }
    }
    if isFaded, case .keyword(let kind)? = result["class"] {
      result["class"] = .keyword(kind + " faded")
    }
    return result
  }

  /// Line of an edge: width by |strength| relative to the strongest, colour and dashes by sign.
  static func edge(_ strength: Double, strongest: Double, scale: Double = 1) -> Attributes {
    let share = strongest > 0 ? min(1, abs(strength) / strongest) : 0
    return [
      "color": .keyword((strength < 0 ? negative : positive) + opacity(share)),
      "style": strength < 0 ? "dashed" : "solid",
      "penwidth": .number(width(share) * scale),
      "arrowhead": "none",
      "class": strength < 0 ? "weight negative" : "weight positive",
    ]
  }

  static func width(_ share: Double) -> Double { 0.4 + 3.0 * share.squareRoot() }

  /// Weak edges are also paler, so that many of them do not hide the strong ones.
  static func opacity(_ share: Double) -> String {
    String(format: "%02X", Int(90 + 150 * share.squareRoot()))
  }

  /// An S-shaped curve that leaves and arrives horizontally, its middle lifted by three quarters of
  /// `bend`.
  static func curve(from start: Point, to end: Point, bend: Double = 0) -> [Point] {
    let reach = (end.x - start.x) * 0.45
    return [
      start, Point(start.x + reach, start.y + bend), Point(end.x - reach, end.y + bend), end,
    ]
  }

  /// Straight from point to point, as Bézier curves.
  static func polyline(_ points: [Point]) -> [Point] {
    guard let first = points.first else { return [] }
    var curve = [first]
    for (a, b) in zip(points, points.dropFirst()) {
      let way = b - a
      curve += [a + way * (1.0 / 3), a + way * (2.0 / 3), b]
    }
    // One point is a curve of no length.
    return points.count > 1 ? curve : [first, first, first, first]
  }

  /// `count` points of a cubic Bézier curve, evenly spaced in its parameter.
  static func points(on curve: [Point], _ count: Int) -> [Point] {
    (0..<count).map { index in
      let t = (Double(index) + 0.5) / Double(count)
      let s = 1 - t
      let weights = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t]
      return Point(
        zip(weights, curve).reduce(0) { $0 + $1.0 * $1.1.x },
        zip(weights, curve).reduce(0) { $0 + $1.0 * $1.1.y })
    }
  }

  static func text(
    _ id: String, _ text: String, at point: Point, width: Double, size: Double,
    colour: String = ink, alignment: String = "n", bold: Bool = false
  ) -> Graph.Node {
    Graph.Node(
      id, label: text, at: point, size: (width, size * 1.4),
      [
        "shape": "plaintext", "fontsize": .number(size), "fontcolor": .keyword(colour),
        "fontname": .keyword(bold ? "\(font)-Bold" : font), "class": "text",
      ])
  }

  /// Three significant digits, for labels and tooltips.
  static func number(_ value: Double, digits: Int = 3) -> String {
    String(format: "%.\(digits)g", value)
  }

  /// Two digits and a sign, short enough for a label beside a line: +0.4, −1.3.
  static func signed(_ value: Double) -> String {
    let digits = String(format: abs(value) < 10 ? "%.2g" : "%.0f", abs(value))
    return (value < 0 ? "−" : "+") + digits
  }

  /// A mean with its sign; where the sign varies so that little of the mean magnitude is left, that with ±.
  static func signed(_ mean: Double, magnitude: Double) -> String {
    abs(mean) < 0.5 * magnitude ? "±" + signed(magnitude).dropFirst() : signed(mean)
  }

  /// 16 640 000
  static func grouped(_ count: UInt64) -> String {
    var groups: [Substring] = []
    var rest = Substring(String(count))
    while rest.count > 3 {
      groups.append(rest.suffix(3))
      rest = rest.dropLast(3)
    }
    return ([rest] + groups.reversed()).joined(separator: " ")
  }

  /// - Parameters:
  ///   - title: what the picture is called.
  ///   - summary: what there is to see, for those who do not see it.
  static func graph(_ name: String, title: String, summary: String) -> Graph {
    var graph = Graph(
      name: name,
      attributes: [
        "bgcolor": "white", "outputorder": "edgesfirst", "pad": 0.2, "margin": 0.0,
        "splines": "true", "fontname": .keyword(font), "tooltip": .text("\(title): \(summary)"),
        "id": "drawing",
      ])
    graph.title = title
    graph.summary = summary
    return graph
  }
}

extension Graph {
  mutating func add(_ node: Node) { nodes.append(node) }
  mutating func add(_ edge: Edge) { edges.append(edge) }
}
