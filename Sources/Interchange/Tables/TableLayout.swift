/// How a table is written, found by examining its beginning: separator, decimal sign, where its rows begin, and the
/// names and contents of its columns.
struct TableLayout {
  struct Column {
    /// As it stands in the file.
    var heading: String
    var isNamed: Bool
    var unit: String?
    var kind: CellKind
  }

  var separator: UInt8 = 0x2C
  var decimal: UInt8 = 0x2E
  var columns: [Column] = []
  var hasHeading = false
  /// Lines of the preamble, and its first.
  var preamble = 0
  var preambleText = ""
  /// Where rows begin: bytes from the start of the sample, and the line, from 1.
  var dataStart = 0
  var dataLine = 1
  var headingLine = 1
  var notes: [TableReport.Note] = []
  /// What the first rows show about each column.
  var facts: [ColumnFacts] = []

  private static let separators: [UInt8] = [0x2C, 0x3B, 0x09, 0x7C, 0x20]

  var separatorName: String { Self.name(of: separator) }

  private static func name(of separator: UInt8) -> String {
    switch separator {
    case 0x2C: "comma"
    case 0x3B: "semicolon"
    case 0x09: "tab"
    case 0x7C: "bar"
    default: "blank"
    }
  }

  /// - Parameters:
  ///   - bytes: the beginning of the file.
  ///   - isWhole: whether that is all of it.
  ///   - settings: what the user stated; the rest is found.
  init(_ bytes: TableBytes, isWhole: Bool, settings: TableSettings, path: String)
    throws(FileProblem)
  {
    let missing = Set((settings.missing ?? []).map(CellWords.plain)).union(CellWords.missing)
    var best: TableSample?
    for separator in Self.separators {
      let sample = try TableSample(
        bytes, separator: separator, isWhole: isWhole, missing: missing, path: path)
      if sample.score > (best?.score ?? -1) { best = sample }
    }
    guard let best, !best.records.isEmpty else {
      throw .malformed(path: path, place: "line 1", reason: "the file is empty")
    }
    separator = best.separator
    try findRows(bytes, best, path)
    try findDecimal(bytes, best, settings, path)
    facts = ColumnFacts.all(in: bytes, best, from: dataStart, decimal: decimal)
  }

  // MARK: Rows and headings

  private mutating func findRows(_ bytes: TableBytes, _ sample: TableSample, _ path: String)
    throws(FileProblem)
  {
    let kinds = sample.columnKinds
    guard let first = sample.firstRow(kinds) else {
      let line = sample.records[0]
      let text = Words.shown(TableText.line(bytes[line.start..<line.end]), limit: 60)
      let reason =
        sample.records.count == 1 || sample.width > 1
        ? "there is a header but no data below it; it begins \"\(text)\""
        : "no rows of numbers were found; the file begins \"\(text)\""
      throw .malformed(path: path, place: "", reason: reason)
    }
    let heading = HeadingRows(bytes, sample, above: first)
    try Self.check(heading, sample, first, path)
    hasHeading = heading.names != nil
    headingLine = heading.line
    let above = heading.first
    if above > 0 {
      preamble = sample.records[above].line - 1
      let record = sample.records[0]
      let cells = record.fields.map { TableText.decoded(FieldScanner.content(bytes, $0)) }
      preambleText = Words.shown(
        cells.filter { !$0.isEmpty }.joined(separator: " "), limit: 40)
    }
    dataStart = sample.records[first].start
    dataLine = sample.records[first].line
    columns = (0..<sample.width).map { index in
      let name = heading.names.flatMap { index < $0.count ? $0[index] : nil }
      return Column(
        heading: name?.text ?? "", isNamed: name.map { $0.isQuoted || !$0.text.isEmpty } ?? false,
        unit: heading.units.flatMap { index < $0.count ? $0[index] : nil }, kind: kinds[index])
    }
    notes += heading.notes
    if preamble > 0 {
      notes.append(
        .init(
          .leftOut, "\(Words.counted(preamble, "line")) before the table (\"\(preambleText)\" …)"))
    }
  }

  private static func check(
    _ heading: HeadingRows, _ sample: TableSample, _ first: Int, _ path: String
  ) throws(FileProblem) {
    guard let names = heading.names, names.count != sample.width else { return }
    let line = sample.records[first].line
    throw .malformed(
      path: path, place: "line \(line)",
      reason: "\(sample.width) fields where the header has \(names.count)"
        + (sample.width >= 2 * names.count - 1 && sample.separator == 0x2C
          ? "; decimals need a point, not a comma, where commas separate columns" : ""))
  }

  // MARK: Decimal sign

  /// A comma or a point is the decimal sign where it cannot set thousands apart.
  private mutating func findDecimal(
    _ bytes: TableBytes, _ sample: TableSample, _ settings: TableSettings, _ path: String
  ) throws(FileProblem) {
    if let said = settings.decimal {
      decimal = said == "," ? 0x2C : 0x2E
      return
    }
    var votes = DecimalVotes()
    for record in sample.records where record.start >= dataStart {
      for (field, kind) in zip(record.fields, record.kinds) where kind == .number {
        votes.count(bytes, field.start, field.end)
      }
    }
    if votes.comma > votes.point
      || votes.comma == 0 && votes.point == 0 && votes.openComma > 0 && votes.openPoint == 0
    {
      if votes.comma == 0 && separator != 0x3B {
        throw .malformed(
          path: path, place: "line \(dataLine)",
          reason:
            "numbers such as \(votes.example) may be thousands or decimals; say which with --decimal . "
            + "or --decimal ,")
      }
      decimal = 0x2C
      if votes.comma == 0 {
        notes.append(
          .init(.assumed, "commas in numbers such as \(votes.example) are decimal signs"))
      }
    }
  }
}

/// What commas and points in numbers can be.
private struct DecimalVotes {
  var comma = 0
  var point = 0
  /// Those that may set thousands apart.
  var openComma = 0
  var openPoint = 0
  var example = ""

  mutating func count(_ bytes: TableBytes, _ start: Int, _ end: Int) {
    var commas: [Int] = []
    var points: [Int] = []
    for index in start..<end {
      if bytes[index] == 0x2C { commas.append(index) }
      if bytes[index] == 0x2E { points.append(index) }
    }
    if let comma = commas.last, let point = points.last {
      if comma > point { self.comma += 1 } else { self.point += 1 }
      return
    }
    func isOpen(_ place: Int) -> Bool {
      let head = bytes[start..<place].filter { $0 != 0x2D && $0 != 0x2B }
      return end - place == 4 && (1...3).contains(head.count) && head.first != 0x30
    }
    switch (commas.count, points.count) {
    case (1, 0):
      if isOpen(commas[0]) {
        openComma += 1
        if example.isEmpty { example = TableText.decoded(bytes[start..<end]) }
      } else {
        comma += 1
      }
    case (0, 1): if isOpen(points[0]) { openPoint += 1 } else { point += 1 }
    case (2..., 0): point += 1
    case (0, 2...): comma += 1
    default: break
    }
  }
}
