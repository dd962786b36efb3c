import Dynamics
import Foundation
import GraphDrawing

/// States on a circle, each drawn once; controls outside it, near the states that they drive.
struct CirclePlaces {
  /// All nodes: the inputs by their numbers, then outputs that are no input.
  let boxes: VariableColumn
  private let outputNode: [Int]
  private let middle = Point(0, 0)
  /// Wider than high, because boxes are.
  private static let flattening = 1.35

  /// Of distances, against those of a whole page.
  private let scale: Double

  init(inputs: [Variable], outputs: [Variable], links: [PairLink], size: DrawingSize = .full) {
    scale = size == .full ? 1 : 0.5
    var variables = inputs
    outputNode = outputs.map { output in
      if let input = inputs.firstIndex(where: { $0.name == output.name }) { return input }
      variables.append(output)
      return variables.count - 1
    }
    let nodes = outputNode
    let onCircle = variables.indices.filter {
      $0 >= inputs.count || inputs[$0].role == .state || nodes.contains($0)
    }
    let outside = variables.indices.filter { !onCircle.contains($0) }
    let scale = scale
    let radius = scale * max(80, 17 * Double(onCircle.count))
    var angle = [Double](repeating: 0, count: variables.count)
    let order = Self.order(onCircle, links, outputNode)
    for (rank, node) in order.enumerated() {
      angle[node] = .pi / 2 - 2 * .pi * Double(rank) / Double(order.count)
    }
    Self.placeOutside(outside, &angle, links, outputNode)
    boxes = VariableColumn(
      variables: variables, numbers: Array(variables.indices),
      centres: variables.indices.map { node in
        let reach = outside.contains(node) ? radius + 75 * scale : radius
        return Point(
          Self.flattening * reach * Double.cos(angle[node]), reach * Double.sin(angle[node]))
      }, width: VariableColumn.width(of: variables, isOutput: false, size: size), isOutput: false,
      size: size)
  }

  func nodeOfOutput(_ output: Int) -> Int { outputNode[output] }

  /// The order round the circle in which strong links are short, found by exchanging two at a time while that
  /// helps.
  private static func order(_ nodes: [Int], _ links: [PairLink], _ outputNode: [Int])
    -> [Int]
  {
    var order = nodes
    func cost(_ order: [Int]) -> Double {
      var place: [Int: Int] = [:]
      for (rank, node) in order.enumerated() { place[node] = rank }
      return links.reduce(0) { sum, link in
        guard let a = place[link.input], let b = place[outputNode[link.output]] else { return sum }
        let apart = abs(a - b)
        return sum + link.strength * Double(min(apart, order.count - apart))
      }
    }
    var least = cost(order)
    var improves = order.count <= 40
    while improves {
      improves = false
      for a in order.indices {
        for b in order.indices where b > a {
          order.swapAt(a, b)
          let now = cost(order)
          if now < least - 1e-12 * abs(least) {
            least = now
            improves = true
          } else {
            order.swapAt(a, b)
          }
        }
      }
    }
    return order
  }

  /// At the mean direction of what they drive, then apart from each other.
  private static func placeOutside(
    _ nodes: [Int], _ angle: inout [Double], _ links: [PairLink], _ outputNode: [Int]
  ) {
    guard !nodes.isEmpty else { return }
    for node in nodes {
      let driven = links.filter { $0.input == node }
      let x = driven.reduce(0) { $0 + $1.strength * Double.cos(angle[outputNode[$1.output]]) }
      let y = driven.reduce(0) { $0 + $1.strength * Double.sin(angle[outputNode[$1.output]]) }
      angle[node] = Double.hypot(x, y) > 1e-9 ? Double.atan2(y: y, x: x) : -.pi / 2
    }
    let apart = min(0.55, 2 * .pi / Double(nodes.count))
    let order = nodes.sorted { (angle[$0], $0) < (angle[$1], $1) }
    // Rounds of pushing neighbours from each other.
    for _ in 0..<200 {
      var moved = false
      for (rank, node) in order.enumerated() {
        let next = order[(rank + 1) % order.count]
        guard next != node else { continue }
        let gap = angle[next] - angle[node] + (rank == order.count - 1 ? 2 * .pi : 0)
        guard gap < apart - 1e-9 else { continue }
        angle[node] -= (apart - gap) / 2
        angle[next] += (apart - gap) / 2
        moved = true
      }
      if !moved { break }
    }
  }

  // MARK: Curves

  private static let arrowLength = 5.0

  /// The curves of the links. Those that meet a box on one side are spread along it, in the order in which they come, so
  /// that one sees which is which.
  func curves(of links: [PairLink]) -> [(curve: [Point], tip: Point)] {
    var curves = links.map { curve(from: $0.input, to: $0.output) }
    var meeting: [Meeting: [(link: Int, isTip: Bool, along: Double)]] = [:]
    for (number, link) in links.enumerated() where link.input != outputNode[link.output] {
      let (curve, tip) = curves[number]
      for (node, point, control, isTip) in [
        (link.input, curve[0], curve[1], false), (outputNode[link.output], tip, curve[2], true),
      ] {
        let side = self.side(of: node, at: point)
        let along = side.isLevel ? control.x : control.y
        meeting[side, default: []].append((number, isTip, along))
      }
    }
    for (side, ends) in meeting where ends.count > 1 {
      let order = ends.sorted {
        ($0.along, $0.link, $0.isTip ? 1 : 0) < ($1.along, $1.link, $1.isTip ? 1 : 0)
      }
      let length = (side.isLevel ? boxes.width : boxes.size.boxHeight) - 0.6 * boxes.size.boxHeight
      let step = min(0.9 * boxes.size.fontSize, length / Double(ends.count - 1))
      for (rank, end) in order.enumerated() {
        let offset = step * (Double(rank) - Double(ends.count - 1) / 2)
        let point = side.point(boxes, offset)
        if end.isTip {
          curves[end.link].tip = point
          let back = (curves[end.link].curve[2] - point).unit * Self.arrowLength
          curves[end.link].curve[3] = point + back
        } else {
          curves[end.link].curve[0] = point
        }
      }
    }
    return curves
  }

