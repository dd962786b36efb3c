/// New samples on an even clock: states interpolated linearly, controls held at their last value.
///
/// Nothing is invented between two values that lie too far apart in time.
struct Resampling {
  let step: Double
  let rule: TableSettings.GapRule

  func apply(to table: inout RawTable) -> Sampling {
    let width = table.columns.count
    let usual = Self.usualDistance(table)
    var values: [Double] = []
    var segments: [RawTable.Segment] = []
    var places: [[Int]] = []
    let old = table.rowCount
    // A gap is more than three usual steps of a variable, which may come more seldom than rows.
    let limits = (0..<width).map { column in
      max(
        3.5 * Self.distance(table, column, usual), 1.5 * step,
        rule == .usual ? 0 : Double(rule.limit) * step)
    }
    for segment in table.segments {
      let series = (0..<width).map { column in
        segment.rows.filter { !table.values[$0 * width + column].isNaN }
      }
      guard let first = segment.rows.first, let last = segment.rows.last else { continue }
      let start = table.times[first]
      let count = Int(min(1e9, ((table.times[last] - start) / step + 1e-6).rounded(.down))) + 1
      var cursors = [Int](repeating: 0, count: width)
      var kept: [Int] = []
      let begin = width == 0 ? 0 : values.count / width
      for place in 0..<count {
        let moment = start + Double(place) * step
        var row = [Double](repeating: .nan, count: width)
        for column in 0..<width {
          let rows = series[column]
          while cursors[column] + 1 < rows.count,
            table.times[rows[cursors[column] + 1]] <= moment + 1e-9 * step
          { cursors[column] += 1 }
          row[column] = value(table, column, rows, cursors[column], moment, limits[column])
        }
        let hasState = row.indices.contains(where: {
          table.columns[$0].role != .control && !row[$0].isNaN
        })
        guard hasState else { continue }
        values += row
        kept.append(place)
      }
      guard !kept.isEmpty else { continue }
      segments.append(.init(name: segment.name, rows: begin..<(begin + kept.count)))
      places.append(kept)
    }
    table.values = values
    table.segments = segments
    table.times = []
    table.wordColumns = []
    table.report.add(
      .done,
      "resampled from \(Words.counted(old, "row")), mostly \(Words.time(usual)) apart, to \(Words.time(step)): states linear, inputs held"
    )
    if step > 2.5 * usual {
      table.report.add(
        .found, "only a part of the rows is used: \(Words.time(step)) is longer than their distance"
      )
    }
    var sampling = Sampling()
    sampling.step = step
    let isComplete = places.allSatisfy { $0.count == ($0.last ?? 0) + 1 && $0.first == 0 }
    sampling.places = isComplete ? nil : places.map { row in row.map { $0 - (row.first ?? 0) } }
    return sampling
  }

  /// The median time between rows; where variables are recorded at times of their own, between values of that which
  /// is recorded most often.
  static func usualDistance(_ table: RawTable) -> Double {
    let usual = Sampling.medianStep(table)
    guard table.unevenness != nil else { return usual }
    return table.columns.indices.map { distance(table, $0, usual) }.min() ?? usual
  }

  /// The median time between values of a column.
  private static func distance(_ table: RawTable, _ column: Int, _ usual: Double) -> Double {
    let width = table.columns.count
    var distances: [Double] = []
    for segment in table.segments {
      var last: Double?
      for row in segment.rows where !table.values[row * width + column].isNaN {
        if let last { distances.append(table.times[row] - last) }
        last = table.times[row]
        if distances.count > 20_000 { break }
      }
    }
    distances.sort()
    return distances.isEmpty ? usual : distances[distances.count / 2]
  }

  private func value(
    _ table: RawTable, _ column: Int, _ rows: [Int], _ cursor: Int, _ moment: Double,
    _ limit: Double
  ) -> Double {
    let width = table.columns.count
    guard cursor < rows.count else { return .nan }
    let row = rows[cursor]
    let (time, value) = (table.times[row], table.values[row * width + column])
    guard time <= moment + 1e-9 * step else { return .nan }
    if table.columns[column].role == .control { return value }
    if abs(time - moment) <= 1e-9 * step { return value }
    guard cursor + 1 < rows.count else { return .nan }
    let next = rows[cursor + 1]
    let (later, following) = (table.times[next], table.values[next * width + column])
    guard later - time <= limit, later > time else { return .nan }
    return value + (moment - time) / (later - time) * (following - value)
  }
}
