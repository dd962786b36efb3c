import GraphDrawing
import LinearAlgebra
import Testing

@Suite("The DOT language")
struct DOTTests {
  @Test("The text of a small graph is known")
  func golden() {
    #expect(
      smallGraph.dot == #"""
        digraph "two \\ \"nodes\" &amp;" {
          graph [bgcolor="white", label="a\\b\nc &amp; \"d\"", pad=0.2];
          "a" [fixedsize="true", height=0.25, label="x [°C]", pos="-10.125,20", width=1];
          "b\\" [shape="box"];
          "a" -> "b\\" [penwidth=2, pos="0,0 1,0 2,0.333 3,-0.5"];
          "b\\" -> "a" [];
        }

        """#)
  }

  @Test("The same graph gives the same text, in whatever order its attributes were set")
  func reproducible() {
    var stream = RandomStream(seed: 1)
    let keys = (0..<40).map { "key\($0)" }
    func graph() -> Graph {
      var order = keys
      stream.shuffle(&order)
      var attributes = Attributes()
      for key in order { attributes[key] = .keyword(key) }
      var graph = Graph(name: "g", attributes: attributes)
      graph.nodes.append(Graph.Node("n", attributes))
      return graph
    }
    let first = graph()
    for _ in 0..<20 {
      let again = graph()
      #expect(again == first && again.dot == first.dot)
    }
  }

  @Test(
    "Numbers have up to three decimals",
    arguments: [
      (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (1.0 / 3, "0.333"),
      (-2.0 / 3, "-0.667"), (0.0004, "0"), (-0.0004, "0"), (-0.0005, "-0.001"), (1e-300, "0"),
      (12.25, "12.25"), (0.05, "0.05"), (999.9996, "1000"), (123_456_789, "123456789"),
      (1e11, "100000000000"), (1e12, "0"), (1e300, "0"), (.nan, "0"), (.infinity, "0"),
    ])
  func number(value: Double, text: String) {
    #expect(Graph(name: "", attributes: ["a": .number(value)]).dot.contains("[a=\(text)]"))
  }

  @Test("Numbers are never in exponents, and right to the last decimal")
  func randomNumbers() throws {
    var stream = RandomStream(seed: 2)
    for _ in 0..<2000 {
      let value = stream.normal() * pow10(stream.integer(in: -12...10))
      let dot = Graph(name: "", attributes: ["a": .number(value)]).dot
      let text = try #require(dot.split(separator: "=").last?.prefix { $0 != "]" })
      #expect(text.allSatisfy { "-.0123456789".contains($0) } && !text.hasSuffix("."))
      let read = try #require(Double(text))
      #expect(abs(read - value) <= 0.0005 + abs(value) * 1e-15)
    }
  }

  @Test("Different names stay different nodes")
  func names() throws {
    let names = ["a", "a\\", "a\\\\", "\\a", "\"", "\\\"", "", " ", "&", "&amp;", "\u{1}", "\u{2}"]
    var graph = Graph(name: "g")
    graph.nodes = names.map { Graph.Node($0, [:]) }
    let svg = try SVG(try Renderer.render(graph, as: .svg, layout: .dot))
    #expect(svg.groups("node").count == names.count)
    #expect(Set(svg.groups("node").map(\.title)).count == names.count)
  }
}

// MARK: Values

private let smallGraph: Graph = {
  var graph = Graph(
    name: #"two \ "nodes" &"#,
    attributes: ["pad": 0.2, "bgcolor": "white", "label": .text("a\\b\r\nc & \"d\"")])
  graph.nodes = [
    Graph.Node(
      "a", label: "x [°C]", at: Point(-10.125, 20), size: (72, 18), [:]),
    Graph.Node("b\\", ["shape": "box"]),
  ]
  graph.edges = [
    Graph.Edge(
      "a", "b\\", along: [Point(0, 0), Point(1, 0), Point(2, 1.0 / 3), Point(3, -0.5)],
      ["penwidth": 2.0]),
    Graph.Edge("b\\", "a", [:]),
  ]
  return graph
}()

private func pow10(_ exponent: Int) -> Double {
  (0..<abs(exponent)).reduce(1) { power, _ in exponent < 0 ? power / 10 : power * 10 }
}
