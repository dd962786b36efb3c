typealias TableBytes = UnsafeBufferPointer<UInt8>

/// What a cell of a table holds.
enum CellKind: Equatable { case empty, number, date, clock, word }

extension CellKind {
  /// What a cell seems to hold, with either decimal sign.
  init(_ bytes: TableBytes, _ field: FieldScanner.Field, missing: Set<String>) {
    self = Self.found(bytes, field, missing)
  }

  private static func found(
    _ bytes: TableBytes, _ field: FieldScanner.Field, _ missing: Set<String>
  ) -> CellKind {
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
}

/// The first records, split at one separator.
struct TableSample {
  struct Record {
    var start: Int
    var end: Int
    var line: Int
    var fields: [FieldScanner.Field]
    var kinds: [CellKind] = []
  }
  var separator: UInt8
  var records: [Record] = []
  /// How many fields most of them have.
  var width = 0
  var score = 0.0

  /// More columns than any plant's record has.
  static let mostColumns = 10_000
  private static let sampleSize = 300

  /// - Parameters:
  ///   - bytes: the beginning of the file.
  ///   - isWhole: whether that is all of it.
  ///   - missing: words for missing values.
  /// - Throws: `FileProblem.malformed` for too many columns.
  init(
    _ bytes: TableBytes, separator: UInt8, isWhole: Bool, missing: Set<String>, path: String
  ) throws(FileProblem) {
    self.separator = separator
    let scanner = FieldScanner(separator: separator, isStrict: false)
    var position = 0
    var line = 1
    var cells = 0
    while records.count < Self.sampleSize, position < bytes.count, cells < 200_000 {
      if bytes[position] == 0x0A || bytes[position] == 0x0D {
        scanner.skipLineEnd(bytes, &position)
        line += 1
        continue
      }
      var record = Record(start: position, end: 0, line: line, fields: [])
      do throws(FieldScanner.Problem) {
        try scanner.record(bytes, &position, isLast: isWhole, into: &record.fields)
      } catch {
        break
      }
      guard record.fields.count <= Self.mostColumns else {
        throw .malformed(
          path: path, place: "line \(line)",
          reason:
            "\(record.fields.count) columns; a table of trajectories has at most \(Self.mostColumns)"
        )
      }
      cells += record.fields.count
      record.end = position
      line += Self.lines(bytes, record.start, position)
      record.kinds = record.fields.map { CellKind(bytes, $0, missing: missing) }
      records.append(record)
    }
    judge()
  }

  /// Line ends within a record and behind it.
  static func lines(_ bytes: TableBytes, _ start: Int, _ end: Int) -> Int {
    var count = 0
    for index in start..<end {
      let byte = bytes[index]
      if byte == 0x0A || byte == 0x0D && !(index + 1 < end && bytes[index + 1] == 0x0A) {
        count += 1
      }
    }
    return count
  }
}

extension TableSample {
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
  var columnKinds: [CellKind] {
    (0..<width).map { column in
      var counts: [CellKind: Int] = [:]
      for record in body where record.fields.count == width && record.kinds[column] != .empty {
        counts[record.kinds[column], default: 0] += 1
      }
      let order: [CellKind] = [.number, .date, .clock, .word]
      return order.max { (counts[$0] ?? 0) < (counts[$1] ?? 0) }
        .flatMap { (counts[$0] ?? 0) > 0 ? $0 : nil } ?? .empty
    }
  }

  /// The first record that looks like those below.
  func firstRow(_ kinds: [CellKind]) -> Int? {
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
