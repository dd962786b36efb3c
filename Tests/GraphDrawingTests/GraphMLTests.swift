import Foundation
import FoundationXML
import GraphDrawing
import Testing

@Suite struct GraphMLTests {
  private var graph: Graph {
    var graph = Graph(name: "g")
    graph.title = "a & b"
    var a = Graph.Node("a", label: "A", at: Point(1, 2), size: (10, 10), [:])
    a.data = ["name": .text("<A> \"quoted\"\u{1}"), "rank": .integer(3)]
    var b = Graph.Node("b", [:])
    b.data = ["name": .text("B"), "rank": .number(0.5)]
    let title = Graph.Node("title", label: "t", at: Point(0, 50), size: (10, 10), [:])
    graph.nodes = [a, b, title]
    var edge = Graph.Edge("a", "b", ["id": "a--b", "color": "red"])
    edge.data = ["weight": .number(-0.25), "sign": .integer(-1), "verdict": .text("undecided")]
    graph.edges = [edge, Graph.Edge("a", "title", [:])]
    return graph
  }

  @Test func onlyWhatCarriesDataIsWritten() throws {
    let text = graph.graphML
    #expect(!text.contains("node id=\"title\""))
    #expect(text.components(separatedBy: "<node ").count == 3)
    #expect(text.components(separatedBy: "<edge ").count == 2)
    #expect(text.contains("<edge id=\"a--b\" source=\"a\" target=\"b\">"))
    #expect(text.contains("&lt;A&gt; \"quoted\"\u{FFFD}") && text.contains("a &amp; b"))
    // One key for whole and other numbers.
    #expect(text.contains("attr.name=\"rank\" attr.type=\"double\""))
    #expect(text.contains("attr.name=\"sign\" attr.type=\"long\""))
    #expect(text == graph.graphML)
  }

  @Test func itIsXML() throws {
    let parser = XMLParser(data: Data(graph.graphML.utf8))
    #expect(parser.parse())
  }
}
