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
  /// Text to be shown as it is: nothing in it is read as an escape, an entity or markup.
  case text(String)
  /// A keyword, colour or number of Graphviz's own; the caller vouches for it.
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

    public init(_ id: String, _ attributes: Attributes) {
      self.id = id
      self.attributes = attributes
    }

    /// A node at a fixed place.
    /// - Parameters:
    ///   - size: width and height in points.
    public init(
      _ id: String, label: String = "", at centre: Point, size: (width: Double, height: Double),
      _ attributes: Attributes
    ) {
      self.id = id
      self.attributes = attributes.merging([
        "label": .text(label), "pos": .keyword("\(DOT.number(centre.x)),\(DOT.number(centre.y))"),
        "width": .number(size.width / 72), "height": .number(size.height / 72),
        "fixedsize": "true",
      ]) { given, _ in given }
    }
  }

  public struct Edge: Equatable, Sendable {
    public var from: String
    public var to: String
    public var attributes: Attributes

    public init(_ from: String, _ to: String, _ attributes: Attributes) {
      self.from = from
      self.to = to
      self.attributes = attributes
    }

    /// An edge along a fixed Bézier curve of 3n + 1 points.
    public init(_ from: String, _ to: String, along curve: [Point], _ attributes: Attributes) {
      precondition(curve.count % 3 == 1)
      self.from = from
      self.to = to
      let points = curve.map { "\(DOT.number($0.x)),\(DOT.number($0.y))" }
      self.attributes = attributes.merging([
        "pos": .keyword(points.joined(separator: " "))
      ]) { given, _ in given }
    }
  }

  public var name: String
  public var attributes: Attributes
  public var nodes: [Node] = []
  public var edges: [Edge] = []

  public init(name: String, attributes: Attributes = [:]) {
    self.name = name
    self.attributes = attributes
  }

  /// The graph in the DOT language; the same graph always gives the same text.
  public var dot: String {
    var text = "digraph \(DOT.identifier(name)) {\n"
    text += "  graph \(DOT.list(attributes));\n"
    for node in nodes { text += "  \(DOT.identifier(node.id)) \(DOT.list(node.attributes));\n" }
    for edge in edges {
      text +=
        "  \(DOT.identifier(edge.from)) -> \(DOT.identifier(edge.to)) \(DOT.list(edge.attributes));\n"
    }
    return text + "}\n"
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

  /// A name as an identifier. Backslashes are doubled, because one before a quote would escape it;
  /// Graphviz keeps both, so different names stay different. Names become titles in SVG: characters
  /// that no XML may hold are spelled as numbers, and nothing is read as an entity.
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
