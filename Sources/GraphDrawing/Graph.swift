/// A point of a drawing, in points (1/72 inch), x to the right and y upwards as Graphviz has it.
public struct Point: Equatable, Sendable {
  public var x: Double
  public var y: Double

  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// The value of a Graphviz attribute.
public enum AttributeValue: Equatable, Sendable {
  /// Text shown literally: nothing in it is read as an escape, an entity or markup.
  case text(String)
  /// A keyword, colour or number as Graphviz defines it; the caller is responsible for its validity.
  case keyword(String)
  case number(Double)
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByFloatLiteral {
  public init(stringLiteral value: String) { self = .keyword(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
}

public typealias Attributes = [String: AttributeValue]

/// A directed graph with Graphviz attributes: what to draw, not how to render it.
///
/// Nodes and edges appear in the order in which they were added, later ones above earlier ones when
/// rendered at fixed positions.
public struct Graph: Equatable, Sendable {
  public struct Node: Equatable, Sendable {
    public var id: String
    public var attributes: Attributes
    /// Centre, width and height in points; nil to leave them to Graphviz.
    public var frame: Frame?
    /// What it stands for; nil for what only the picture has, such as titles, labels and legends.
    public var data: GraphData?

    public init(_ id: String, _ attributes: Attributes) {
      self.id = id
      self.attributes = attributes
    }

    /// A node at a fixed place.
    /// - Parameters:
    ///   - id: unique within the graph.
    ///   - label: shown as it is.
    ///   - centre: its middle, in points.
    ///   - size: width and height in points.
    ///   - attributes: everything else; they win over what follows from the others.
    public init(
      _ id: String, label: String = "", at centre: Point, size: (width: Double, height: Double),
      _ attributes: Attributes
    ) {
      self.id = id
      self.attributes = attributes.merging(["label": .text(label)]) { given, _ in given }
      frame = Frame(centre: centre, width: size.width, height: size.height)
    }
  }

  public struct Edge: Equatable, Sendable {
    public var from: String
    public var to: String
    public var attributes: Attributes
    /// A Bézier curve of 3n + 1 points; empty for Graphviz to find one.
    public var curve: [Point]
    /// The tip of the arrow whose base is the curve's end; nil for no arrow.
    public var tip: Point?
    /// What it stands for; nil for what only the picture has, such as lines of a legend.
    public var data: GraphData?

    public init(_ from: String, _ to: String, _ attributes: Attributes) {
      self.init(from, to, along: [], attributes)
    }

    /// An edge along a fixed Bézier curve of 3n + 1 points.
    public init(
      _ from: String, _ to: String, along curve: [Point], tip: Point? = nil,
      _ attributes: Attributes
    ) {
      precondition(curve.isEmpty || curve.count % 3 == 1)
      self.from = from
      self.to = to
      self.curve = curve
      self.tip = tip
      self.attributes = attributes
    }
  }

  /// A box around a place.
  public struct Frame: Equatable, Sendable {
    public var centre: Point
    public var width: Double
    public var height: Double

    public init(centre: Point, width: Double, height: Double) {
      self.centre = centre
      self.width = width
      self.height = height
    }

    public var left: Double { centre.x - width / 2 }
    public var right: Double { centre.x + width / 2 }
    public var top: Double { centre.y + height / 2 }
    public var bottom: Double { centre.y - height / 2 }
  }

  public var name: String
  public var attributes: Attributes
  public var nodes: [Node] = []
  public var edges: [Edge] = []
  /// Name and description of the picture, for people who do not see it.
  public var title = ""
  public var summary = ""

  public init(name: String, attributes: Attributes = [:]) {
    self.name = name
    self.attributes = attributes
  }

  /// The smallest box around all nodes and curves with a position; nil if none has one.
  public var bounds: Frame? {
    let frames = nodes.compactMap(\.frame)
    let points =
      frames.flatMap { [Point($0.left, $0.bottom), Point($0.right, $0.top)] }
      + edges.flatMap(\.curve)
    guard let first = points.first else { return nil }
    var (low, high) = (first, first)
    for point in points {
      low = Point(min(low.x, point.x), min(low.y, point.y))
      high = Point(max(high.x, point.x), max(high.y, point.y))
    }
    return Frame(
      centre: Point((low.x + high.x) / 2, (low.y + high.y) / 2), width: high.x - low.x,
      height: high.y - low.y)
  }

  /// The graph moved by an offset.
  public func moved(by offset: Point) -> Graph {
    func move(_ point: Point) -> Point { Point(point.x + offset.x, point.y + offset.y) }
    var result = self
    for index in nodes.indices {
      if let centre = nodes[index].frame?.centre {
        result.nodes[index].frame?.centre = move(centre)
      }
    }
    for index in edges.indices {
      result.edges[index].curve = edges[index].curve.map(move)
      result.edges[index].tip = edges[index].tip.map(move)
    }
    return result
  }

  /// Another graph's nodes and edges beside this one's, their identifiers with a prefix.
  public mutating func add(_ other: Graph, prefix: String = "") {
    func renamed(_ attributes: Attributes) -> Attributes {
      guard case .keyword(let id)? = attributes["id"] else { return attributes }
      return attributes.merging(["id": .keyword(prefix + id)]) { $1 }
    }
    for var node in other.nodes {
      node.id = prefix + node.id
      node.attributes = renamed(node.attributes)
      nodes.append(node)
    }
    for var edge in other.edges {
      (edge.from, edge.to) = (prefix + edge.from, prefix + edge.to)
      edge.attributes = renamed(edge.attributes)
      edges.append(edge)
    }
  }

  /// The graph in the DOT language; the same graph always gives the same text.
  public var dot: String {
    var text = "digraph \(DOT.identifier(name)) {\n"
    text += "  graph \(DOT.list(attributes));\n"
    for node in nodes {
      text += "  \(DOT.identifier(node.id)) \(DOT.list(node.placedAttributes));\n"
    }
    for edge in edges {
      text +=
        "  \(DOT.identifier(edge.from)) -> \(DOT.identifier(edge.to)) "
        + "\(DOT.list(edge.placedAttributes));\n"
    }
    return text + "}\n"
  }
}

extension Graph.Node {
  fileprivate var placedAttributes: Attributes {
    guard let frame else { return attributes }
    return attributes.merging([
      "pos": .keyword(DOT.place(frame.centre)), "width": .number(frame.width / 72),
      "height": .number(frame.height / 72), "fixedsize": "true",
    ]) { given, _ in given }
  }
}

extension Graph.Edge {
  fileprivate var placedAttributes: Attributes {
    guard !curve.isEmpty else { return attributes }
    let arrow = tip.map { ["e,\(DOT.place($0))"] } ?? []
    return attributes.merging([
      "pos": .keyword((arrow + curve.map(DOT.place)).joined(separator: " "))
    ]) { given, _ in given }
  }
}

/// The DOT language's spelling.
enum DOT {
  static func list(_ attributes: Attributes) -> String {
    let items = attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\(value($0.value))" }
    return "[" + items.joined(separator: ", ") + "]"
  }

  private static func value(_ value: AttributeValue) -> String {
    switch value {
    case .number(let number): DOT.number(number)
    case .keyword(let word): quoted(word)
    case .text(let text): quoted(literal(text))
    }
  }

  static func place(_ point: Point) -> String { "\(number(point.x)),\(number(point.y))" }

  /// Up to three decimals, never in exponents.
  static func number(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded()
    guard thousandths.isFinite, abs(thousandths) < 1e15 else { return "0" }
    let whole = Int(thousandths)
    let sign = whole < 0 ? "-" : ""
    let (units, rest) = abs(whole).quotientAndRemainder(dividingBy: 1000)
    if rest == 0 { return "\(sign)\(units)" }
    var digits = String(1000 + rest).dropFirst()
    while digits.last == "0" { digits = digits.dropLast() }
    return "\(sign)\(units).\(digits)"
  }

  /// A name as an identifier. Backslashes are doubled, because one before a quote would escape it; Graphviz keeps
  /// both, so different names stay different. Names become titles in SVG: characters that XML does not allow are
  /// written as numbers, and nothing is read as an entity.
  static func identifier(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "&": result += "&amp;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}":
        result += "\u{FFFD}" + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return quoted(result)
  }

  /// In quotes, quotes escaped. NUL ends a C string and so cannot be part of one. By scalars: a quote
  /// with a combining accent is one character, but still ends a string.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\0": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Text whose characters Graphviz would otherwise read as escapes (\N, \n) or entities (&lt;); line
  /// ends become Graphviz's own, other control characters, which no XML may hold, are replaced.
  private static func literal(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "&": result += "&amp;"
      case "\n": result += "\\n"
      case "\r": continue
      default:
        let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
        let isNoncharacter = scalar.value & 0xFFFE == 0xFFFE
        result.unicodeScalars.append(isControl || isNoncharacter ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }
}
