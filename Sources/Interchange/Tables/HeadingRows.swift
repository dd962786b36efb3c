/// The rows above the numbers: names, perhaps units below them.
struct HeadingRows {
  struct Cell {
    var text: String
    var isQuoted: Bool
  }

  var names: [Cell]?
  var units: [String]?
  /// The number of the first record that belongs to them.
  var first: Int
  var line = 1
  var notes: [TableReport.Note] = []

  init(_ bytes: TableBytes, _ sample: TableSample, above row: Int) {
    first = row
    var rows: [(cells: [Cell], index: Int)] = []
    var index = row - 1
    while index >= 0, rows.count < 2 {
      guard let cells = Self.cells(bytes, sample, index), Self.isHeading(cells, sample) else {
        break
      }
      rows.append((cells, index))
      index -= 1
    }
    guard let lowest = rows.first else {
      // A record of another length right above is still a header where it is all words.
      if row > 0, let cells = Self.cells(bytes, sample, row - 1, anyCount: true), cells.count > 1,
        cells.allSatisfy({ !$0.text.isEmpty }),
        sample.records[row - 1].kinds.allSatisfy({ $0 == .word }),
        cells.count > sample.width / 3, cells.count < sample.width
      {
        (names, first, line) = (cells, row - 1, sample.records[row - 1].line)
      }
      return
    }
    var chosen = lowest
    if rows.count == 2, UnitWords.areUnits(lowest.cells.map(\.text)),
      !UnitWords.areUnits(rows[1].cells.map(\.text))
    {
      chosen = rows[1]
      units = lowest.cells.map { UnitWords.unbracketed($0.text) }
      notes.append(.init(.layout, "line \(sample.records[lowest.index].line) holds the units"))
    }
    names = chosen.cells
    first = chosen.index
    line = sample.records[chosen.index].line
    fit(to: sample)
  }

  /// A header may have one name fewer than there are columns, or trailing separators without columns.
  private mutating func fit(to sample: TableSample) {
    guard var cells = names else { return }
    while cells.count > sample.width, cells.last?.text.isEmpty ?? false { cells.removeLast() }
    // A column for remarks that no row has.
    if cells.count == sample.width + 1 { cells.removeLast() }
    if cells.count == sample.width - 1 {
      let last = sample.columnKinds[sample.width - 1]
      let empty = Cell(text: "", isQuoted: false)
      let row = sample.records.last { $0.fields.count == sample.width }
      let hasRowNames = row.map { $0.fields[0].isQuoted || $0.kinds[0] == .word } ?? false
      // A separator at the end of each row, or names of rows in front as R writes them.
      if last == .empty { cells.append(empty) } else if hasRowNames { cells.insert(empty, at: 0) }
    }
    names = cells
  }

  /// The cells of a record, without a comment sign before them.
  private static func cells(
    _ bytes: TableBytes, _ sample: TableSample, _ index: Int, anyCount: Bool = false
  ) -> [Cell]? {
    let record = sample.records[index]
    var fields = record.fields
    var start = record.start
    let marks: [UInt8] = [0x23, 0x25]
    while start < record.end,
      marks.contains(bytes[start]) || (start > record.start && bytes[start] == 0x20)
    { start += 1 }
    if start > record.start {
      // Only where it then fits: a comment is no header.
      let scanner = FieldScanner(separator: sample.separator, isStrict: false)
      var position = start
      let part = TableBytes(rebasing: bytes[0..<record.end])
      guard (try? scanner.record(part, &position, isLast: true, into: &fields)) != nil,
        fields.count == sample.width, fields.count > 1 || sample.width == 1
      else { return nil }
    }
    return fields.map {
      Cell(text: TableText.decoded(FieldScanner.content(bytes, $0)), isQuoted: $0.isQuoted)
    }
  }

  private static func isHeading(_ cells: [Cell], _ sample: TableSample) -> Bool {
    var count = cells.count
    while count > sample.width, cells[count - 1].text.isEmpty { count -= 1 }
    let isNear = abs(count - sample.width) == 1 && sample.width > 2
    guard count == sample.width || isNear else { return false }
    return cells.contains { !$0.text.isEmpty || $0.isQuoted }
  }
}