  /// One side of a box.
  private struct Meeting: Hashable {
    var node: Int
    /// Above and below; otherwise left and right.
    var isLevel: Bool
    /// Above or right.
    var isPositive: Bool

    func point(_ boxes: VariableColumn, _ offset: Double) -> Point {
      let centre = boxes.centres[node]
      let sign = isPositive ? 1.0 : -1
      return isLevel
        ? Point(centre.x + offset, centre.y + sign * boxes.size.boxHeight / 2)
        : Point(centre.x + sign * boxes.width / 2, centre.y + offset)
    }
  }

  private func side(of node: Int, at point: Point) -> Meeting {
    let way = point - boxes.centres[node]
    let isLevel = abs(way.y) / boxes.size.boxHeight >= abs(way.x) / boxes.width
    return Meeting(node: node, isLevel: isLevel, isPositive: isLevel ? way.y > 0 : way.x > 0)
  }

  /// The curve from box to box, bent slightly to its right, so that the two directions are two lines; a loop
  /// outside the circle for a state that drives itself.
  private func curve(from input: Int, to output: Int) -> (curve: [Point], tip: Point) {
    let (from, to) = (boxes.centres[input], boxes.centres[outputNode[output]])
    if input == outputNode[output] { return loop(at: from) }
    // There and back bend to different sides; further where a box that is neither's stands in the way.
    let bends = [0.16, 0.3, 0.05, 0.45, -0.12, 0.6, -0.3, 0.8, -0.5, -0.8].map {
      bent(from, to, by: $0)
    }
    return bends.min { covered($0.curve, from, to) < covered($1.curve, from, to) } ?? bends[0]
  }

  private func bent(_ from: Point, _ to: Point, by bend: Double) -> (curve: [Point], tip: Point) {
    let way = to - from
    let side = Point(way.y, -way.x) * bend
    let (first, second) = (from + way * (1.0 / 3) + side, from + way * (2.0 / 3) + side)
    let start = border(from, towards: first)
    let tip = border(to, towards: second)
    let back = (second - tip).unit * Self.arrowLength
    return ([start, first, second, tip + back], tip)
  }

  /// How much of a curve lies behind boxes that it does not join, in sixtieths.
  private func covered(_ curve: [Point], _ from: Point, _ to: Point) -> Int {
    let others = boxes.centres.filter { $0 != from && $0 != to }
    return DrawingStyle.points(on: curve, 60).count { point in
      others.contains {
        abs($0.x - point.x) < boxes.width / 2 + 2
          && abs($0.y - point.y) < boxes.size.boxHeight / 2 + 2
      }
    }
  }

  private func loop(at centre: Point) -> (curve: [Point], tip: Point) {
    let outward = loopDirection(at: centre)
    let along = Point(outward.y, -outward.x)
    let first = centre + outward * (62 * scale) + along * (-34 * scale)
    let second = centre + outward * (62 * scale) + along * (34 * scale)
    let start = border(centre, towards: centre + outward * (30 * scale) + along * (-16 * scale))
    let tip = border(centre, towards: centre + outward * (30 * scale) + along * (16 * scale))
    let back = (second - tip).unit * Self.arrowLength
    return ([start, first, second, tip + back], tip)
  }

  /// Away from the middle, or turned aside where another box stands in the way.
  private func loopDirection(at centre: Point) -> Point {
    let outward = (centre - middle).length > 0 ? (centre - middle).unit : Point(0, 1)
    let directions = [0, 0.9, -0.9, 1.5, -1.5].map { angle in
      Point(
        outward.x * Double.cos(angle) - outward.y * Double.sin(angle),
        outward.x * Double.sin(angle) + outward.y * Double.cos(angle))
    }
    func room(_ direction: Point) -> Double {
      let apex = centre + direction * (45 * scale)
      return boxes.centres.filter { $0 != centre }.map { other in
        max(
          abs(apex.x - other.x) - boxes.width / 2, abs(apex.y - other.y) - boxes.size.boxHeight / 2)
      }.min() ?? .infinity
    }
    return directions.first { room($0) >= 24 * scale }
      ?? directions.max { room($0) < room($1) } ?? outward
  }

  /// Where the way from a box's middle leaves the box.
  private func border(_ centre: Point, towards point: Point) -> Point {
    let way = point - centre
    let shares = [
      abs(way.x) > 0 ? boxes.width / 2 / abs(way.x) : .infinity,
      abs(way.y) > 0 ? boxes.size.boxHeight / 2 / abs(way.y) : .infinity,
    ]
    return centre + way * (shares.min() ?? 1)
  }
}
