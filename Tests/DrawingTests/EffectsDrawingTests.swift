import Drawing
import Dynamics
import Evidence
import GraphDrawing
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct EffectsDrawingTests {
  private let cell = ElectrolysisCell()

  private var points: Matrix {
    var stream = RandomStream(seed: 12)
    return Matrix(rows: 60, columns: 13) { _, _ in stream.normal() }
  }

  /// Three members; every sixth pair is undecided, of the last rate nothing is explained.
  private func chosen(members: Int = 3) async throws -> PairDrawing.Chosen {
    var ensemble = Ensemble(
      name: "e",
      members: (1...members).map { seed in
        var stream = RandomStream(seed: UInt64(seed))
        return Model(
          network: ExampleNetworks.random(
            [13, 10, 8], density: 0.2, skip: true, activation: .tanh, &stream),
          inputs: cell.variables, outputs: cell.states.map(\.rate), inputScaling: .identity(13),
          outputScaling: .identity(8), timeStep: 10)
      })
    ensemble.evidence = EnsembleEvidence(
      outputs: ensemble.outputs.map(\.name), inputs: ensemble.inputs.map(\.name),
      pairs: (0..<8).map { output in
        (0..<13).map { input in
          PairEvidence(
            effect: 0.1, low: 0.001, high: 0.2, signed: 0.1, cost: 0, costError: nil, statistic: 1,
            verdict: (output * 13 + input) % 6 == 0 ? .undecided : .present)
        }
      }, explained: [0.99, 0.9, 0.8, nil, 0.7, 0.6, 0.5, 0.01], alone: [], groups: [])
    return PairDrawing.Chosen(
      ensemble, relevance: try await EnsembleRelevance(ensemble, over: points, threads: 1),
      rule: .relevant(above: 0.05))
  }

  private func drawing(_ chosen: PairDrawing.Chosen, outputs: [Int] = []) -> Graph {
    EffectsDrawing(
      chosen, effects: chosen.ensemble.members.map { PartialEffects($0, over: points) },
      outputs: outputs, title: "t"
    ).graph
  }

  @Test func everyPairThatCountsOrIsUndecidedHasItsCurve() async throws {
    let chosen = try await chosen()
    let graph = drawing(chosen)
    let selected = chosen.selection.consensus
    let wanted = selected.indices.filter { pair in
      selected[pair] || (pair % 6 == 0 && chosen.relevance.mean.elements[pair] > 0)
    }
    let boxes = graph.nodes.filter { $0.kind.hasPrefix("effect") }
    #expect(Set(boxes.map(\.id)) == Set(wanted.map { "effect-\($0 / 13)-\($0 % 13)" }))
    for kind in ["curve", "zero"] {
      #expect(graph.edges.count { $0.kind == kind } == wanted.count)
    }
    #expect(graph.edges.count { $0.kind == "member" } == 3 * wanted.count)
    #expect(Set(graph.edges.map(\.drawingID).filter { !$0.isEmpty }).count == 5 * wanted.count)
    let dotted = graph.edges.filter { $0.kind == "curve" && $0.attributes["style"] == "dotted" }
    #expect(
      Set(dotted.map(\.from))
        == Set(wanted.filter { $0 % 6 == 0 }.map { "effect-\($0 / 13)-\($0 % 13)" }))
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
    #expect(Set(graph.nodes.map(\.id)).count == graph.nodes.count)
    #expect(graph.nodes.contains { $0.label == "nothing explained" })
  }

  @Test func inputsOfARateStandInTheOrderOfTheirEffects() async throws {
    let chosen = try await chosen()
    let graph = drawing(chosen, outputs: [2])
    let boxes = graph.nodes.filter { $0.kind.hasPrefix("effect") }
    #expect(!boxes.isEmpty && boxes.allSatisfy { $0.id.hasPrefix("effect-2-") })
    let read = boxes.sorted {
      guard let a = $0.frame, let b = $1.frame else { return false }
      return (-a.top, a.left) < (-b.top, b.left)
    }.compactMap { Int($0.id.dropFirst("effect-2-".count)) }
    #expect(read.count == boxes.count)
    let sizes = read.map { chosen.relevance.mean[2, $0] }
    #expect(sizes == sizes.sorted(by: >))
  }

  @Test func curvesStayWithinTheirBoxesAndHaveOneScale() async throws {
    let chosen = try await chosen()
    let graph = drawing(chosen, outputs: [0])
    var extremes: [Double] = []
    for edge in graph.edges where ["curve", "member", "zero"].contains(edge.kind) {
      let box = try #require(graph.nodes.first { $0.id == edge.from }?.frame)
      for point in edge.curve {
        #expect(point.x > box.left && point.x < box.right)
        #expect(point.y > box.bottom && point.y < box.top)
        extremes.append(point.y - box.bottom)
      }
    }
    // The row's largest curve fills its box but for three points above and below.
    #expect(abs((extremes.min() ?? 0) - 3) < 1e-9 && abs((extremes.max() ?? 0) - 49) < 1e-9)
  }

  @Test func manyMembersAreShownByTheirLowestAndHighest() async throws {
    let chosen = try await chosen(members: 14)
    let graph = drawing(chosen, outputs: [1])
    let count = graph.nodes.count { $0.kind.hasPrefix("effect") }
    #expect(count > 0 && graph.edges.count { $0.kind == "member" } == 2 * count)
    #expect(graph.nodes.contains { $0.label == "lowest and highest member" })
  }

  // MARK: Heat map

  @Test func theMapHasACellForEveryPairWithItsSignAndVerdict() async throws {
    let chosen = try await chosen()
    let graph = RelevanceMap(chosen, title: "t").graph
    let cells = graph.nodes.filter { $0.kind.hasPrefix("cell") }
    #expect(cells.count == 8 * 13)
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
    for (pair, cell) in cells.enumerated() {
      #expect(cell.id == "cell-\(pair / 13)-\(pair % 13)")
      let (mean, magnitude) = (
        chosen.relevance.signedMean.elements[pair], chosen.relevance.mean.elements[pair]
      )
      let label = try #require(cell.label)
      #expect(cell.kind.contains("verdict-undecided") == (pair % 6 == 0))
      #expect((cell.attributes["style"] == "filled,dotted") == (pair % 6 == 0))
      #expect(label.hasPrefix("?") == (pair % 6 == 0))
      guard magnitude > 0 else {
        #expect(label == (pair % 6 == 0 ? "?" : "·"))
        continue
      }
      let sign = abs(mean) < 0.5 * magnitude ? "±" : mean < 0 ? "−" : "+"
      #expect(label.contains(sign) && cell.kind.contains(mean < 0 ? "negative" : "positive"))
    }
  }

  @Test func aLineDividesStatesFromControls() async throws {
    let graph = RelevanceMap(try await chosen(), title: "t").graph
    let line = try #require(graph.edges.first { $0.kind == "divider" }?.curve)
    func cells(_ isWanted: (Int) -> Bool) -> [Graph.Frame] {
      graph.nodes.compactMap { node in
        guard node.kind.hasPrefix("cell"),
          let input = node.id.split(separator: "-").last.flatMap({ Int($0) }), isWanted(input)
        else { return nil }
        return node.frame
      }
    }
    #expect(cells { $0 < 8 }.allSatisfy { $0.right < line[0].x })
    #expect(cells { $0 >= 8 }.allSatisfy { $0.left > line[0].x })
  }
}
