import Foundation
import GraphDrawing
import Testing

@Suite("Rendering")
struct RendererTests {
  @Test("Files begin as their formats do", arguments: Renderer.Format.allCases)
  func signatures(format: Renderer.Format) throws {
    let signature: [UInt8] =
      switch format {
      case .svg: Array("<?xml version=\"1.0\" encoding=\"UTF-8\"".utf8)
      case .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      case .pdf: Array("%PDF-".utf8)
      }
    #expect(try Renderer.render(triangle(0), as: format).starts(with: signature))
  }

  @Test("Nodes and edges stay where they were put")
  func fixedPlaces() throws {
    let svg = try SVG(try Renderer.render(triangle(0), as: .svg))
    let nodes = svg.groups("node")
    #expect(nodes.map(\.title) == ["0", "1", "2"])
    let centres = try nodes.map { try $0.numbers("ellipse", "cx", "cy") }
    let first = try #require(centres.first)
    for (centre, corner) in zip(centres, corners) {
      #expect(abs(centre[0] - first[0] - (corner.x - corners[0].x)) < 0.02)
      #expect(abs(first[1] - centre[1] - (corner.y - corners[0].y)) < 0.02)
    }
    for node in nodes {
      let radii = try node.numbers("ellipse", "rx", "ry")
      #expect(abs(radii[0] - 15) < 0.02 && abs(radii[1] - 6) < 0.02)
    }
    let edges = svg.groups("edge")
    #expect(edges.map(\.title) == ["0->1", "1->2", "2->0"])
    for (edge, centre) in zip(edges, centres) {
      let path = try #require(edge.elements.first { $0.name == "path" }?.attributes["d"])
      let start = path.dropFirst().prefix { $0 != "C" }.split(separator: ",").compactMap {
        Double($0)
      }
      try #require(path.hasPrefix("M") && start.count == 2)
      #expect(abs(start[0] - centre[0]) < 0.02 && abs(start[1] - centre[1]) < 0.02)
    }
  }

  @Test("Layers are found where there are no places")
  func layers() throws {
    let bytes = try Renderer.render(dot: "digraph { a -> b -> c; a -> c }", as: .svg)
    let svg = try SVG(bytes)
    #expect(svg.groups("node").map(\.title) == ["a", "b", "c"])
    #expect(svg.groups("edge").count == 3)
    let heights = try svg.groups("node").map { try $0.numbers("ellipse", "cy")[0] }
    #expect(heights == heights.sorted() && Set(heights).count == 3)
  }

  @Test("Pictures grow with their resolution")
  func resolution() throws {
    let sizes = try [48.0, 96, 192, 384].map { dpi in
      var graph = triangle(0)
      graph.attributes["dpi"] = .number(dpi)
      return try pictureSize(try Renderer.render(graph, as: .png))
    }
    for (small, large) in zip(sizes, sizes.dropFirst()) {
      #expect(abs(large.width - 2 * small.width) <= 3)
      #expect(abs(large.height - 2 * small.height) <= 3)
    }
  }

  @Test("A graph without nodes is drawn")
  func empty() throws {
    for format in Renderer.Format.allCases {
      #expect(try !Renderer.render(Graph(name: ""), as: format).isEmpty)
    }
    let svg = try SVG(
      try Renderer.render(Graph(name: "", attributes: ["bgcolor": "white"]), as: .svg))
    #expect(svg.groups("node").isEmpty && svg.groups("graph").count == 1)
  }

