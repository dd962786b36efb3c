import Foundation

/// Graphviz's SVG as part of a page: without prologue and comments, its identifiers with a prefix so that one page
/// can hold several, its edges naming the nodes that they join.
enum InlineSVG {
  /// - Parameter id: of the figure; letters, digits and hyphens.
  static func text(_ svg: [UInt8], id: String) -> String {
    let whole = String(decoding: svg, as: UTF8.self)
    guard let start = whole.range(of: "<svg") else { return "" }
    var result = ""
    // A group waits for its title, which says what it is or joins.
    var waiting: (group: String, isEdge: Bool)?
    for line in whole[start.lowerBound...].split(separator: "\n") {
      // Graphviz writes one element a line; comments and the titles of groups repeat what is in identifiers.
      if line.hasPrefix("<!--") { continue }
      if line.hasPrefix("<title>") {
        if let (group, isEdge) = waiting {
          result += (isEdge ? joining(group, line, id) : named(group, line)) + "\n"
        }
        waiting = nil
        continue
      }
      let text = prefixed(line, id)
      if line.hasPrefix("<g id="),
        line.contains("class=\"edge") || line.contains("class=\"node")
      {
        waiting = (text, line.contains("class=\"edge"))
      } else {
        result += text + "\n"
      }
    }
    return result
  }

  private static func prefixed(_ line: Substring, _ id: String) -> String {
    var text = String(line)
    for attribute in ["id", "aria-labelledby"] {
      text = text.replacing(" \(attribute)=\"", with: " \(attribute)=\"\(id)-")
    }
    return text.replacing(
      "drawing-title drawing-summary", with: "drawing-title \(id)-drawing-summary")
  }

  /// The group of a node with the name that its title is.
  private static func named(_ group: String, _ title: Substring) -> String {
    let name = title.dropFirst("<title>".count).prefix { $0 != "<" }.replacing("&#45;", with: "-")
    // Names are numbers and words of ours; anything else is no name.
    guard group.hasSuffix(">"), !name.isEmpty, name.utf8.allSatisfy(isOfName) else { return group }
    return group.dropLast() + " data-node=\"\(name)\">"
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// The group of an edge with what its title says: "from->to".
  private static func joining(_ group: String, _ title: Substring, _ id: String) -> String {
    let ends = title.dropFirst("<title>".count).prefix { $0 != "<" }
      .components(separatedBy: "&#45;&gt;")
    guard ends.count == 2, group.hasSuffix(">") else { return group }
    return group.dropLast() + " data-from=\"\(id)-\(ends[0])\" data-to=\"\(id)-\(ends[1])\">"
  }
}
