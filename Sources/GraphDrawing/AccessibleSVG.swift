/// What Graphviz leaves out of an SVG and screen readers need: that it is one picture, its name and a description
/// (SVG Accessibility API Mappings, W3C).
enum AccessibleSVG {
  /// The SVG with a title and a description as the first children of its root element.
  static func described(_ svg: [UInt8], title: String, summary: String) -> [UInt8] {
    guard let start = svg.firstRange(of: Array("<svg ".utf8))?.lowerBound,
      let end = svg[start...].firstIndex(of: UInt8(ascii: ">"))
    else { return svg }
    let role = " role=\"img\" aria-labelledby=\"drawing-title drawing-summary\""
    let children =
      "\n<title id=\"drawing-title\">\(XMLText.escaped(title))</title>"
      + "\n<desc id=\"drawing-summary\">\(XMLText.escaped(summary))</desc>"
    return svg[..<end] + Array(role.utf8) + [svg[end]] + Array(children.utf8) + svg[(end + 1)...]
  }
}
