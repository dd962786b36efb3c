import Dynamics

/// Cleans columns: words, switches, numbers that stand for missing values, impossible values.
enum ColumnCleaning {
  /// Leaves out columns without numbers, and refuses unexplained words among numbers.
  static func apply(_ table: inout RawTable, _ settings: TableSettings) throws(FileProblem) {
    applyQuality(&table)
    var kept: [Int] = []
    var empty: [String] = []
    for (index, column) in table.columns.enumerated() {
      let filled = column.numberCount + column.switchCount + column.strangeCount
      if filled == 0 {
        empty.append(column.name)
        continue
      }
      if column.strangeCount > 0 {
        guard column.strangeCount * 2 < filled else {
          table.report.add(
            .leftOut,
            "\(Words.shown(column.name)) holds words (\"\(Words.shown(column.firstStrange?.text ?? "", limit: 20))\" …)"
          )
          continue
        }
        try refuse(column, table)
      }
      if column.switchCount > 0 {
        let width = table.columns.count
        let isSwitch =
          column.numberCount == 0
          || stride(from: index, to: table.values.count, by: width).allSatisfy {
            table.values[$0].isNaN || table.values[$0] == 0 || table.values[$0] == 1
          }
        guard isSwitch else {
          throw table.malformed(
            column.place,
            "words as on and off stand among numbers; say what they are, for example with --missing off"
          )
        }
        table.report.add(.done, "\(Words.shown(column.name)): words as on and off are 1 and 0")
      }
      kept.append(index)
    }
    if !empty.isEmpty {
      table.report.add(.leftOut, "\(Words.listed(empty)) \(empty.count == 1 ? "is" : "are") empty")
    }
    let texts = table.wordColumns.map { column in
      Words.shown(column.heading)
        + (column.words.first.map {
          " (\"\(Words.shown($0, limit: 16))\"\(column.words.count > 1 ? " …" : ""))"
        } ?? "")
    }
    if !texts.isEmpty {
      table.report.add(
        .leftOut,
        "words in \(texts.prefix(4).joined(separator: ", "))\(texts.count > 4 ? " and \(texts.count - 4) more columns" : "")"
      )
    }
    let first = table.columns.first { $0.strangeCount > 0 }
    table.keepColumns(kept)
    guard !kept.isEmpty else {
      let found = first?.firstStrange.map {
        " (line \($0.line), \(first?.place ?? ""): \"\(Words.shown($0.text, limit: 40))\")"
      }
      throw table.malformed("", "no column of variables holds numbers\(found ?? "")")
    }
  }

  private static func refuse(_ column: RawTable.Column, _ table: RawTable) throws(FileProblem) {
    guard let first = column.firstStrange else { return }
    let text = Words.shown(first.text, limit: 40)
    let isNumber = Double(first.text.trimmed) != nil
    let count = column.strangeCount > 1 ? " (\(column.strangeCount) such cells)" : ""
    throw table.malformed(
      "line \(first.line), \(column.place)",
      isNumber
        ? "\(text) is not a finite number\(count); remove that trajectory or fill the gap, or take it for missing with --missing \(text)"
        : "\"\(text)\" is not a number\(count); where it stands for a missing value, say so with --missing \"\(text)\""
    )
  }