  @Test("Errors of syntax are told with their line, and the next graph is drawn", arguments: errors)
  func syntaxError(dot: String, line: Int) throws {
    for layout in [Renderer.Layout.dot, .fixed] {
      let error = try #require(throws: GraphvizError.self) {
        try Renderer.render(dot: dot, as: .svg, layout: layout)
      }
      #expect(error.message.contains("syntax error in line \(line)"))
      #expect(error.description.hasPrefix("Graphviz: "))
      #expect(!error.message.contains("\n"))
      #expect(try Renderer.render(triangle(0), as: .svg) == triangleBytes.get())
    }
  }

  @Test(
    "Nothing behind a graph spoils the next one",
    arguments: ["\n\n\n", "digraph { wrong }", "digraph {} digraph {}", "} ]] \"", "/*", "\u{0}x"])
  func rest(text: String) throws {
    let alone = try Renderer.render(dot: "digraph g { a }", as: .svg)
    #expect(try Renderer.render(dot: "digraph g { a }" + text, as: .svg) == alone)
    #expect(try Renderer.render(triangle(0), as: .svg) == triangleBytes.get())
  }

  @Test(
    "What holds no graph is refused", arguments: ["", " ", "\n", "// comment", "\u{0}digraph {}"])
  func noGraph(dot: String) throws {
    #expect(throws: GraphvizError.self) { try Renderer.render(dot: dot, as: .svg) }
    #expect(try Renderer.render(triangle(0), as: .svg) == triangleBytes.get())
  }

  @Test("An unknown layout is refused with the ones there are")
  func unknownLayout() throws {
    var graph = triangle(0)
    graph.attributes["layout"] = "nonsense"
    let error = try #require(throws: GraphvizError.self) {
      try Renderer.render(graph, as: .svg)
    }
    #expect(error.message.contains("\"nonsense\" not recognized"))
    #expect(error.message.contains("nop2"))
    #expect(try Renderer.render(triangle(0), as: .svg) == triangleBytes.get())
  }

  @Test("Eight tasks at once draw the same bytes as one after the other")
  func concurrently() async throws {
    let graphs = (0..<50).map(triangle)
    let formats: [Renderer.Format] = [.svg, .svg, .svg, .png]
    func draw() throws -> [[UInt8]] {
      try graphs.enumerated().map { try Renderer.render($1, as: formats[$0 % formats.count]) }
    }
    let expected = try draw()
    #expect(Set(expected).count == graphs.count)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 { group.addTask { try draw() == expected } }
      for try await isSame in group { #expect(isSame) }
    }
  }

  /// It measures its whole process, so it runs only where no other test does: Scripts/test starts it
  /// by itself.
  @Test(
    "Memory does not grow with the number of drawings",
    .enabled(if: ProcessInfo.processInfo.environment["FILIGREE_ALONE"] == "1"), .serialized,
    arguments: Work.allCases)
  func memory(work: Work) throws {
    for _ in 0..<500 { work.once() }
    let before = try residentBytes()
    for _ in 0..<(work == .drawing ? 10_000 : 2000) { work.once() }
    #expect(try residentBytes() - before <= 8 << 20)
  }

  enum Work: CaseIterable {
    case drawing, syntaxError, failingLayout

    func once() {
      switch self {
      case .drawing: _ = try? Renderer.render(triangle(0), as: .svg)
      case .syntaxError: _ = try? Renderer.render(dot: "digraph { a -> b; c -> ] }", as: .svg)
      case .failingLayout:
        _ = try? Renderer.render(dot: "digraph { layout=nonsense; a -> b }", as: .svg)
      }
    }
  }
}

// MARK: Values

private let corners = [Point(0, 0), Point(100.5, 50.25), Point(-40, 200)]

/// Three nodes with an edge from each to the next; a different drawing for every number.
private func triangle(_ number: Int) -> Graph {
  var graph = Graph(name: "triangle \(number)", attributes: ["outputorder": "edgesfirst"])
  for (index, corner) in corners.enumerated() {
    let next = corners[(index + 1) % corners.count]
    let third = Point((next.x - corner.x) / 3, (next.y - corner.y) / 3)
    graph.nodes.append(
      Graph.Node(
        "\(index)", label: "n\(number)", at: corner, size: (30, 12),
        ["shape": "ellipse", "fontsize": 6.0]))
    graph.edges.append(
      Graph.Edge(
        "\(index)", "\((index + 1) % corners.count)",
        along: [
          corner, Point(corner.x + third.x, corner.y + third.y),
          Point(next.x - third.x, next.y - third.y), next,
        ], ["arrowhead": "none", "penwidth": .number(1 + Double(number) / 10)]))
  }
  return graph
}

private let triangleBytes = Result { try Renderer.render(triangle(0), as: .svg) }

private let errors = [
  ("digraph {\n a -> b;\n c -> [\n}\n", 3), ("digraph {\n\n\n\n a -> ; }", 5), ("digraph", 1),
  ("digraph { a [label=\"never closed ] }", 1), ("digraph {\n /* never closed }", 2),
  ("digraph {\n a [label=<never closed ] }", 2), ("hello", 1), ("digraph { a b ]] c \"d\" }", 1),
  ("digraph { subgraph { a }", 1), ("digraph \u{1F375} { a -- }", 1),
]

private func pictureSize(_ png: [UInt8]) throws -> (width: Int, height: Int) {
  try #require(png.count > 24 && png[12..<16].elementsEqual("IHDR".utf8))
  func number(_ range: Range<Int>) -> Int { png[range].reduce(0) { $0 << 8 | Int($1) } }
  return (number(16..<20), number(20..<24))
}

private func residentBytes() throws -> Int {
  let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
  let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
  return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}
