/// An order of the nodes within the columns of a layered drawing that has few crossings of straight edges between
/// neighbouring columns: sweeps that move every node to the mean or the median of its neighbours (Sugiyama, Tagawa
/// & Toda 1981; Eades & Wormald 1994), then sifting: every node goes to its best place among the others.
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
  /// Crossings before any node is moved.
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
    sift()
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

  // MARK: Sifting

  /// Rounds in which every node goes to the place in its column where it crosses least, the others keeping their
  /// order (Matuszewski, Schönfeld & Molitor 1999), for as long as a round saves a thousandth of the crossings, and
  /// within a limit of work: a round compares every two nodes of a column.
  private mutating func sift() {
    var work = 0
    for _ in 0..<Self.mostRounds {
      var gain = 0
      for column in order.indices where !isFixed[column] {
        let side = Self.Sides(
          left: column > 0
            ? (predecessors[column - 1], Self.places(order[column - 1])) : nil,
          right: column + 1 < order.count
            ? (successors[column], Self.places(order[column + 1])) : nil)
        work += order[column].count * (side.values.count + order[column].count)
        guard work < Self.mostWork else { return }
        gain += sift(column, side)
      }
      crossings -= gain
      if gain * 1000 <= crossings { break }
    }
  }

  private static let mostRounds = 30
  private static let mostWork = 100_000_000

  /// The places of the neighbours of each node of a column, sorted, side by side.
  private struct Sides {
    var values: [Int32] = []
    /// Of side s, those of node n are `starts[s][n]..<starts[s][n + 1]`.
    var starts: [[Int]] = []

    init(left: ([[Int]], [Int])?, right: ([[Int]], [Int])?) {
      for case (let neighbours, let places)? in [left, right] {
        var starts: [Int] = [values.count]
        for near in neighbours {
          values += near.map { Int32(places[$0]) }.sorted()
          starts.append(values.count)
        }
        self.starts.append(starts)
      }
    }

    /// How many more crossings there are with `upper` above `lower` than the other way round: pairs of their
    /// neighbours with the upper's below the lower's, less those with it above.
    func excess(_ upper: Int, _ lower: Int) -> Int {
      var total = 0
      values.withUnsafeBufferPointer { values in
        for starts in starts {
          let (first, last) = (starts[lower], starts[lower + 1])
          // Neighbours of the lower that are above, and that are not below, the upper's at hand.
          var (above, notBelow) = (first, first)
          for index in starts[upper]..<starts[upper + 1] {
            let place = values[index]
            while above < last && values[above] < place { above += 1 }
            notBelow = max(notBelow, above)
            while notBelow < last && values[notBelow] == place { notBelow += 1 }
            total += (above - first) - (last - notBelow)
          }
        }
      }
      return total
    }
  }

  /// Returns how many crossings it saved.
  private mutating func sift(_ column: Int, _ sides: Sides) -> Int {
    var gain = 0
    for node in Array(order[column]) {
      guard let place = order[column].firstIndex(of: node) else { continue }
      var best = (saved: 0, place: place)
      var saved = 0
      for above in stride(from: place - 1, through: 0, by: -1) {
        saved += sides.excess(order[column][above], node)
        if saved > best.saved { best = (saved, above) }
      }
      saved = 0
      for below in (place + 1)..<max(place + 1, order[column].count) {
        saved += sides.excess(node, order[column][below])
        if saved > best.saved { best = (saved, below) }
      }
      guard best.saved > 0 else { continue }
      order[column].remove(at: place)
      order[column].insert(node, at: best.place)
      gain += best.saved
    }
    return gain
  }
}
