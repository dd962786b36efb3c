import Drawing
import Dynamics
import Evidence
import GraphDrawing
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct PairDrawingTests {
  private let cell = ElectrolysisCell()

  private func ensemble(_ name: String, seeds: ClosedRange<UInt64>, density: Double = 0.12)
    -> Ensemble
  {
    Ensemble(
      name: name,
      members: seeds.map { seed in
        var stream = RandomStream(seed: seed)
        return Model(
          network: ExampleNetworks.random([13, 10, 8], density: density, skip: true, &stream),
          inputs: cell.variables, outputs: cell.states.map(\.rate), inputScaling: .identity(13),
          outputScaling: .identity(8), timeStep: 10)
      })
  }

  private func points(_ count: Int = 40) -> Matrix {
    var stream = RandomStream(seed: 99)
    return Matrix(rows: count, columns: 13) { _, _ in stream.normal() }
  }

  private func chosen(_ ensemble: Ensemble) async throws -> PairDrawing.Chosen {
    PairDrawing.Chosen(
      ensemble,
      relevance: try await EnsembleRelevance(ensemble, over: points(), threads: 1),
      rule: .relevant(above: 0.05))
  }

  /// A plant of which every third pair is real, and every fifth in doubt.
  private var truth: PlantTruth {
    let relevance = Matrix(rows: 8, columns: 13) { row, column in
      let pair = row * 13 + column
      return pair % 3 == 0 ? 0.5 : pair % 5 == 0 ? 0.005 : 0
    }
    return PlantTruth(relevance: relevance, physical: relevance, samples: 1, samplesLeftOut: 0)
  }

  private func kinds(_ graph: Graph) -> [String: Int] {
    Dictionary(
      grouping: graph.edges.filter { $0.kind.hasPrefix("dependency") }, by: \.kind
    ).mapValues(\.count)
  }

  // MARK: Kinds

  @Test func dependenciesAreTheConsensusWithItsSigns() async throws {
    let chosen = try await chosen(ensemble("e", seeds: 1...3))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.columns)
    let selected = chosen.selection.consensus
    let signed = chosen.relevance.signedMean.elements
    let negative = selected.indices.count { selected[$0] && signed[$0] < 0 }
    #expect(
      kinds(graph) == [
        "dependency negative": negative,
        "dependency positive": selected.count { $0 } - negative,
      ])
    let drawn = Set(graph.edges.map(\.drawingID))
    for pair in selected.indices {
      #expect(drawn.contains("input-\(pair % 13)--output-\(pair / 13)") == selected[pair])
    }
  }

  @Test func aPlantTellsFoundMissedAndSpuriousApart() async throws {
    let chosen = try await chosen(ensemble("e", seeds: 4...6, density: 0.3))
    let graph = PairDrawing.judged(chosen, by: truth, plant: "p", title: "t").graph(.columns)
    let score = StructureScore(selected: chosen.selection.consensus, truth: truth)
    #expect(
      score.found > 3 && score.missed > 3 && score.spurious > 3 && score.uncertainSelected > 0)
    #expect(
      kinds(graph) == [
        "dependency found": score.found, "dependency missed": score.missed,
        "dependency spurious": score.spurious, "dependency weak": score.uncertainSelected,
      ])
    let text = graph.nodes.compactMap(\.label)
    #expect(text.contains("missed (\(score.missed))"))
    // Told apart without colour as well.
    func styles(_ kind: String) -> Set<String> {
      Set(graph.edges.filter { $0.kind == kind }.compactMap { "\($0.attributes["style"]!)" })
    }
    let all = ["found", "missed", "spurious"].map { styles("dependency \($0)") }
    #expect(all.allSatisfy { $0.count == 1 } && Set(all).count == 3)
  }

  // MARK: Evidence

  /// Every fourth pair undecided, every fourth absent, the rest present; of the last rate nothing is explained.
  /// - Parameter undecided: pairs that are undecided as well.
  private func withEvidence(_ ensemble: Ensemble, undecided: [Int] = []) -> Ensemble {
    var result = ensemble
    let verdicts: [Verdict] = [.undecided, .present, .absent, .present]
    result.evidence = EnsembleEvidence(
      outputs: ensemble.outputs.map(\.name), inputs: ensemble.inputs.map(\.name),
      pairs: (0..<8).map { output in
        (0..<13).map { input in
          PairEvidence(
            effect: 0.1, low: 0.001, high: 0.2, signed: 0.1, cost: 0, costError: nil, statistic: 1,
            verdict: undecided.contains(output * 13 + input)
              ? .undecided : verdicts[(output * 13 + input) % 4])
        }
      }, explained: [0.99, 0.9, 0.8, nil, 0.7, 0.6, 0.5, 0.01], alone: [],
      groups: [])
    return result
  }

  @Test(arguments: [PairDrawing.Layout.columns, .circle])
  func undecidedPairsAreDottedWhetherSelectedOrNot(layout: PairDrawing.Layout) async throws {
    let bare = ensemble("e", seeds: 1...3)
    let selected = try await self.chosen(bare).selection.consensus
    let first = try #require(selected.indices.first { selected[$0] })
    let chosen = try await chosen(withEvidence(bare, undecided: [first]))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(layout)
    let edges = graph.edges.filter { $0.kind.hasPrefix("dependency") }
    let undecided = selected.indices.filter { $0 % 4 == 0 || $0 == first }
    #expect(edges.count == Set(selected.indices.filter { selected[$0] } + undecided).count)
    #expect(undecided.contains { !selected[$0] } && undecided.contains { selected[$0] })
    let dotted = edges.filter { $0.attributes["style"] == "dotted" }
    #expect(
      Set(dotted.map(\.drawingID))
        == Set(undecided.map { "input-\($0 % 13)--output-\($0 / 13)" }))
    #expect(dotted.allSatisfy { $0.kind.hasSuffix("verdict-undecided") })
    #expect(dotted.allSatisfy { $0.tooltip?.contains("the data say undecided") == true })
    #expect(
      dotted.allSatisfy { $0.attributes["arrowhead"] == (layout == .circle ? "onormal" : "none") })
    let texts = graph.nodes.compactMap(\.label)
    #expect(texts.contains("undecided (\(undecided.count))"))
    #expect(texts.contains { $0.contains("nothing explained of") })
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
    if layout == .columns {
      #expect(texts.contains("R² 0.99") && texts.contains("nothing explained"))
      #expect(!texts.contains("R² 0.01"))
    }
    let ends = graph.nodes.compactMap(\.tooltip).filter { $0.contains("R² 0.90 on held-out data") }
    #expect(ends.count == 1)
  }

  @Test func programsAreToldEffectSignAndVerdict() async throws {
    let chosen = try await chosen(withEvidence(ensemble("e", seeds: 1...3)))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.columns)
    let data = graph.edges.compactMap(\.data)
    #expect(data.count == graph.edges.count { $0.kind.hasPrefix("dependency") })
    for edge in data {
      guard case .number(let effect)? = edge["effect"], case .number(let weight)? = edge["weight"]
      else {
        Issue.record("an edge without effect")
        continue
      }
      #expect(abs(effect) <= weight + 1e-12)
      #expect(edge["sign"] == .integer(effect > 0 ? 1 : effect < 0 ? -1 : 0))
      #expect(edge["verdict"] != nil)
    }
    // Boxes of both columns, and nothing of titles and legends.
    #expect(graph.nodes.count { $0.data != nil } == 13 + 8)
  }

  @Test func withoutEvidenceAPictureSaysNothingOfIt() async throws {
    let chosen = try await chosen(ensemble("e", seeds: 1...3))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.columns)
    #expect(!graph.nodes.contains { $0.label?.contains("R²") == true })
    #expect(!graph.edges.contains { $0.kind.contains("verdict") })
  }

  @Test func aConsensusCountsVotes() {
    let ensemble = ensemble("e", seeds: 1...5, density: 0.15)
    let selection = Selection(connectedPairsOf: ensemble)
    let graph = PairDrawing.consensus(ensemble, selection, condition: "c", title: "t")
      .graph(.columns)
    let votes = selection.frequency.map { Int(($0 * 5).rounded()) }
    var expected: [String: Int] = [:]
    for vote in votes where vote > 0 {
      expected["dependency \(vote == 5 ? "unanimous" : vote > 2 ? "most" : "some")", default: 0] +=
        1
    }
    #expect(kinds(graph) == expected && expected.count == 3)
    let labels = graph.nodes.filter { $0.id.hasPrefix("label-") }.compactMap(\.label)
    let divided = votes.filter { $0 > 0 && $0 < 5 }
    // At most 60, those of the most votes.
    #expect(labels.sorted() == divided.sorted().suffix(60).map { "\($0)/5" })
  }

  @Test func aDifferenceTellsOnlyLeftOnlyRightAndChangedApart() {
    let (a, b) = (ensemble("a", seeds: 1...1), ensemble("b", seeds: 2...2))
    let left = (0..<104).map { $0 % 2 == 0 }
    let right = (0..<104).map { $0 % 3 == 0 }
    let sizes = (0..<104).map { $0 % 12 == 0 ? 2.0 : 1.0 }
    let graph = PairDrawing.difference(
      a, b, pairs: (left, right), sizes: (left.map { $0 ? 1 : 0 }, sizes), change: 0.1,
      condition: "c", measure: "m", title: "t"
    ).graph(.columns)
    // Of 18 common pairs (multiples of 6) the 9 multiples of 12 have changed from 1 to 2.
    #expect(
      kinds(graph) == [
        "dependency left": 34, "dependency right": 17, "dependency changed": 9,
        "dependency both": 9,
      ])
    #expect(graph.nodes.contains { $0.label == "1→2" })
    #expect(graph.summary.contains("34 only in a, 17 only in b"))
  }

  /// The same sizes, but one pair's effect is reversed.
  @Test func anEffectThatTurnsRoundIsAChange() {
    let (a, b) = (ensemble("a", seeds: 1...1), ensemble("b", seeds: 2...2))
    let all = (0..<104).map { $0 < 4 }
    let sizes = all.map { $0 ? 1.0 : 0 }
    let turned = sizes.enumerated().map { $0 == 2 ? -$1 : $1 }
    func graph(_ signed: ([Double], [Double])?) -> Graph {
      PairDrawing.difference(
        a, b, pairs: (all, all), sizes: (sizes, sizes), signed: signed, change: 0.1, condition: "c",
        measure: "m", title: "t"
      ).graph(.columns)
    }
    let seen = graph((sizes, turned))
    #expect(kinds(seen) == ["dependency changed": 1, "dependency both": 3])
    #expect(
      seen.nodes.contains { $0.label == "+1→−1" } && seen.summary.contains("of them 1 changed"))
    #expect(kinds(graph(nil)) == ["dependency both": 4] && !graph(nil).summary.contains("changed"))
  }

  // MARK: Layouts

  /// A line behind a box that it does not join reads as another pair.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func edgesOfACircleGoRoundBoxes(seed: UInt64) async throws {
    let chosen = try await chosen(ensemble("e", seeds: seed...seed, density: 0.08))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.circle)
    let boxes = graph.nodes.filter { $0.kind.hasPrefix("input") }
    for edge in graph.edges where edge.kind.hasPrefix("dependency") {
      for box in boxes where box.id != edge.from && box.id != edge.to {
        let frame = try #require(box.frame)
        let behind = (0...100).contains { step in
          let point = bezier(edge.curve, Double(step) / 100)
          return abs(point.x - frame.centre.x) < frame.width / 2 - 1
            && abs(point.y - frame.centre.y) < frame.height / 2 - 1
        }
        #expect(!behind, "\(edge.from) → \(edge.to) behind \(box.id)")
      }
    }
  }

  private func bezier(_ c: [Point], _ t: Double) -> Point {
    let s = 1 - t
    let w = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t]
    return Point(
      zip(w, c).reduce(0) { $0 + $1.0 * $1.1.x }, zip(w, c).reduce(0) { $0 + $1.0 * $1.1.y })
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func labelsKeepOffBoxesAndEachOther(seed: UInt64) async throws {
    let chosen = try await chosen(ensemble("e", seeds: seed...seed, density: 0.08))
    let drawing = PairDrawing.dependencies(chosen, title: "t")
    for layout in [PairDrawing.Layout.columns, .circle] {
      let graph = drawing.graph(layout)
      #expect(graph.nodes.contains { $0.id.hasPrefix("label-") })
      #expect(graph.overlaps.isEmpty, "\(layout): \(graph.overlaps)")
    }
  }

  @Test func aCircleHasEveryStateOnceWithLoopsAndArrows() async throws {
    let chosen = try await chosen(ensemble("e", seeds: 1...1, density: 0.4))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.circle)
    let boxes = graph.nodes.filter { $0.kind.hasPrefix("input") }
    #expect(boxes.count == 13)
    let edges = graph.edges.filter { $0.kind.hasPrefix("dependency") }
    #expect(edges.count == chosen.selection.consensus.count { $0 })
    #expect(edges.allSatisfy { $0.tip != nil && $0.attributes["arrowhead"] == "normal" })
    #expect(edges.contains { $0.from == $0.to })
    // Arrows end at the border of the box of the state whose rate it is.
    for edge in edges {
      let frame = try #require(boxes.first { $0.id == edge.to }?.frame)
      let tip = try #require(edge.tip)
      let reach = max(
        abs(tip.x - frame.centre.x) / (frame.width / 2),
        abs(tip.y - frame.centre.y) / (frame.height / 2))
      #expect(abs(reach - 1) < 1e-6)
    }
    // There and back are two lines.
    for edge in edges {
      guard let back = edges.first(where: { $0.from == edge.to && $0.to == edge.from }),
        edge.from != edge.to
      else { continue }
      #expect(edge.curve[1] != back.curve[2])
    }
  }

  @Test func anOutputThatIsNoInputHasABoxOfItsOwn() async throws {
    var stream = RandomStream(seed: 1)
    let names = ["a", "b"].map { Variable($0, role: .state) }
    let ensemble = Ensemble(
      name: "e",
      members: [
        Model(
          network: ExampleNetworks.random([2, 4, 1], density: 1, skip: false, &stream),
          inputs: names,
          outputs: [Variable("c", role: .state).rate], inputScaling: .identity(2),
          outputScaling: .identity(1), timeStep: 1)
      ])
    let chosen = PairDrawing.Chosen(
      ensemble,
      relevance: try await EnsembleRelevance(
        ensemble, over: Matrix([[1, 2], [3, 5]]), threads: 1),
      rule: .relevant(above: 0))
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.circle)
    #expect(graph.nodes.count { $0.kind.hasPrefix("input") || $0.kind.hasPrefix("output") } == 3)
  }

  @Test func ofManyLabelsTheStrongestAreWrittenAndThatIsSaid() async throws {
    let chosen = try await chosen(ensemble("e", seeds: 1...1, density: 0.9))
    #expect(chosen.selection.consensus.count { $0 } > 90)
    let graph = PairDrawing.dependencies(chosen, title: "t").graph(.columns)
    #expect(graph.nodes.count { $0.id.hasPrefix("label-") } == 60)
    #expect(graph.nodes.contains { $0.label?.contains("60 strongest are labelled") ?? false })
  }

  @Test func placesOfLabelsAvoidWhatIsThere() {
    let curve = (0..<4).map { Point(100 * Double($0) / 3, 0) }
    let wall = Graph.Frame(centre: Point(50, 0), width: 30, height: 30)
    let place = LabelPlacement.places(
      [0], along: [curve], widths: [12], height: 8, clearOf: [wall])[0]
    #expect(abs(place.x - 50) >= 21 && place.y == 0)
    let two = LabelPlacement.places(
      [0, 1], along: [curve, curve], widths: [12, 12], height: 8, clearOf: [])
    #expect(abs(two[0].x - two[1].x) >= 12)
  }
}
