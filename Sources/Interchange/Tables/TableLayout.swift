/// How a table is written, found by examining its beginning: separator, decimal sign, where its rows begin, and the
/// names and contents of its columns.
struct TableLayout {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  enum Kind: Equatable { case empty, number, date, clock, word }

  struct Column {
    /// As it stands in the file.
    var heading: String
    var isNamed: Bool
    var unit: String?
    var kind: Kind
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

  /// More columns than any plant's record has.
  static let mostColumns = 10_000
  private static let sampleSize = 300
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

  /// The first records, split at one separator.
  struct Sample {
    struct Record {
      var start: Int
      var end: Int
      var line: Int
      var fields: [FieldScanner.Field]
      var kinds: [Kind] = []
    }
    var separator: UInt8
    var records: [Record] = []
    /// How many fields most of them have.
    var width = 0
    var score = 0.0
  }

  /// - Parameters:
  ///   - bytes: the beginning of the file.
  ///   - isWhole: whether that is all of it.
  ///   - settings: what the user stated; the rest is found.
  init(_ bytes: Bytes, isWhole: Bool, settings: TableSettings, path: String) throws(FileProblem) {
    let missing = Set((settings.missing ?? []).map(CellWords.plain)).union(CellWords.missing)
    var best: Sample?
    for separator in Self.separators {
      let sample = try Self.sample(
        bytes, separator, isWhole: isWhole, missing: missing, path: path)
      if sample.score > (best?.score ?? -1) { best = sample }
    }
    guard let best, !best.records.isEmpty else {
      throw .malformed(path: path, place: "line 1", reason: "the file is empty")
    }
    separator = best.separator
    try findRows(bytes, best, path)
    try findDecimal(bytes, best, settings, path)
    facts = Self.facts(bytes, best, from: dataStart, decimal: decimal)
  }

  // MARK: Separator

  private static func sample(
    _ bytes: Bytes, _ separator: UInt8, isWhole: Bool, missing: Set<String>, path: String
  ) throws(FileProblem) -> Sample {
    let scanner = FieldScanner(separator: separator, isStrict: false)
    var sample = Sample(separator: separator)
    var position = 0
    var line = 1
    var cells = 0
    while sample.records.count < sampleSize, position < bytes.count, cells < 200_000 {
      if bytes[position] == 0x0A || bytes[position] == 0x0D {
        scanner.skipLineEnd(bytes, &position)
        line += 1
        continue
      }
      var record = Sample.Record(start: position, end: 0, line: line, fields: [])
      do throws(FieldScanner.Problem) {
        try scanner.record(bytes, &position, isLast: isWhole, into: &record.fields)
      } catch {
        break
      }
      guard record.fields.count <= mostColumns else {
        throw .malformed(
          path: path, place: "line \(line)",
          reason:
            "\(record.fields.count) columns; a table of trajectories has at most \(mostColumns)")
      }
      cells += record.fields.count
      record.end = position
      line += lines(bytes, record.start, position)
      record.kinds = record.fields.map { kind(bytes, $0, missing) }
      sample.records.append(record)
    }
    sample.judge()
    return sample
  }

  /// Line ends within a record and behind it.
  static func lines(_ bytes: Bytes, _ start: Int, _ end: Int) -> Int {
    var count = 0
    for index in start..<end {
      let byte = bytes[index]
      if byte == 0x0A || byte == 0x0D && !(index + 1 < end && bytes[index + 1] == 0x0A) {
        count += 1
      }
    }
    return count
  }

  static func kind(_ bytes: Bytes, _ field: FieldScanner.Field, _ missing: Set<String>) -> Kind {
    if field.start == field.end { return .empty }
    for decimal in [UInt8(0x2E), 0x2C] {
      let scanner = NumberScanner(decimal: decimal)
      if scanner.number(bytes, field.start, field.end) != nil { return .number }
      if scanner.grouped(bytes, field.start, field.end) != nil { return .number }
      if scanner.withUnit(bytes, field.start, field.end) != nil { return .number }
    }
    if let stamp = CalendarStamp.parse(bytes, field.start, field.end, dayFirst: true)
      ?? CalendarStamp.parse(bytes, field.start, field.end, dayFirst: false)
    {
      return stamp.hasDate ? .date : .clock
    }
    if field.end - field.start <= 40 {
      let word = CellWords.plain(TableText.decoded(FieldScanner.content(bytes, field)))
      if missing.contains(word) { return .empty }
    }
    return .word
  }

  // MARK: Rows and headings

  private mutating func findRows(_ bytes: Bytes, _ sample: Sample, _ path: String)
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
      preambleText = Words.shown(
        TableText.line(bytes[record.start..<record.end]), limit: 40)
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
    _ heading: HeadingRows, _ sample: Sample, _ first: Int, _ path: String
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
    _ bytes: Bytes, _ sample: Sample, _ settings: TableSettings, _ path: String
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

  mutating func count(_ bytes: TableLayout.Bytes, _ start: Int, _ end: Int) {
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

extension TableLayout.Sample {
  /// Later records, which are past any preamble.
  private var body: ArraySlice<Record> { records[(records.count / 2)...] }

  /// Sets width and score: how many records have the same number of fields, and how many of their cells hold
  /// numbers, times, or nothing.
  mutating func judge() {
    var counts: [Int: Int] = [:]
    for record in body { counts[record.fields.count, default: 0] += 1 }
    guard let most = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else { return }
    width = most.key
    let regular = body.filter { $0.fields.count == width }
    var filled = 0
    var good = 0
    for record in regular {
      for kind in record.kinds where kind != .empty {
        filled += 1
        if kind != .word { good += 1 }
      }
    }
    let share = Double(regular.count) / Double(max(1, body.count))
    score = share * (Double(good) + 0.01) / (Double(filled) + 0.01)
    if width == 1 { score *= 0.5 }
    // Where a mark separates too, blanks belong to what it separates.
    if separator == 0x20 { score *= 0.97 }
    score += Double(min(width, 50)) * 1e-6
  }

  /// What most later cells of each column hold.
  var columnKinds: [TableLayout.Kind] {
    (0..<width).map { column in
      var counts: [TableLayout.Kind: Int] = [:]
      for record in body where record.fields.count == width && record.kinds[column] != .empty {
        counts[record.kinds[column], default: 0] += 1
      }
      let order: [TableLayout.Kind] = [.number, .date, .clock, .word]
      return order.max { (counts[$0] ?? 0) < (counts[$1] ?? 0) }
        .flatMap { (counts[$0] ?? 0) > 0 ? $0 : nil } ?? .empty
    }
  }

  /// The first record that looks like those below.
  func firstRow(_ kinds: [TableLayout.Kind]) -> Int? {
    let measured = kinds.indices.filter { kinds[$0] != .word && kinds[$0] != .empty }
    guard !measured.isEmpty else { return nil }
    func isRow(_ record: Record) -> Bool {
      guard record.fields.count == width else { return false }
      let filled = measured.filter { record.kinds[$0] != .empty }
      guard let first = filled.first, record.kinds[first] != .word else { return false }
      return filled.count { record.kinds[$0] == .word } * 2 < max(2, filled.count)
        || filled.count <= 2
    }
    return records.indices.first { index in
      isRow(records[index])
        && (index + 1 == records.count || isRow(records[index + 1]) || index + 2 >= records.count
          || isRow(records[index + 2]))
    }
  }
}
