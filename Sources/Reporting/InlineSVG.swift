import Foundation

/// Graphviz's SVG as part of a page: without prologue and comments, its identifiers with a prefix so that one page
/// can hold several, its edges naming the nodes that they join.
enum InlineSVG {
  /// - Parameter id: of the figure; letters, digits and hyphens.
  static func text(_ svg: [UInt8], id: String) -> String {
    let whole = String(decoding: svg, as: UTF8.self)
    guard let start = whole.range(of: "<svg") else { return "" }
    var result = ""
    // The group of an edge waits for its title, which says what it joins.
    var edge: String?
    for line in whole[start.lowerBound...].split(separator: "\n") {
      // Graphviz writes one element a line; comments and the titles of groups repeat what is in identifiers.
      if line.hasPrefix("<!--") { continue }
      if line.hasPrefix("<title>") {
        if let group = edge { result += joining(group, line, id) + "\n" }
        edge = nil
        continue
      }
      let text = prefixed(line, id)
      if line.hasPrefix("<g id=") && line.contains("class=\"edge") {
        edge = text
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

  /// The group of an edge with what its title says: "from->to".
  private static func joining(_ group: String, _ title: Substring, _ id: String) -> String {
    let ends = title.dropFirst("<title>".count).prefix { $0 != "<" }
      .components(separatedBy: "&#45;&gt;")
    guard ends.count == 2, group.hasSuffix(">") else { return group }
    return group.dropLast() + " data-from=\"\(id)-\(ends[0])\" data-to=\"\(id)-\(ends[1])\">"
  }
}