  /// "level.quality" beside "level": values that are not good become missing.
  private static func applyQuality(_ table: inout RawTable) {
    let endings = ["quality", "status", "qual", "flag", "state", "q", "validity", "confidence"]
    let width = table.columns.count
    for words in table.wordColumns where !words.isFull {
      let heading = words.heading.lowercased()
      guard let ending = endings.first(where: { heading.hasSuffix($0) && heading.count > $0.count })
      else { continue }
      let base = String(words.heading.dropLast(ending.count)).trimmed
      let stem = String(base.reversed().drop { " ._-:/|[(".contains($0) }.reversed())
      guard stem != base || ending.count > 3,
        let column = table.columns.firstIndex(where: {
          $0.name == stem || $0.heading == stem || $0.name.hasPrefix(stem + ".")
        })
      else { continue }
      let good = Set(
        words.words.indices.filter {
          CellWords.good.contains(words.words[$0].lowercased())
            || words.words[$0].lowercased().hasPrefix("good")
        })
      let bad = Set(
        words.words.indices.filter {
          CellWords.missing.contains(words.words[$0].lowercased()) && !words.words[$0].isEmpty
            || words.words[$0].lowercased().hasPrefix("bad")
        })
      guard !good.isEmpty, !bad.isEmpty else { continue }
      var count = 0
      for (row, id) in words.ids.enumerated()
      where bad.contains(Int(id)) && !table.values[row * width + column].isNaN {
        table.values[row * width + column] = .nan
        count += 1
      }
      if count > 0 {
        table.columns[column].missingCount += count
        table.columns[column].missingWords[words.heading, default: 0] += count
        table.report.add(
          .done,
          "\(Words.counted(count, "value")) of \(Words.shown(table.columns[column].name)) are missing because \(Words.shown(words.heading)) is not good"
        )
      }
    }
  }

  // MARK: Values

  /// At most `limit` values of a column, evenly spread, sorted.
  private static func sample(_ table: RawTable, _ column: Int, limit: Int = 20_000) -> [Double] {
    let width = table.columns.count
    let rows = table.rowCount
    var result: [Double] = []
    for row in stride(from: 0, to: rows, by: max(1, rows / limit)) {
      let value = table.values[row * width + column]
      if !value.isNaN { result.append(value) }
    }
    return result.sorted()
  }

  /// Numbers such as −999 are missing where they lie outside all other values by more than the whole range of
  /// these.
  static func leaveOutSentinels(_ table: inout RawTable) {
    let width = table.columns.count
    let rows = table.rowCount
    for column in 0..<width {
      var (low, high) = (Double.infinity, -Double.infinity)
      var found: [Double: Int] = [:]
      var others = 0
      for row in 0..<rows {
        let value = table.values[row * width + column]
        if value.isNaN { continue }
        // Only round numbers of many digits are sentinels: the table of them is asked seldom.
        if abs(value) >= 99, CellWords.sentinels.contains(value) {
          found[value, default: 0] += 1
        } else {
          (low, high) = (min(low, value), max(high, value))
          others += 1
        }
      }
      guard !found.isEmpty, others >= 4 else { continue }
      let range = max(high - low, 1e-9 * max(abs(low), abs(high)))
      let taken = found.keys.filter { $0 < low - range || $0 > high + range }.sorted()
      guard !taken.isEmpty else { continue }
      for row in 0..<rows where taken.contains(table.values[row * width + column]) {
        table.values[row * width + column] = .nan
      }
      for value in taken {
        let text = Words.number(value, digits: 12)
        let count = found[value] ?? 0
        table.columns[column].missingCount += count
        table.columns[column].missingWords[text, default: 0] += count
        table.report.add(
          .done,
          "\(Words.shown(table.columns[column].name)): \(text) (\(Words.counted(count, "time"))) lies far outside everything else and is taken for missing"
        )
        if table.columns[column].firstMissing == nil {
          table.columns[column].firstMissing = (0, text)
        }
      }
    }
  }

