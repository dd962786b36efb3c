import Dynamics

extension Sampling {
  /// Puts rows into runs and order.
  static func arrange(_ table: inout RawTable) throws(FileProblem) {
    separateRuns(&table)
    guard !table.times.isEmpty else {
      throw table.malformed(
        "",
        "there is no time: name its column with --time, or say how far rows are apart with --sampling 5s"
      )
    }
    if table.isClockOnly { passMidnight(&table) }
    if table.isLocalTime { undoDaylightSaving(&table) }
    restart(&table)
    orderRows(&table)
  }

  /// Rows of a named run together, runs in the order in which they come.
  private static func separateRuns(_ table: inout RawTable) {
    guard !table.runs.isEmpty else {
      table.segments = [.init(name: "", rows: 0..<table.rowCount)]
      return
    }
    var isTogether = true
    var seen = Set<Int32>()
    var order: [Int32] = []
    var previous: Int32?
    for run in table.runs where run != previous {
      if seen.insert(run).inserted { order.append(run) } else { isTogether = false }
      previous = run
    }
    if !isTogether {
      var rows: [Int32: [Int]] = [:]
      for (row, run) in table.runs.enumerated() { rows[run, default: []].append(row) }
      table.choose(order.flatMap { rows[$0] ?? [] })
    }
    var start = 0
    for run in order {
      var end = start
      while end < table.runs.count, table.runs[end] == run { end += 1 }
      let name = run >= 0 && Int(run) < table.runNames.count ? table.runNames[Int(run)] : "?"
      table.segments.append(.init(name: name, rows: start..<end))
      start = end
    }
  }

  private static func passMidnight(_ table: inout RawTable) {
    var days = 0
    for segment in table.segments {
      var shift = 0.0
      for row in segment.rows.dropFirst() {
        let difference = table.times[row] + shift - table.times[row - 1]
        if difference < -43200 {
          shift += 86400
          days += 1
        }
        table.times[row] += shift
      }
    }
    if days > 0 {
      table.report.add(.done, "the clock passes midnight \(days == 1 ? "once" : "\(days) times")")
    }
  }

  /// Local times jump by an hour on two Sundays of the year.
  private static func undoDaylightSaving(_ table: inout RawTable) {
    guard let start = table.start else { return }
    let usual = medianStep(table)
    guard usual > 0, usual < 3600 else { return }
    for segment in table.segments {
      var shift = 0.0
      for row in segment.rows.dropFirst() {
        let local = table.times[row]
        let difference = local + shift - table.times[row - 1]
        for hour in [3600.0, -3600]
        where abs(difference - usual - hour) <= max(0.05 * usual, 1.5 * table.resolution) {
          let days = (Double(start.nanoseconds) * 1e-9 + local) / 86400
          let isSunday = (Int(days.rounded(.down)) % 7 + 7) % 7 == 3
          let time = (days - days.rounded(.down)) * 24
          let month = CalendarStamp.date(days: Int(days.rounded(.down))).month
          guard isSunday, time <= 4.01,
            hour > 0 ? (3...4).contains(month) || [9, 10].contains(month) : true
          else { continue }
          shift -= hour
          table.report.add(
            .done,
            "local time is put \(hour > 0 ? "forward" : "back") by an hour at \(CalendarStamp.text(nanoseconds: start.nanoseconds + Int64(local * 1e9), isUTC: false)) (daylight saving); the clock is made even"
          )
        }
        table.times[row] = local + shift
      }
    }
  }

  /// The median of the positive differences of a few thousand neighbours.
  static func medianStep(_ table: RawTable) -> Double {
    var steps: [Double] = []
    let stride = max(1, table.times.count / 20_000)
    for segment in table.segments {
      var row = segment.rows.lowerBound + 1
      while row < segment.rows.upperBound {
        let step = abs(table.times[row] - table.times[row - 1])
        if step > 0 { steps.append(step) }
        row += stride
      }
    }
    steps.sort()
    return steps.isEmpty ? 0 : steps[steps.count / 2]
  }

