import Drawing
import Dynamics
import GraphDrawing
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct PageFitTests {
  private let cell = ElectrolysisCell()

  private var ensemble: Ensemble {
    Ensemble(
      name: "cell",
      members: (1...2).map { seed in
        var stream = RandomStream(seed: UInt64(seed))
        let towers = (0..<8).map { _ in
          ExampleNetworks.random([13, 6, 1], density: 0.25, skip: true, activation: .tanh, &stream)
        }
        return Model(
          network: Network.joined(towers), inputs: cell.variables,
          outputs: cell.states.map(\.rate), inputScaling: .identity(13),
          outputScaling: .identity(8), timeStep: 10)
      })
  }

  private var points: Matrix {
    var stream = RandomStream(seed: 4)
    return Matrix(rows: 50, columns: 13) { _, _ in stream.normal() }
  }

  private func drawings() async throws -> [String: (Detail) -> Graph] {
    let (ensemble, points) = (ensemble, points)
    let chosen = PairDrawing.Chosen(
      ensemble, relevance: try await EnsembleRelevance(ensemble, over: points, threads: 1),
      rule: .relevant())
    let pairs = PairDrawing.dependencies(chosen, title: "What drives what in the cell")
    let effects = EffectsDrawing(
      chosen, effects: ensemble.members.map { PartialEffects($0, over: points) },
      title: "How each input acts on the rates of the cell")
    let map = RelevanceMap(chosen, title: "What drives what in the cell, as a table")
    return [
      "columns": { pairs.graph(.columns, $0) }, "circle": { pairs.graph(.circle, $0) },
      "effects": { effects.graph($0) }, "heatmap": { map.graph($0) },
      "network": { detail in
        var options = NetworkDrawing.Options()
        options.acting = ActingNetwork(ensemble.members[0], over: points)
        options.detail = detail
        return NetworkDrawing(
          ensemble.members[0], title: "A sparse model of the cell with a long name",
          options: options
        ).graph
      },
    ]
  }

  /// Width and height in points at which the graph is rendered, and by what it is scaled.
  private func size(_ graph: Graph) throws -> (width: Double, height: Double, scale: Double) {
    guard case .keyword(let text)? = graph.attributes["size"] else {
      Issue.record("no size")
      return (0, 0, 0)
    }
    #expect(text.hasSuffix("!"))
    let inches = text.dropLast().split(separator: ",").compactMap { Double($0) }
    let bounds = try #require(graph.bounds)
    return (72 * inches[0], 72 * inches[1], 72 * inches[0] / (bounds.width + 8))
  }

  @Test(
    arguments: ["85mm", "180mm", "slide"], ["columns", "circle", "effects", "heatmap", "network"])
  func typeCanBeReadAtEveryWidth(width: String, kind: String) async throws {
    let fit = try #require(PageFit(width))
    let draw = try #require(try await drawings()[kind])
    let isOnSlide = width == "slide"
    let graph: Graph
    do {
      graph = try fit.fit(draw)
    } catch {
      // Eight rates with all their curves find no room on one slide.
      #expect(isOnSlide && ["effects", "network"].contains(kind), "\(error)")
      return
    }
    let size = try size(graph)
    if isOnSlide {
      #expect(size.width <= 960.01 && size.height <= 540.01)
      #expect(size.width > 959 || size.height > 539)
    } else {
      #expect(abs(size.width - fit.width) < 0.01)
    }
    let smallest = graph.nodes.compactMap { node -> Double? in
      guard let label = node.label, !label.isEmpty,
        case .number(let type)? = node.attributes["fontsize"]
      else { return nil }
      return type
    }.min()
    #expect(try #require(smallest) * size.scale >= 6.5)
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
    #expect(Set(graph.nodes.map(\.id)).count == graph.nodes.count)
  }

  @Test func renderedDrawingsHaveTheirWidth() async throws {
    let fit = try #require(PageFit("85mm"))
    let graph = try fit.fit(try #require(try await drawings()["heatmap"]))
    let svg = String(decoding: try Renderer.render(graph, as: .svg), as: UTF8.self)
    let found = try #require(svg.firstMatch(of: /<svg width="([\d.]+)pt"/)).1
    let width = try #require(Double(found))
    #expect(abs(width - fit.width) <= 1)
  }

  @Test func labelsOfEdgesGoFirstAndTheWeakestPairsLast() throws {
    var labels: [Bool] = []
    var pairs: [Int?] = []
    // Never narrow enough: every step is tried.
    let wide = Graph.Node(
      "wide", label: "x", at: Point(0, 0), size: (10_000, 10), ["fontsize": 10.0])
    #expect(throws: PageFitProblem.self) {
      try PageFit("85mm")?.fit { detail in
        labels.append(detail.showsLabels)
        pairs.append(detail.mostPairs)
        var graph = Graph(name: "g")
        graph.nodes = [wide]
        return graph
      }
    }
    #expect(labels == [true, false, false, false, false])
    #expect(pairs == [nil, nil, nil, nil, 40])
  }

  @Test func whatCannotBeReadIsRefusedWithTheLeastWidth() throws {
    let wide = Graph.Node(
      "wide", label: "x", at: Point(0, 0), size: (992, 10), ["fontsize": 10.0])
    var graph = Graph(name: "g")
    graph.nodes = [wide]
    let fit = try #require(PageFit("85mm"))
    #expect { try fit.fit { _ in graph } } throws: { error in
      // 1000 points, at 6.5 of 10.
      "\(error)".contains("at least 230 mm wide")
    }
  }

  @Test func widthsAreRead() {
    let widths = [("85mm", 240.945), ("3.5in", 252), ("18cm", 510.236), ("300pt", 300)]
    for (text, points) in widths {
      let width = PageFit(text)?.width ?? 0
      #expect(abs(width - points) < 0.001, "\(text)")
    }
    #expect(PageFit("slide")?.height == 540 && PageFit("300pt")?.height == nil)
    for text in ["85", "mm", "10mm", "-85mm", "nanmm", "page", "1e9mm", ""] {
      #expect(PageFit(text) == nil, "\(text)")
    }
  }
}
