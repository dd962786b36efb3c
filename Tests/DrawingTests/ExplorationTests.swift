import Drawing
import Dynamics
import Evidence
import Foundation
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

/// What a page to explore holds, read back from it.
@Suite struct ExplorationTests {
  private static let members = 3

  private static var points: Matrix {
    var stream = RandomStream(seed: 5)
    return Matrix(rows: 80, columns: 4) { _, _ in stream.normal() }
  }

  private static func ensemble(members: Int = members, sizes: [Int] = [4, 6, 2]) -> Ensemble {
    Ensemble(
      name: "small",
      members: (1...members).map { seed in
        var stream = RandomStream(seed: UInt64(seed))
        let inputs = sizes[0]
        let outputs = sizes[sizes.count - 1]
        return Model(
          network: ExampleNetworks.random(
            sizes, density: 0.6, skip: true, activation: .tanh, &stream),
          inputs: (0..<inputs).map {
            Variable("z\($0)", unit: "m", role: $0 < outputs ? .state : .control)
          },
          outputs: (0..<outputs).map { Variable("z\($0)", unit: "m/s", role: .state) },
          inputScaling: Standardisation(
            mean: [Double](repeating: 1, count: inputs), deviation: (1...inputs).map(Double.init)),
          outputScaling: Standardisation(
            mean: [Double](repeating: 0, count: outputs),
            deviation: (1...outputs).map { 3 * Double($0) }),
          timeStep: 1)
      })
  }

  private struct Content: Decodable {
    struct Pair: Decodable {
      var output: Int
      var input: Int
      var votes: Int
      var weight: Double
      var net: Double
      var effect: Double?
      var magnitude: Double?
      var slope: Double?
      var members: [Double]?
      var curve: [Double]?
      var curves: [[Double]]?
    }
    struct Node: Decodable {
      var kind: String
      var number: Int?
      var numbers: [Int]?
      var x: Double
      var y: Double
      var width: Double
    }
    struct Edges: Decodable {
      var source: [Int]
      var target: [Int]
      var weight: [Double]
      var effect: [Double]?
      var count: [Int]?
    }
    struct Route: Decodable {
      var output: Int
      var input: Int
      var nodes: [Int]
      var product: Double
      var effect: Double?
    }
    struct View: Decodable {
      var kind: String
      var member: Int?
      var nodes: [Node]
      var edges: Edges
      var routes: [Route]
    }
    var members: Int
    var first: Int
    var notes: [String]
    var pairs: [Pair]
    var views: [View]
    var pinned: [String: Int]
  }

  private func content(
    _ ensemble: Ensemble, over points: Matrix?,
    _ change: (inout Exploration.Options) -> Void = { _ in }
  ) async throws -> Content {
    var options = Exploration.Options()
    options.tolerance = 0
    change(&options)
    let page = try await Exploration(ensemble, over: points, options: options, threads: 2).page()
    let begin = try #require(page.range(of: "id=\"model\">"))
    let end = try #require(page[begin.upperBound...].range(of: "</script>"))
    return try JSONDecoder().decode(
      Content.self, from: Data(page[begin.upperBound..<end.lowerBound].utf8))
  }

  private func isNear(_ a: Double?, _ b: Double) -> Bool {
    a.map { abs($0 - b) <= 6e-4 * max(abs(b), 1e-12) } ?? false
  }

  /// Means, magnitudes, physical slopes and curves are those of the analyses.
  @Test func numbersAreThoseOfTheAnalyses() async throws {
    let ensemble = Self.ensemble()
    let found = try await content(ensemble, over: Self.points)
    let relevance = try await EnsembleRelevance(ensemble, over: Self.points, threads: 1)
    let effects = ensemble.members.map { PartialEffects($0, over: Self.points) }
    let paths = ensemble.members.map { PathAnalysis($0.network) }
    #expect(found.pairs.count == 8 && found.members == 3)
    for pair in found.pairs {
      let (o, i) = (pair.output, pair.input)
      #expect(isNear(pair.effect, relevance.signedMean[o, i]))
      #expect(isNear(pair.magnitude, relevance.mean[o, i]))
      let unit: Double = 3 * Double(o + 1) / Double(i + 1)
      #expect(isNear(pair.slope, relevance.signedMean[o, i] * unit))
      let strength: Double = paths.map { $0.strength[o, i] }.mean
      let net: Double = paths.map { $0.positive[o, i] - $0.negative[o, i] }.mean
      let votes: Int = relevance.members.count { $0.meanMagnitude[o, i] > 0.01 }
      #expect(isNear(pair.weight, strength) && isNear(pair.net, net) && pair.votes == votes)
      #expect(pair.members?.count == 3 && pair.curves?.count == 3)
      let curve = try #require(pair.curve)
      for (place, value) in curve.enumerated() {
        let mean: Double = effects.map { $0.curves[o][i][place] }.mean
        // Near zero four digits of what is added are fewer of the sum.
        #expect(isNear(value, mean) || abs(value - mean) < 1e-9)
      }
    }
  }

