import GraphDrawing

/// Parts of a drawing put beside and below each other.
package enum Sheet {
  /// Width over height that a page of panels is to come near.
  private static let pageShape = 4.0 / 3

  /// In columns of balanced height, read downwards; as many columns as come nearest to a page's shape, and no more than
  /// there is room for.
  static func columns(_ parts: [Graph], gap: (x: Double, y: Double), room: Double? = nil) -> Graph {
    let frames = parts.map { $0.bounds ?? Graph.Frame(centre: Point(0, 0), width: 0, height: 0) }
    let heights = frames.map { $0.height + gap.y }
    let widest = (frames.map(\.width).max() ?? 0) + gap.x
    let most = room.map { max(1, Int(($0 + gap.x) / widest)) } ?? 6
    let splits = (1...max(1, min(6, most, parts.count))).map { balanced(heights, into: $0) }
    func height(_ split: [[Int]]) -> Double {
      split.map { $0.reduce(0) { $0 + heights[$1] } }.max() ?? 0
    }
    func unlikeness(_ split: [[Int]]) -> Double {
      Self.unlikeness(width: Double(split.count) * widest, height: height(split))
    }
    let split = splits.min { unlikeness($0) < unlikeness($1) } ?? []
    let tallest = height(split) - gap.y
    var sheet = Graph(name: "sheet")
    for (column, numbers) in split.enumerated() {
      let own = numbers.reduce(0) { $0 + heights[$1] } - gap.y
      // What is left over goes between the parts, up to a point.
      let spare =
        numbers.count > 1 ? min(2 * gap.y, (tallest - own) / Double(numbers.count - 1)) : 0
      var top = 0.0
      for number in numbers {
        let frame = frames[number]
        sheet.add(
          parts[number].moved(by: Point(Double(column) * widest - frame.left, top - frame.top)))
        top -= heights[number] + spare
      }
    }
    return sheet
  }

  /// In rows and columns, each as high and wide as its largest part; aligned on the left and in the middle.
  static func grid(_ rows: [[Graph]], gap: (x: Double, y: Double)) -> Graph {
    let empty = Graph.Frame(centre: Point(0, 0), width: 0, height: 0)
    let frames = rows.map { $0.map { $0.bounds ?? empty } }
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
      frames.compactMap { $0.indices.contains(column) ? $0[column].width : nil }.max() ?? 0
    }
    var sheet = Graph(name: "sheet")
    var top = 0.0
    for (row, parts) in rows.enumerated() {
      let height = frames[row].map(\.height).max() ?? 0
      var left = 0.0
      for (column, part) in parts.enumerated() {
        let frame = frames[row][column]
        sheet.add(
          part.moved(by: Point(left - frame.left, top - height / 2 - frame.centre.y)))
        left += widths[column] + gap.x
      }
      top -= height + gap.y
    }
    return sheet
  }

  /// How far from a page's shape, as a factor.
  static func unlikeness(_ sheet: Graph) -> Double {
    unlikeness(width: sheet.bounds?.width ?? 1, height: sheet.bounds?.height ?? 1)
  }

  private static func unlikeness(width: Double, height: Double) -> Double {
    let ratio = max(1, width) / max(1, height) / pageShape
    return max(ratio, 1 / ratio)
  }

  /// Splits consecutive items into `count` columns so that the highest column is as low as possible.
  package static func balanced(_ heights: [Double], into count: Int) -> [[Int]] {
    guard !heights.isEmpty else { return [] }
    // best[k][n]: the least height of the first n items in k + 1 columns, and where the last begins.
    var best = [(0...heights.count).map { (heights[..<$0].reduce(0, +), 0) }]
    for column in 1..<max(1, count) {
      best.append(
        (0...heights.count).map { end in
          (0...end).map { begin in
            (max(best[column - 1][begin].0, heights[begin..<end].reduce(0, +)), begin)
          }.min { $0 < $1 } ?? (0, 0)
        })
    }
    var result: [[Int]] = []
    var end = heights.count
    for column in best.indices.reversed() {
      let begin = column == 0 ? 0 : best[column][end].1
      result.insert(Array(begin..<end), at: 0)
      end = begin
    }
    return result
  }
}