  /// A clock that starts again begins another run.
  private static func restart(_ table: inout RawTable) {
    let usual = medianStep(table)
    var result: [RawTable.Segment] = []
    var restarts = 0
    for segment in table.segments {
      let back = segment.rows.dropFirst().filter { table.times[$0] < table.times[$0 - 1] }
      let isRestart =
        !back.isEmpty && back.count * 4 < segment.rows.count && table.start == nil
        && back.allSatisfy {
          table.times[$0] <= table.times[segment.rows.lowerBound] + 10.5 * usual
            && table.times[$0 - 1] - table.times[$0] > 1.5 * usual
        }
      guard isRestart else {
        result.append(segment)
        continue
      }
      restarts += back.count
      let bounds = [segment.rows.lowerBound] + back + [segment.rows.upperBound]
      for (index, (start, end)) in zip(bounds, bounds.dropFirst()).enumerated() {
        result.append(
          .init(
            name: segment.name.isEmpty ? "\(index)" : "\(segment.name).\(index)", rows: start..<end)
        )
      }
    }
    table.segments = result
    if restarts > 0 {
      table.report.add(
        .done,
        "the clock begins anew \(restarts == 1 ? "once" : "\(restarts) times"): \(result.count) trajectories"
      )
    }
  }

  private static func orderRows(_ table: inout RawTable) {
    let isInOrder = table.segments.allSatisfy { segment in
      segment.rows.dropFirst().allSatisfy { table.times[$0] > table.times[$0 - 1] }
    }
    if isInOrder { return }
    var order: [Int] = []
    var isChanged = false
    var segments: [RawTable.Segment] = []
    var (reversed, sorted, twice, differing) = (0, 0, 0, 0)
    for segment in table.segments {
      var rows = Array(segment.rows)
      var back = 0
      var equal = 0
      for row in segment.rows.dropFirst() {
        if table.times[row] < table.times[row - 1] { back += 1 }
        if table.times[row] == table.times[row - 1] { equal += 1 }
      }
      if back > 0 {
        isChanged = true
        if back + equal == rows.count - 1 {
          rows.reverse()
          reversed += 1
        } else {
          rows.sort { (table.times[$0], $0) < (table.times[$1], $1) }
          sorted += back
          equal = zip(rows, rows.dropFirst()).count { table.times[$0] == table.times[$1] }
        }
      }
      // Many equal stamps are a clock that is read out more coarsely than samples are taken.
      if equal > 0 && equal * 5 < rows.count {
        isChanged = true
        var kept: [Int] = []
        for row in rows {
          guard let last = kept.last, table.times[last] == table.times[row] else {
            kept.append(row)
            continue
          }
          if table.areEqual(last, row) { twice += 1 } else { differing += 1 }
        }
        rows = kept
      }
      let start = order.count
      order += rows
      segments.append(.init(name: segment.name, rows: start..<order.count))
    }
    if isChanged {
      table.choose(order)
      table.segments = segments
    }
    let report = [
      (reversed, "rows run backwards in time and were turned round"),
      (
        sorted > 0 ? 1 : 0,
        "rows were not in the order of time (\(Words.counted(sorted, "step")) back) and were sorted"
      ),
      (twice, "\(Words.counted(twice, "row")) given twice: taken once"),
      (
        differing,
        "\(Words.counted(differing, "row")) at a time that was there already, with other values: left out"
      ),
    ]
    for (count, text) in report where count > 0 { table.report.add(.done, text) }
  }
}

extension RawTable {
  /// Whether two rows hold the same values.
  func areEqual(_ a: Int, _ b: Int) -> Bool {
    let width = columns.count
    return (0..<width).allSatisfy {
      let (x, y) = (values[a * width + $0], values[b * width + $0])
      return x == y || x.isNaN && y.isNaN
    }
  }
}
