/// An order of the nodes within the columns of a layered drawing in which straight edges between neighbouring
/// columns cross little: sweeps that move every node to the mean or the median of its neighbours (Sugiyama, Tagawa
/// & Toda 1981; Eades & Wormald 1994), then exchanges of neighbours as long as one helps.
package struct LayerOrdering {
  /// An edge from a node of one column to a node of the next, both by their number within the column.
  package struct Edge: Equatable {
    package var source: Int
    package var target: Int

    package init(source: Int, target: Int) {
      self.source = source
      self.target = target
    }
  }

  /// Per column, whether its nodes stay where they are, and the nodes from the top down.
  private let isFixed: [Bool]
  package private(set) var order: [[Int]]
  /// Per gap between columns and node: its neighbours on the other side.
  private let successors: [[[Int]]]
  private let predecessors: [[[Int]]]
  package private(set) var crossings: Int
  /// Before anything was moved.
  package let crossingsAtFirst: Int

  private static let mostSweeps = 40
  private static let patience = 6

  /// - Parameters:
  ///   - counts: nodes per column.
  ///   - edges: per gap between two columns.
  ///   - isFixed: columns whose order must stay.
  package init(counts: [Int], edges: [[Edge]], isFixed: [Bool]) {
    precondition(counts.count == isFixed.count && edges.count == max(0, counts.count - 1))
    self.isFixed = isFixed
    order = counts.map { Array(0..<$0) }
    var successors = counts.dropLast().map { [[Int]](repeating: [], count: $0) }
    var predecessors = counts.dropFirst().map { [[Int]](repeating: [], count: $0) }
    for (gap, edges) in edges.enumerated() {
      for edge in edges {
        successors[gap][edge.source].append(edge.target)
        predecessors[gap][edge.target].append(edge.source)
      }
    }
    self.successors = Array(successors)
    self.predecessors = Array(predecessors)
    crossingsAtFirst = Self.crossings(order, self.successors)
    crossings = crossingsAtFirst
    guard isFixed.contains(false) else { return }
    sweep()
    exchange()
  }

  // MARK: Counting

  /// Pairs of edges that cross where the nodes stand in the order of their numbers.
  package static func crossings(counts: [Int], edges: [[Edge]]) -> Int {
    LayerOrdering(
      counts: counts, edges: edges, isFixed: Array(repeating: true, count: counts.count)
    ).crossings
  }

  /// Pairs of edges that cross, by counting inversions with a Fenwick tree: O(E log V).
  private static func crossings(_ order: [[Int]], _ successors: [[[Int]]]) -> Int {
    zip(order, order.dropFirst()).enumerated().reduce(0) { sum, gap in
      sum + crossings(from: gap.element.0, to: places(gap.element.1), successors[gap.offset])
    }
  }

  private static func crossings(from order: [Int], to places: [Int], _ successors: [[Int]]) -> Int {
    var tree = [Int](repeating: 0, count: places.count + 1)
    var total = 0
    var seen = 0
    for node in order {
      let targets = successors[node].map { places[$0] }
      for target in targets {
        var index = target + 1
        var above = 0
        while index > 0 {
          above += tree[index]
          index &= index - 1
        }
        total += seen - above
      }
      for target in targets {
        var index = target + 1
        while index < tree.count {
          tree[index] += 1
          index += index & -index
        }
      }
      seen += targets.count
    }
    return total
  }

  /// Where each node stands.
  private static func places(_ order: [Int]) -> [Int] {
    var places = [Int](repeating: 0, count: order.count)
    for (place, node) in order.enumerated() { places[node] = place }
    return places
  }

  // MARK: Sweeps

  private mutating func sweep() {
    var best = order
    var idle = 0
    for round in 0..<Self.mostSweeps where idle < Self.patience {
      let usesMedian = round % 4 >= 2
      let columns = round.isMultiple(of: 2) ? Array(order.indices) : order.indices.reversed()
      for column in columns where !isFixed[column] {
        let wantsLeft = round.isMultiple(of: 2) ? column > 0 : column == order.count - 1
        arrange(column, byLeft: wantsLeft, usesMedian: usesMedian)
      }
      let found = Self.crossings(order, successors)
      if found < crossings {
        crossings = found
        best = order
        idle = 0
      } else {
        idle += 1
      }
    }
    order = best
  }

  /// Nodes without neighbours on that side stay about where they were.
  private mutating func arrange(_ column: Int, byLeft: Bool, usesMedian: Bool) {
    let neighbours = byLeft ? predecessors[column - 1] : successors[column]
    let other = Self.places(order[byLeft ? column - 1 : column + 1])
    let scale = Double(other.count) / Double(max(1, order[column].count))
    let keys = order[column].enumerated().map { place, node -> (key: Double, place: Int) in
      let near = neighbours[node].map { other[$0] }
      if near.isEmpty { return (Double(place) * scale, place) }
      if usesMedian {
        let sorted = near.sorted()
        let (low, high) = (sorted[(sorted.count - 1) / 2], sorted[sorted.count / 2])
        return (Double(low + high) / 2, place)
      }
      return (Double(near.reduce(0, +)) / Double(near.count), place)
    }
    let old = order[column]
    order[column] = keys.sorted { $0 < $1 }.map { old[$0.place] }
  }

  // MARK: Exchanges

  private mutating func exchange() {
    for _ in 0..<20 {
      var gain = 0
      for column in order.indices where !isFixed[column] { gain += exchange(in: column) }
      crossings -= gain
      if gain == 0 { break }
    }
  }

  /// One pass over neighbours in a column; returns how many crossings it saved.
  private mutating func exchange(in column: Int) -> Int {
    func sorted(_ neighbours: [[Int]], _ places: [Int]) -> [[Int]] {
      neighbours.map { $0.map { places[$0] }.sorted() }
    }
    var sides: [[[Int]]] = []
    if column > 0 { sides.append(sorted(predecessors[column - 1], Self.places(order[column - 1]))) }
    if column + 1 < order.count {
      sides.append(sorted(successors[column], Self.places(order[column + 1])))
    }
    var gain = 0
    for place in order[column].indices.dropLast() {
      let (upper, lower) = (order[column][place], order[column][place + 1])
      let change = sides.reduce(0) { sum, side in
        sum + Self.inversions(side[upper], side[lower]) - Self.inversions(side[lower], side[upper])
      }
      if change > 0 {
        order[column].swapAt(place, place + 1)
        gain += change
      }
    }
    return gain
  }

  /// Pairs (a, b) with a below b, a of the first list and b of the second: crossings if the first stands above.
  private static func inversions(_ first: [Int], _ second: [Int]) -> Int {
    var total = 0
    var below = 0
    for value in first {
      while below < second.count && second[below] < value { below += 1 }
      total += below
    }
    return total
  }
}