  /// Every weight is an edge between the nodes that it joins, from left to right; paths go along edges.
  @Test func networksAreWhole() async throws {
    let ensemble = Self.ensemble()
    let found = try await content(ensemble, over: Self.points)
    #expect(found.views.map(\.kind) == ["pairs", "network", "network", "network"])
    for view in found.views {
      for (source, target) in zip(view.edges.source, view.edges.target) {
        #expect(view.nodes[source].x < view.nodes[target].x)
      }
    }
    for (model, view) in zip(ensemble.members, found.views.dropFirst()) {
      let live = LiveStructure(model.network).network
      #expect(view.edges.weight.count == live.survivingWeightCount)
      let drawn = view.edges.weight.reduce(0.0) { sum, weight in sum + weight * weight }
      var whole = 0.0
      for connection in live.layers.flatMap(\.connections) {
        for weight in connection.weight.elements { whole += weight * weight }
      }
      #expect(isNear(drawn, whole))
      let weights = Dictionary(
        uniqueKeysWithValues: zip(
          zip(view.edges.source, view.edges.target).map { [$0, $1] }, view.edges.weight))
      for route in view.routes {
        let along = try zip(route.nodes, route.nodes.dropFirst()).map {
          try #require(weights[[$0, $1]])
        }
        let product: Double = along.reduce(1, *)
        // Four digits of each factor.
        #expect(abs(route.product - product) <= 3e-3 * abs(product))
        #expect(view.nodes[route.nodes[0]].number == route.input)
        #expect(view.nodes[route.nodes[route.nodes.count - 1]].number == route.output)
        // A slope of tanh lies between 0 and 1.
        let effect = try #require(route.effect)
        #expect(abs(effect) <= abs(route.product) * 1.001)
      }
      for (pair, routes) in Dictionary(grouping: view.routes, by: { [$0.output, $0.input] }) {
        #expect(routes.count <= 5, "\(pair)")
        let sizes = routes.map { abs($0.effect ?? 0) }
        #expect(sizes == sizes.sorted(by: >))
      }
    }
  }

  @Test func withoutDataAllIsByWeight() async throws {
    let found = try await content(Self.ensemble(), over: nil)
    #expect(found.pairs.allSatisfy { $0.effect == nil && $0.curve == nil && $0.votes > 0 })
    #expect(found.views.dropFirst().allSatisfy { $0.edges.effect == nil })
    #expect(found.views[1].routes.allSatisfy { $0.effect == nil })
    #expect(found.first == 0)
  }

  /// In the stated order, and said.
  @Test func whatIsTooMuchIsLeftOutAndSaid() async throws {
    let ensemble = Self.ensemble(members: 4)
    let all = try await content(ensemble, over: Self.points)
    #expect(all.notes.isEmpty && all.views.count == 5)
    let found = try await content(ensemble, over: Self.points) { options in
      options.limits.memberCurves = 2
      options.limits.detailedPairs = 3
      options.limits.edges = 2 * ensemble.members[2].network.survivingWeightCount
      options.limits.pairs = 6
      options.start.member = 2
    }
    #expect(
      found.notes == [
        "of 4 members, curves show the lowest and the highest",
        "paths, values of each member and curves are given of the 3 strongest of 8 pairs",
        "of 4 members, the networks of \(found.views.count - 1) are given",
        "6 of 8 pairs are given, the strongest",
      ])
    #expect(found.pairs.count == 6 && found.pairs.count { $0.curve != nil } == 3)
    #expect(found.pairs.allSatisfy { $0.curves?.count ?? 2 == 2 })
    #expect(found.views.contains { $0.member == 2 } && found.views.count < 5)
    #expect(found.views[found.first].member == 2)
    let kept = found.pairs.compactMap(\.magnitude).min() ?? 0
    let left = all.pairs.filter { pair in
      !found.pairs.contains { $0.output == pair.output && $0.input == pair.input }
    }
    #expect(left.count == 2 && left.allSatisfy { ($0.magnitude ?? 0) <= kept })
  }

  /// Of a network by groups every variable is in one of its nodes, and every weight in one of its edges.
  @Test func groupsHoldEverything() async throws {
    let ensemble = Self.ensemble(members: 1, sizes: [40, 30, 20])
    let found = try await content(ensemble, over: nil) { $0.limits.weights = 100 }
    let view = found.views[1]
    #expect(view.kind == "groups" && found.notes.contains { $0.contains("by groups of units") })
    func numbers(_ kind: String) -> [Int] {
      view.nodes.filter { $0.kind == kind }.flatMap { $0.numbers ?? [] }.sorted()
    }
    #expect(numbers("input") == Array(0..<40) && numbers("output") == Array(0..<20))
    #expect(
      view.edges.count?.reduce(0, +)
        == LiveStructure(ensemble.members[0].network).network.survivingWeightCount)
  }

  /// An undecided pair is shown even where the models do without it; a model without weights is a page without edges.
  @Test func undecidedPairsAndEmptyModelsAreShown() async throws {
    var ensemble = Self.ensemble(members: 1)
    ensemble.members[0].network = ensemble.members[0].network.cut(1e9)
    let empty = try await content(ensemble, over: Self.points)
    #expect(empty.pairs.isEmpty && empty.views.allSatisfy { $0.edges.source.isEmpty })
    ensemble.evidence = EnsembleEvidence(
      outputs: ensemble.outputs.map(\.name), inputs: ensemble.inputs.map(\.name),
      pairs: (0..<2).map { output in
        (0..<4).map { input in
          PairEvidence(
            effect: 0, low: 0, high: nil, signed: 0, cost: 0, costError: .infinity, statistic: 0,
            verdict: output == 1 && input == 3 ? .undecided : .absent)
        }
      }, explained: [nil, 0.01], alone: [], groups: [])
    let undecided = try await content(ensemble, over: Self.points)
    #expect(undecided.pairs.map { [$0.output, $0.input] } == [[1, 3]])
    #expect(undecided.views[0].edges.source.count == 1)
  }
}
