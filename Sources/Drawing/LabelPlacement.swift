import GraphDrawing

/// Where the labels of curves stand: each on its own curve, off the boxes, off each other where possible, and on as
/// few other curves as possible.
package enum LabelPlacement {
  /// Shares of the way along a curve at which a label may stand, the best first.
  private static let stations = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.12, 0.88]

  /// - Parameters:
  ///   - labelled: numbers of the curves with a label.
  ///   - clearOf: boxes that no label may cover.
  /// - Returns: the middle of each label, in the order of `labelled`.
  package static func places(
    _ labelled: [Int], along curves: [[Point]], widths: [Double], height: Double,
    clearOf boxes: [Graph.Frame]
  ) -> [Point] {
    let traces = curves.map { DrawingStyle.points(on: $0, 60) }
    var taken: [Graph.Frame] = []
    var result = [Point](repeating: Point(0, 0), count: labelled.count)
    // The most confined first: those of short curves.
    let order = labelled.indices.sorted {
      let (a, b) = (length(traces[labelled[$0]]), length(traces[labelled[$1]]))
      return a != b ? a < b : $0 < $1
    }
    for number in order {
      let curve = labelled[number]
      let candidates = stations.map { station in
        Graph.Frame(
          centre: traces[curve][Int(station * 60)], width: widths[number], height: height)
      }
      let costs = candidates.enumerated().map { rank, frame in
        let covered = boxes.reduce(0) { $0 + overlap(frame, $1) }
        let hidden = taken.reduce(0) { $0 + overlap(frame, $1) }
        let crossed = traces.indices.count { other in
          other != curve && traces[other].contains { contains(frame, $0) }
        }
        return 100 * covered + 10 * hidden + Double(crossed) + 0.1 * Double(rank)
      }
      let best = costs.indices.min { costs[$0] < costs[$1] } ?? 0
      taken.append(candidates[best])
      result[number] = candidates[best].centre
    }
    return result
  }

  private static func overlap(_ a: Graph.Frame, _ b: Graph.Frame) -> Double {
    let width = min(a.right, b.right) - max(a.left, b.left)
    let height = min(a.top, b.top) - max(a.bottom, b.bottom)
    return width > 0 && height > 0 ? width * height : 0
  }

  private static func contains(_ frame: Graph.Frame, _ point: Point) -> Bool {
    abs(point.x - frame.centre.x) <= frame.width / 2
      && abs(point.y - frame.centre.y) <= frame.height / 2
  }

  private static func length(_ trace: [Point]) -> Double {
    zip(trace, trace.dropFirst()).reduce(0) { $0 + ($1.1 - $1.0).length }
  }
}