  /// States that leave the range of all other values for a few samples and come back at once.
  ///
  /// An outlier lies more than three times the distance of the 5th and 95th percentile outside of these, and
  /// both its flanks jump as far. Values of controls may do that.
  static func judgeOutliers(_ table: inout RawTable, drop: Bool) {
    let width = table.columns.count
    for column in 0..<width where table.columns[column].role != .control {
      let ordered = sample(table, column)
      guard ordered.count >= 20 else { continue }
      let (low, high) = (ordered.quantile(0.05), ordered.quantile(0.95))
      let reach = 3 * (high - low)
      guard reach > 0 else { continue }
      var places: [Int] = []
      for segment in table.segments {
        var row = segment.rows.lowerBound
        while row < segment.rows.upperBound {
          let value = table.values[row * width + column]
          guard value < low - reach || value > high + reach else {
            row += 1
            continue
          }
          let start = row
          while row < segment.rows.upperBound, case let next = table.values[row * width + column],
            next < low - reach || next > high + reach
          { row += 1 }
          if row - start <= 3, jumps(table, column, start, row, segment.rows, reach) {
            places += start..<row
          }
        }
      }
      guard !places.isEmpty, places.count * 20 <= table.rowCount else { continue }
      let value = table.values[places[0] * width + column]
      let name = Words.shown(table.columns[column].name)
      if drop {
        for row in places { table.values[row * width + column] = .nan }
        table.columns[column].missingWords["outlier", default: 0] += places.count
        table.report.add(
          .done,
          "\(name): \(Words.counted(places.count, "outlier")) (first \(Words.number(value))) left out; --outliers report keeps them"
        )
      } else {
        table.report.add(
          .found,
          "\(name): \(Words.counted(places.count, "outlier")) (first \(Words.number(value)))")
      }
    }
  }

  /// Whether the values beside a stretch are far from it: a motion that goes there does not jump.
  private static func jumps(
    _ table: RawTable, _ column: Int, _ start: Int, _ end: Int, _ rows: Range<Int>, _ reach: Double
  ) -> Bool {
    let width = table.columns.count
    let (first, last) = (
      table.values[start * width + column], table.values[(end - 1) * width + column]
    )
    let before = start > rows.lowerBound ? table.values[(start - 1) * width + column] : nil
    let after = end < rows.upperBound ? table.values[end * width + column] : nil
    return (before.map { $0.isNaN || abs($0 - first) > reach * 0.75 } ?? true)
      && (after.map { $0.isNaN || abs($0 - last) > reach * 0.75 } ?? true)
  }

  /// Variables that never change and were not named: kept as observables, not learnt.
  static func setConstantsAside(_ table: inout RawTable, _ settings: TableSettings) {
    let width = table.columns.count
    var names: [String] = []
    for column in 0..<width where table.columns[column].role == nil {
      var value = Double.nan
      var isConstant = true
      var row = column
      while row < table.values.count {
        let next = table.values[row]
        if !next.isNaN {
          if value.isNaN { value = next }
          if next != value {
            isConstant = false
            break
          }
        }
        row += width
      }
      if isConstant { names.append("\(table.columns[column].name) (\(Words.number(value)))") }
      if isConstant { table.columns[column].role = .observable }
    }
    // Something has to be left.
    guard table.columns.contains(where: { $0.role == nil || $0.role == .state }) else {
      for column in 0..<width where table.columns[column].role == .observable {
        table.columns[column].role = nil
      }
      return
    }
    if !names.isEmpty {
      table.report.add(
        .leftOut,
        "\(Words.listed(names)) never \(names.count == 1 ? "changes" : "change"): kept as observables, not learnt from"
      )
    }
  }

  /// Columns that are identical: nothing can tell their effects apart.
  static func findTwins(_ table: inout RawTable) {
    let width = table.columns.count
    guard width > 1, width <= 2000, table.rowCount > 2 else { return }
    // Equal columns have equal first values: few pairs are looked at in full.
    for first in 0..<(width - 1) {
      for second in (first + 1)..<width where areEqual(table, first, second) {
        table.report.add(
          .found,
          "\(Words.shown(table.columns[second].name)) equals \(Words.shown(table.columns[first].name)) in every row: nothing tells their effects apart; leave one out"
        )
        break
      }
    }
  }

  private static func areEqual(_ table: RawTable, _ first: Int, _ second: Int) -> Bool {
    let width = table.columns.count
    var varies = false
    var row = 0
    while row < table.values.count {
      let (a, b) = (table.values[row + first], table.values[row + second])
      if a != b && !(a.isNaN && b.isNaN) { return false }
      if a != table.values[first] { varies = true }
      row += width
    }
    return varies
  }
}
