import GraphDrawing
import Testing

@Suite("Graphs as values")
struct GraphTests {
  private var graph: Graph {
    var graph = Graph(name: "g")
    graph.nodes = [
      Graph.Node("a", at: Point(0, 0), size: (20, 10), ["id": "a"]),
      Graph.Node("b", at: Point(100, 50), size: (10, 10), ["id": "b"]), Graph.Node("free", [:]),
    ]
    graph.edges = [
      Graph.Edge(
        "a", "b", along: [Point(0, 0), Point(40, -30), Point(60, 50), Point(90, 50)],
        tip: Point(95, 50), ["id": "a--b"])
    ]
    return graph
  }

  @Test("Bounds hold all nodes and curves")
  func bounds() throws {
    let bounds = try #require(graph.bounds)
    #expect([bounds.left, bounds.right, bounds.bottom, bounds.top] == [-10, 105, -30, 55])
    #expect(Graph(name: "empty").bounds == nil)
  }

  @Test("Moving a graph moves everything and nothing else")
  func moved() throws {
    let moved = graph.moved(by: Point(7, -3))
    #expect(moved.nodes[1].frame?.centre == Point(107, 47) && moved.nodes[2] == graph.nodes[2])
    #expect(moved.edges[0].curve[3] == Point(97, 47) && moved.edges[0].tip == Point(102, 47))
    #expect(moved.moved(by: Point(-7, 3)) == graph)
  }

  @Test("A graph added to another keeps its edges, under names of its own")
  func added() throws {
    var sheet = Graph(name: "sheet")
    sheet.add(graph, prefix: "first-")
    sheet.add(graph, prefix: "second-")
    #expect(sheet.nodes.count == 6 && Set(sheet.nodes.map(\.id)).count == 6)
    #expect(sheet.edges[1].from == "second-a" && sheet.edges[1].to == "second-b")
    #expect(sheet.edges[1].attributes["id"] == "second-a--b")
    #expect(sheet.nodes[2].attributes["id"] == nil)
  }

  @Test("Arrows are drawn at their tips")
  func arrows() throws {
    #expect(graph.dot.contains(#"pos="e,95,50 0,0 40,-30 60,50 90,50""#))
    var arrow = graph
    arrow.nodes.removeLast()
    arrow.edges[0].attributes["arrowhead"] = "normal"
    let svg = try SVG(try Renderer.render(arrow, as: .svg))
    let edge = try #require(svg.groups("edge").first)
    #expect(edge.elements.contains { $0.name == "polygon" })
  }

  @Test(
    "A picture says what it is to those who do not see it",
    arguments: ["Title", "<b> & \"", "\u{0}x"])
  func accessible(title: String) throws {
    var picture = graph
    picture.nodes.removeLast()
    picture.title = title
    picture.summary = "what there is: <\(title)>"
    let svg = try SVG(try Renderer.render(picture, as: .svg))
    let root = try #require(svg.elements.first)
    #expect(root.name == "svg" && root.attributes["role"] == "img")
    #expect(root.attributes["aria-labelledby"] == "drawing-title drawing-summary")
    let shown = title.replacing("\u{0}", with: "\u{FFFD}")
    #expect(svg.elements[1].name == "title" && svg.elements[1].text == shown)
    #expect(svg.elements[1].attributes["id"] == "drawing-title")
    #expect(svg.elements[2].name == "desc" && svg.elements[2].text == "what there is: <\(shown)>")
  }
}
