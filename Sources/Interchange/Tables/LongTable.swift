/// Tables with one value per row, as historians export them: tag, time, value.
enum LongTable {
  private static let tags: Set<String> = [
    "tag", "tagname", "tag name", "name", "variable", "point", "pointname", "point name", "signal",
    "sensor", "item", "parameter", "channel", "measurement", "metric", "series", "attribute",
    "tagid", "tag id", "entity id", "merkmal", "quantity", "variable name", "itemname", "field",
  ]
  private static let values: Set<String> = [
    "value", "val", "wert", "values", "data", "reading", "state", "numeric value", "numericvalue",
    "value num", "valeur", "result",
  ]

  static func isTag(_ heading: String) -> Bool { tags.contains(plain(heading)) }
  static func isValue(_ heading: String) -> Bool { values.contains(plain(heading)) }

  private static func plain(_ heading: String) -> String {
    Heading(heading).name.trimmed.lowercased().replacing("_", with: " ").replacing("-", with: " ")
      .trimmed
  }

  /// Turns each tag into a column, and each time into a row.
  static func pivot(_ table: inout RawTable, _ settings: TableSettings) throws(FileProblem) {
    let candidates = table.wordColumns.indices.filter { isTag(table.wordColumns[$0].heading) }
    // A measurement of which there is only one says less than its fields.
    guard
      let tag = candidates.first(where: { table.wordColumns[$0].words.count > 1 })
        ?? candidates.first,
      !table.times.isEmpty,
      let value = table.columns.firstIndex(where: {
        isValue($0.heading) && $0.numberCount > 0
      })
    else { return }
    let tags = table.wordColumns[tag]
    guard tags.words.count > 0, tags.words.count <= TableSample.mostColumns, !tags.isFull else {
      throw table.malformed(
        "column \(tags.position) (\(Words.shown(tags.heading)))",
        "more than \(TableSample.mostColumns) different tags")
    }
    guard table.runs.isEmpty else {
      throw table.malformed("", "tags and runs in one table: split it into one table for each run")
    }
    let width = table.columns.count
    let order = table.times.indices.sorted { (table.times[$0], $0) < (table.times[$1], $1) }
    var times: [Double] = []
    var numbers: [Double] = []
    var twice = 0
    let count = tags.words.count
    let (cells, overflow) = count.multipliedReportingOverflow(by: 1 + order.count / max(1, count))
    guard !overflow, cells < 4_000_000_000 else {
      throw table.malformed("", "too many tags and times for one table")
    }
    for row in order {
      let id = Int(tags.ids[row])
      guard id >= 0 else { continue }
      if times.last != table.times[row] {
        times.append(table.times[row])
        numbers += repeatElement(.nan, count: count)
      }
      let place = (times.count - 1) * count + id
      if !numbers[place].isNaN { twice += 1 }
      let number = table.values[row * width + value]
      if !number.isNaN { numbers[place] = number }
    }
    let original = table.columns[value]
    if original.strangeCount > 0, let first = original.firstStrange {
      throw table.malformed(
        "line \(first.line), \(original.place)",
        "\"\(Words.shown(first.text, limit: 40))\" is not a number; where it stands for a missing value, say so with --missing"
      )
    }
    var shift = 0.0
    if let first = times.first { shift = first }
    table.times = times.map { $0 - shift }
    table.values = numbers
    table.columns = tags.words.enumerated().map { index, word in
      let heading = Heading(word)
      var column = RawTable.Column(heading: word, name: heading.name, position: index + 1)
      column.unit = heading.unit
      let present = stride(from: index, to: numbers.count, by: count).count { !numbers[$0].isNaN }
      column.numberCount = present
      column.missingCount = times.count - present
      if present < times.count { column.firstMissing = (0, "no value at some times") }
      return column
    }
    // A header that is repeated further down is no tag.
    table.keepColumns(table.columns.indices.filter { table.columns[$0].heading != tags.heading })
    let most = table.columns.map(\.numberCount).max() ?? 0
    if count > 1, times.count * 2 > most * 3 {
      table.unevenness = "tags are recorded at times of their own"
      // Nothing is missing between them.
      for index in table.columns.indices { table.columns[index].missingCount = 0 }
    }
    table.wordColumns = []
    table.report.add(
      .done,
      "one value in a row: \(Words.counted(table.columns.count, "tag")) at \(Words.counted(times.count, "moment")) made columns and rows"
    )
    if twice > 0 {
      table.report.add(
        .done,
        "\(Words.counted(twice, "value")) at the same time as another of its tag: the last is kept")
    }
  }
}
