import Foundation
import GraphDrawing
import LinearAlgebra
import Testing

@Suite("Hostile text in drawings")
struct HostileTextTests {
  @Test("Labels are drawn as they are", arguments: hostileTexts)
  func labels(text: String) throws {
    var graph = Graph(name: "g", attributes: ["label": .text(text)])
    graph.nodes = [
      Graph.Node("a", label: text, at: Point(0, 0), size: (200, 20), ["id": "first"]),
      Graph.Node("b", label: text, at: Point(0, 90), size: (200, 20), ["shape": "plaintext"]),
    ]
    graph.edges = [Graph.Edge("a", "b", along: straight, ["label": .text(text), "lp": "9,9"])]
    let svg = try SVG(try Renderer.render(graph, as: .svg))
    #expect(hasOnlyShapes(svg))
    #expect(svg.groups("node").map(\.lines) == [lines(of: text), lines(of: text)])
    #expect(svg.groups("graph").map(\.lines) == [lines(of: text)])
    #expect(svg.groups("edge").map(\.lines) == [lines(of: text)])
    #expect(svg.groups("node").first?.id == "first")
  }

  @Test("Tooltips are shown as they are", arguments: hostileTexts.filter { !hasBackslash($0) })
  func tooltips(text: String) throws {
    let svg = try SVG(try Renderer.render(graph(tooltip: text), as: .svg))
    #expect(hasOnlyShapes(svg))
    for group in svg.groups("node") + svg.groups("edge") {
      #expect(group.tooltip ?? "" == visible(text))
    }
  }

  /// Graphviz expands \N and its like in tooltips even after a doubled backslash.
  @Test("Tooltips with backslashes do no harm", arguments: hostileTexts.filter(hasBackslash))
  func tooltipsWithBackslashes(text: String) throws {
    let svg = try SVG(try Renderer.render(graph(tooltip: text), as: .svg))
    #expect(hasOnlyShapes(svg))
    #expect(svg.groups("node").map(\.lines) == [["label"]])
  }

  @Test(
    "Identifiers of nodes and edges are as given",
    arguments: hostileTexts.filter { !$0.isEmpty && !$0.unicodeScalars.contains("\n") })
  func identifiers(text: String) throws {
    var graph = Graph(name: "g")
    graph.nodes = [Graph.Node("a", ["id": .text(text)])]
    graph.edges = [Graph.Edge("a", "a", ["id": .text(text)])]
    let svg = try SVG(try Renderer.render(graph, as: .svg, layout: .dot))
    #expect(hasOnlyShapes(svg))
    for group in svg.groups("node") + svg.groups("edge") {
      #expect(group.id.map(plain) == visible(text))
    }
  }

  @Test("Names of graphs and nodes become titles", arguments: hostileTexts)
  func names(text: String) throws {
    var graph = Graph(name: text)
    graph.nodes = [Graph.Node(text, label: "", at: Point(0, 0), size: (9, 9), [:])]
    graph.edges = [Graph.Edge(text, text, along: straight, [:])]
    let svg = try SVG(try Renderer.render(graph, as: .svg))
    #expect(hasOnlyShapes(svg))
    #expect(svg.groups("node").count == 1 && svg.groups("edge").count == 1)
    // Graphviz keeps names with a leading "%" for itself, and both of two backslashes.
    let isOneLine = !text.unicodeScalars.contains("\n")
    if isOneLine && !hasBackslash(text) && !text.hasPrefix("%") && visible(text) == plain(text) {
      #expect(svg.groups("node")[0].title == text)
    }
  }

  @Test("Random texts are drawn as they are", arguments: 1...60 as ClosedRange<UInt64>)
  func randomTexts(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    let alphabet = Array("\\\\\"\"&<>NGElrn;#x0-]{}|% \u{301}é日\u{1}\n".unicodeScalars)
    let text = (0..<stream.integer(in: 1...30)).reduce(into: "") { text, _ in
      text.unicodeScalars.append(alphabet[stream.integer(in: 0...(alphabet.count - 1))])
    }
    try labels(text: text)
    try names(text: text)
  }

  @Test("All formats can draw it", arguments: [Renderer.Format.png, .pdf])
  func otherFormats(format: Renderer.Format) throws {
    for text in hostileTexts {
      let bytes = try Renderer.render(graph(tooltip: text, label: text), as: format)
      #expect(bytes.count > 100)
    }
  }
}

// MARK: Values

private func graph(tooltip: String, label: String = "label") -> Graph {
  var graph = Graph(name: "g")
  let attributes: Attributes = ["tooltip": .text(tooltip)]
  graph.nodes = [Graph.Node("a", label: label, at: Point(0, 0), size: (50, 20), attributes)]
  graph.edges = [Graph.Edge("a", "a", along: straight, attributes)]
  return graph
}

private let straight = [Point(0, 0), Point(10, 0), Point(20, 0), Point(30, 0)]

/// No scripts, links to elsewhere, pictures or handlers of events.
private func hasOnlyShapes(_ svg: SVG) -> Bool {
  let shapes: Set = ["svg", "g", "title", "a", "text", "path", "polygon", "polyline", "ellipse"]
  return svg.elements.allSatisfy { element in
    shapes.contains(element.name) && element.attributes["xlink:href"] == nil
      && !element.attributes.keys.contains { $0.hasPrefix("on") }
  }
}

private func hasBackslash(_ text: String) -> Bool { text.unicodeScalars.contains("\\") }

/// The text as XML can show it.
private func visible(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars where scalar != "\r" {
    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    let isShown = scalar == "\n" || !isControl && scalar.value & 0xFFFE != 0xFFFE
    result.unicodeScalars.append(isShown ? scalar : "\u{FFFD}")
  }
  return plain(result)
}

/// The lines of text of a label; empty ones are not drawn.
private func lines(of text: String) -> [String] {
  visible(text).unicodeScalars.split(separator: "\n").map { String(Substring($0)) }
}

private let hostileTexts = [
  "", " ", "  two  spaces  ", "plain", "\"", "\"quoted\"", "\\", "a\\b", "ends in \\", "\\\\",
  "\\\"", "\"\\", "\\\\\"", "a\nb", "\n", "\nlast", "a\r\nb\rc", "\\n", "\\N", "\\G", "\\l", "\\r",
  "\\E \\T \\H \\L", "\\\\N", "<b>html</b>", "<", "<>", "<<b>>", "&", "&&", "&lt;", "&amp;",
  "&amp;lt;",
  "&nonsense;", "&#0;", "&#x1;", "&#38;lt;", "]]>", "<![CDATA[", "-->", "<!--", "--", "<?xml?>",
  "<script>alert(1)</script>", "\" onload=\"alert(1)", "\"];x[label=\"", "{a|b}", "%s%n", "#", "//",
  "tab\there", "\u{0}", "nul\u{0}inside", "\u{1}\u{8}\u{B}\u{1B}[31m", "\u{7F}\u{85}\u{9F}",
  "\u{FFFE}\u{FFFF}", "\u{1FFFE}", "\u{2028}\u{2029}", "\u{202E}rtl override", "שלום", "مرحبا [kg]",
  "日本語", "🫖👩‍👩‍👧‍👦", "e\u{301}", "\"\u{301}", "\\\u{301}", "&\u{301}", "\u{301}", "\u{FEFF}",
  String(repeating: "long ", count: 40), String(repeating: "\\", count: 33),
]
