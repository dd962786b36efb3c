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
    while index >= 0, rows.count < Self.most {
      guard let cells = Self.cells(bytes, sample, index), Self.isHeading(cells, sample) else {
        break
      }
      rows.append((cells, index))
      index -= 1
    }
    guard !rows.isEmpty else {
      takeOddRow(bytes, sample, row)
      return
    }
    let (namesAt, unitsAt) = Self.parts(rows.map(\.cells))
    if let unitsAt {
      units = rows[unitsAt].cells.map { UnitWords.unbracketed($0.text) }
      notes.append(
        .init(.layout, "line \(sample.records[rows[unitsAt].index].line) holds the units"))
    }
    for (place, row) in rows[..<namesAt].enumerated() where place != unitsAt {
      let words = row.cells.first { !$0.text.isEmpty }?.text ?? ""
      notes.append(
        .init(
          .leftOut,
          "line \(sample.records[row.index].line) below the names (\"\(Words.shown(words, limit: 20))\" …)"
        ))
    }
    let chosen = rows[namesAt]
    names = chosen.cells
    first = chosen.index
    line = sample.records[chosen.index].line
    fit(to: sample)
  }

  /// Rows of names, units, kinds of averages and the like.
  private static let most = 4

  /// Which of the rows, the lowest first, holds the names, and which the units: names stand above units, and are not
  /// the same in several columns where a row above has a name for each.
  private static func parts(_ rows: [[Cell]]) -> (names: Int, units: Int?) {
    let texts = rows.map { $0.map(\.text) }
    for place in texts.indices.dropLast()
    where UnitWords.areUnits(texts[place]) && !UnitWords.areUnits(texts[place + 1]) {
      return (place + 1, place)
    }
    func isName(_ place: Int) -> Bool {
      Set(texts[place]).count == texts[place].count && !texts[place].contains("")
    }
    if texts.count > 1, Set(texts[0]).count < texts[0].count, isName(1) { return (1, nil) }
    return (0, nil)
  }

  /// A record of another length right above the rows is still a header where it is all words.
  private mutating func takeOddRow(_ bytes: TableBytes, _ sample: TableSample, _ row: Int) {
    guard row > 0, let cells = Self.cells(bytes, sample, row - 1, anyCount: true), cells.count > 1,
      cells.allSatisfy({ !$0.text.isEmpty }),
      sample.records[row - 1].kinds.allSatisfy({ $0 == .word }),
      cells.count > sample.width / 3, cells.count < sample.width
    else { return }
    (names, first, line) = (cells, row - 1, sample.records[row - 1].line)
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
