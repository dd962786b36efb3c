import Drawing
import LinearAlgebra
import Testing

@Suite struct LayerOrderingTests {
  typealias Edge = LayerOrdering.Edge

  private func random(_ counts: [Int], share: Double, _ stream: inout RandomStream) -> [[Edge]] {
    zip(counts, counts.dropFirst()).map { first, second in
      (0..<first).flatMap { source in
        (0..<second).compactMap { target in
          stream.uniform() < share ? Edge(source: source, target: target) : nil
        }
      }
    }
  }

  /// Every two edges of a gap.
  private func counted(_ edges: [[Edge]], _ order: [[Int]]) -> Int {
    let places = order.map { column in
      Dictionary(uniqueKeysWithValues: column.enumerated().map { ($1, $0) })
    }
    var total = 0
    for (gap, edges) in edges.enumerated() {
      for (index, a) in edges.enumerated() {
        for b in edges[..<index] {
          let sources = (places[gap][a.source] ?? 0) - (places[gap][b.source] ?? 0)
          let targets = (places[gap + 1][a.target] ?? 0) - (places[gap + 1][b.target] ?? 0)
          if sources * targets < 0 { total += 1 }
        }
      }
    }
    return total
  }

  @Test(arguments: 1...8)
  func crossingsAreThoseOfAllPairs(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let counts = [7, 9, 5, 6]
    let edges = random(counts, share: 0.3, &stream)
    #expect(
      LayerOrdering.crossings(counts: counts, edges: edges)
        == counted(edges, counts.map { Array(0..<$0) }))
    let fixed = seed.isMultiple(of: 2) ? [true, false, false, true] : [false, false, false, false]
    let ordering = LayerOrdering(counts: counts, edges: edges, isFixed: fixed)
    #expect(ordering.crossings == counted(edges, ordering.order))
    #expect(ordering.crossings <= ordering.crossingsAtFirst)
    for (column, order) in ordering.order.enumerated() {
      #expect(order.sorted() == Array(0..<counts[column]))
      if fixed[column] { #expect(order == Array(0..<counts[column])) }
    }
  }

  /// What can be drawn without a crossing is.
  @Test func aShuffledMatchingIsUntangled() {
    var stream = RandomStream(seed: 3)
    var shuffled = Array(0..<30)
    stream.shuffle(&shuffled)
    let edges = [
      (0..<30).map { Edge(source: $0, target: shuffled[$0]) },
      (0..<30).map { Edge(source: shuffled[$0], target: $0) },
    ]
    let ordering = LayerOrdering(
      counts: [30, 30, 30], edges: edges, isFixed: [true, false, true])
    #expect(ordering.crossingsAtFirst > 100 && ordering.crossings == 0)
  }

  /// Against the best of all orders of the column in the middle.
  @Test(arguments: 1...6)
  func smallDrawingsAreNearlyAsGoodAsAnyOrder(seed: UInt64) {
    var stream = RandomStream(seed: 100 + seed)
    let counts = [6, 6, 4]
    let edges = random(counts, share: 0.5, &stream)
    var best = Int.max
    func permute(_ order: [Int], _ rest: [Int]) {
      if rest.isEmpty {
        best = min(best, counted(edges, [Array(0..<6), order, Array(0..<4)]))
      }
      for (index, node) in rest.enumerated() {
        var others = rest
        others.remove(at: index)
        permute(order + [node], others)
      }
    }
    permute([], Array(0..<6))
    let ordering = LayerOrdering(counts: counts, edges: edges, isFixed: [true, false, true])
    #expect(Double(ordering.crossings) <= 1.1 * Double(best) + 1)
  }

  @Test func emptyColumnsAndNoColumnsAreNothing() {
    #expect(LayerOrdering.crossings(counts: [], edges: []) == 0)
    #expect(
      LayerOrdering(counts: [3, 0, 2], edges: [[], []], isFixed: [true, false, true]).crossings == 0
    )
  }
}
