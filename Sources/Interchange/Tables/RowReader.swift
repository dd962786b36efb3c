/// The rows of a table, read in one pass: each field becomes a number, a time or a word without making a string,
/// unless it is unusual.
struct RowReader {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// What a column becomes.
  enum Use: Equatable {
    case skip
    /// A variable: its place among them.
    case variable(Int)
    /// A clock that counts.
    case count
    /// A date, a time of day, or both.
    case stamp
    /// A part of a date and time: year, month, day, hour, minute, second.
    case part(Int)
    /// Words: their place among the columns of words.
    case words(Int)
  }

  let uses: [Use]
  let scanner: NumberScanner
  let fields: FieldScanner
  let missing: Set<String>
  let missingNumbers: Set<Double>
  let dayFirst: Bool
  let path: String
  let headingOfFirst: [UInt8]

  private(set) var columns: [RawTable.Column]
  private(set) var words: [RawTable.WordColumn]
  private(set) var values: [Double] = []
  private(set) var time = TimeColumn()
  private(set) var firstRagged: (line: Int, count: Int)?
  private(set) var raggedRows = 0
  private(set) var skippedLines: (count: Int, line: Int, text: String) = (0, 0, "")
  private(set) var repeatedHeadings = 0
  /// Whole rows whose time is no time: a fault, unless only such rows follow to the end.
  private var footer: (failure: FileProblem, line: Int, count: Int, text: String)?
  /// What this row added to the accounts of its columns.
  private var accounts: [Account] = []

  private struct Account {
    var place: Int
    /// The word that stood for a missing value; nil for what is no number.
    var word: String?
  }
  private(set) var rows = 0
  private var row: [Double]
  private var rowWords: [Int32]
  private var wordNumbers: [[String: Int32]]
  private var lastWords: [[UInt8]]
  private var lastNumbers: [Int32]
  private let hasTime: Bool
  private let partCount: Int
  /// This row's year, month and so on.
  private var parts: [Double] = [0, 1, 1, 0, 0, 0]
  private var partsMet = 0

  init(
    uses: [Use], columns: [RawTable.Column], words: [RawTable.WordColumn], decimal: UInt8,
    separator: UInt8,
    missing: [String], dayFirst: Bool, path: String, headingOfFirst: String
  ) {
    self.uses = uses
    self.columns = columns
    self.words = words
    scanner = NumberScanner(decimal: decimal)
    fields = FieldScanner(separator: separator)
    self.missing = CellWords.missing.union(missing.map(CellWords.plain))
    missingNumbers = Set(missing.compactMap { Double($0.trimmed) })
    self.dayFirst = dayFirst
    self.path = path
    self.headingOfFirst = Array(headingOfFirst.utf8)
    row = Array(repeating: .nan, count: columns.count)
    rowWords = Array(repeating: -1, count: words.count)
    wordNumbers = Array(repeating: [:], count: words.count)
    lastWords = Array(repeating: [], count: words.count)
    lastNumbers = Array(repeating: -1, count: words.count)
    partCount = uses.count { if case .part = $0 { true } else { false } }
    hasTime = uses.contains(.count) || uses.contains(.stamp) || partCount > 0
    time.isStamp = uses.contains(.stamp) || partCount > 0
  }

  mutating func reserve(_ rows: Int) {
    values.reserveCapacity(rows * columns.count)
    if time.isStamp {
      time.whole.reserveCapacity(rows)
    } else if hasTime {
      time.numbers.reserveCapacity(rows)
    }
  }

  /// Rows read so far, and bytes they took: for an estimate of all.
  mutating func read(_ stream: inout ByteStream, line: Int) throws(FileProblem) {
    var line = line
    var isEstimated = false
    while true {
      let isLast = stream.isAtEnd
      let outcome: Result<Int, FileProblem>
      outcome = stream.buffer.withUnsafeBufferPointer { buffer in
        let bytes = Bytes(rebasing: buffer[stream.start..<stream.end])
        do throws(FileProblem) {
          return .success(try records(bytes, &line, isLast: isLast))
        } catch {
          return .failure(error)
        }
      }
      let consumed = try outcome.get()
      stream.consume(consumed)
      if isLast {
        try finishFooter()
        break
      }
      if !isEstimated, let total = stream.byteCount, consumed > 1000, rows > 0 {
        isEstimated = true
        reserve(Int(Double(total) / Double(consumed) * Double(rows) * 1.02) + 16)
      }
      try stream.fill()
    }
  }

  /// All whole records in `bytes`; returns how many bytes they took.
  private mutating func records(_ bytes: Bytes, _ line: inout Int, isLast: Bool) throws(FileProblem)
    -> Int
  {
    var position = 0
    // What stands behind the last line end is looked at when the rest of it is there.
    let limit = isLast ? bytes.count : (bytes.lastIndex { $0 == 0x0A || $0 == 0x0D } ?? 0)
    while position < limit {
      let byte = bytes[position]
      if byte == 0x0A || byte == 0x0D {
        if byte == 0x0D && position + 1 == bytes.count && !isLast { return position }
        fields.skipLineEnd(bytes, &position)
        line += 1
        continue
      }
      let start = position
      do throws(FieldScanner.Problem) {
        guard try record(bytes, &position, line, isLast: isLast) else { return start }
      } catch {
        switch error {
        case .incomplete: return start
        case .openQuote:
          throw .malformed(
            path: path, place: "line \(line)", reason: "a quote is opened and never closed")
        case .textBehindQuote:
          throw .malformed(
            path: path, place: "line \(line)", reason: "text follows a closing quote")
        }
      }
      if let failure = pendingFailure { throw failure }
      line += hasQuotedLineEnd ? TableSample.lines(bytes, start, position) : 1
      hasQuotedLineEnd = false
    }
    return position
  }

  private var pendingFailure: FileProblem?
  private var hasQuotedLineEnd = false

  /// One record; false where the bytes end within it.
  @inline(__always)
  private mutating func record(_ bytes: Bytes, _ position: inout Int, _ line: Int, isLast: Bool)
    throws(FieldScanner.Problem) -> Bool
  {
    if bytes[position] == 0x23 || (!headingOfFirst.isEmpty && repeatsHeading(bytes, position)) {
      return skipLine(bytes, &position, line, isLast: isLast)
    }
    let start = position
    var column = 0
    time.isPending = false
    time.pending = 0
    while true {
      if fields.isBlank {
        fields.skipBlanks(bytes, &position)
        if column > 0,
          position == bytes.count ? isLast : bytes[position] == 0x0A || bytes[position] == 0x0D
        {
          break
        }
      }
      let use = column < uses.count ? uses[column] : .skip
      if case .variable(let place) = use {
        var end = position
        while !fields.isBlank, end < bytes.count, bytes[end] == 0x20 { end += 1 }
        if let number = scanner.decimal(bytes, &end, bytes.count), end < bytes.count,
          fields.ends(bytes[end]), let value = NumberScanner.exact(number)
        {
          row[place] = value
          position = end
        } else {
          try general(bytes, &position, use, line, isLast: isLast)
        }
      } else if use == .skip && column < uses.count {
        let field = try fields.field(bytes, &position, isLast: isLast)
        hasQuotedLineEnd = hasQuotedLineEnd || field.isQuoted
      } else {
        try general(bytes, &position, use, line, isLast: isLast, isExtra: column >= uses.count)
      }
      column += 1
      guard position < bytes.count else { break }
      let byte = bytes[position]
      if byte == 0x0A || byte == 0x0D { break }
      position += 1
    }
    if position < bytes.count {
      if bytes[position] == 0x0D && position + 1 == bytes.count && !isLast { throw .incomplete }
      fields.skipLineEnd(bytes, &position)
    } else if !isLast {
      throw .incomplete
    }
    finishRow(bytes, start, position, column, line)
    return true
  }

  // MARK: Fields out of the ordinary

  private var extraFields = 0

  private mutating func general(
    _ bytes: Bytes, _ position: inout Int, _ use: Use, _ line: Int, isLast: Bool,
    isExtra: Bool = false
  ) throws(FieldScanner.Problem) {
    let field = try fields.field(bytes, &position, isLast: isLast)
    hasQuotedLineEnd = hasQuotedLineEnd || field.isQuoted
    switch use {
    case .variable(let place): row[place] = value(bytes, field, place, line)
    case .count, .stamp: moment(bytes, field, use, line)
    case .part(let part):
      if let number = scanner.number(bytes, field.start, field.end) {
        parts[part] = number
        partsMet += 1
      }
    case .words(let place): rowWords[place] = word(bytes, field, place)
    case .skip: if isExtra && field.start < field.end { extraFields += 1 }
    }
  }

  private mutating func value(
    _ bytes: Bytes, _ field: FieldScanner.Field, _ place: Int, _ line: Int
  )
    -> Double
  {
    let (start, end) = Self.trimmed(bytes, field)
    if let number = scanner.number(bytes, start, end) ?? scanner.grouped(bytes, start, end) {
      if !missingNumbers.isEmpty, missingNumbers.contains(number) {
        return missing(place, line, TableText.decoded(bytes[start..<end]))
      }
      guard number.isFinite else {
        strange(place, line, TableText.decoded(bytes[start..<end]))
        return .nan
      }
      return number
    }
    if start == end {
      columns[place].missingCount += 1
      accounts.append(Account(place: place, word: ""))
      if columns[place].firstMissing == nil { columns[place].firstMissing = (line, "") }
      return .nan
    }
    let text = TableText.decoded(FieldScanner.content(bytes, field))
    let word = CellWords.plain(text)
    if missing.contains(word) || word.hasPrefix("[-") && word.contains("]") {
      return missing(place, line, text)
    }
    if let value = CellWords.switched(word) {
      columns[place].switchCount += 1
      return value
    }
    if let value = withUnit(bytes, start, end, place) { return value }
    strange(place, line, text)
    return .nan
  }

  /// A number with its unit, which has to be the same in all cells.
  private mutating func withUnit(_ bytes: Bytes, _ start: Int, _ end: Int, _ place: Int) -> Double?
  {
    guard let found = scanner.withUnit(bytes, start, end),
      found.unit == columns[place].cellUnit ?? found.unit
    else { return nil }
    columns[place].cellUnit = found.unit
    return found.value
  }

  private mutating func missing(_ place: Int, _ line: Int, _ text: String) -> Double {
    columns[place].missingCount += 1
    let key = Words.shown(text, limit: 24)
    accounts.append(Account(place: place, word: key))
    if columns[place].missingWords[key] != nil || columns[place].missingWords.count < 16 {
      columns[place].missingWords[key, default: 0] += 1
    }
    if columns[place].firstMissing == nil { columns[place].firstMissing = (line, text) }
    return .nan
  }

  private mutating func strange(_ place: Int, _ line: Int, _ text: String) {
    columns[place].strangeCount += 1
    accounts.append(Account(place: place, word: nil))
    if columns[place].firstStrange == nil { columns[place].firstStrange = (line, text) }
  }

  private static func trimmed(_ bytes: Bytes, _ field: FieldScanner.Field) -> (Int, Int) {
    var (start, end) = (field.start, field.end)
    while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
    while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    return (start, end)
  }

  private mutating func word(_ bytes: Bytes, _ field: FieldScanner.Field, _ place: Int) -> Int32 {
    let range = bytes[field.start..<field.end]
    if lastNumbers[place] >= 0, range.elementsEqual(lastWords[place]) { return lastNumbers[place] }
    let text = TableText.decoded(FieldScanner.content(bytes, field)).trimmed
    lastWords[place] = Array(range)
    let number: Int32
    if let known = wordNumbers[place][text] {
      number = known
    } else if words[place].words.count < 65_536 {
      number = Int32(words[place].words.count)
      words[place].words.append(text)
      wordNumbers[place][text] = number
    } else {
      words[place].isFull = true
      number = -1
    }
    lastNumbers[place] = number
    return number
  }

  // MARK: Time

  private mutating func moment(_ bytes: Bytes, _ field: FieldScanner.Field, _ use: Use, _ line: Int)
  {
    let (start, end) = Self.trimmed(bytes, field)
    if use == .count {
      var position = start
      guard let number = scanner.decimal(bytes, &position, end), position == end else { return }
      time.isPending = true
      time.decimals = max(time.decimals, number.decimals)
      time.pendingNumber = scanner.nearest(number, bytes, start, end)
      if number.exponent == 0, number.isWhole, number.digits < 1 << 62 {
        time.pending = number.isNegative ? -Int64(number.digits) : Int64(number.digits)
      } else if let whole = Int64(exactly: time.pendingNumber) {
        time.pending = whole
      } else {
        time.isFractional = true
      }
      return
    }
    guard let stamp = CalendarStamp.parse(bytes, start, end, dayFirst: dayFirst) else { return }
    time.isPending = true
    time.pending += stamp.nanoseconds
    time.hasDate = time.hasDate || stamp.hasDate
    if stamp.hasClock {
      time.hasClock = true
      time.decimals = max(time.decimals, stamp.decimals)
      if stamp.hasZone { time.hasZone = true } else { time.lacksZone = true }
    }
    if stamp.isOrderOpen {
      if !time.isOrderOpen { time.example = TableText.decoded(bytes[start..<end]) }
      time.isOrderOpen = true
      time.largestFirst = max(time.largestFirst, stamp.first)
      time.largestSecond = max(time.largestSecond, stamp.second)
    }
  }

  private mutating func composeMoment() {
    let isComplete = partsMet == partCount
    partsMet = 0
    guard isComplete,
      let moment = CalendarStamp.nanoseconds(parts: parts)
    else { return }
    time.isPending = true
    time.pending = moment
    time.hasDate = true
    time.hasClock = partCount > 3
    time.decimals = partCount > 5 ? 0 : -1
    time.lastPart = partCount
  }

  // MARK: Rows

  private mutating func finishRow(
    _ bytes: Bytes, _ start: Int, _ end: Int, _ count: Int, _ line: Int
  ) {
    let extra = extraFields
    extraFields = 0
    if partCount > 0 { composeMoment() }
    if hasTime && !time.isPending {
      dropRow(bytes, start, end, count, line)
      accounts.removeAll(keepingCapacity: true)
      return
    }
    if !accounts.isEmpty { accounts.removeAll(keepingCapacity: true) }
    if let footer { pendingFailure = footer.failure }
    if extra > 0 || count < uses.count {
      raggedRows += 1
      if firstRagged == nil { firstRagged = (line, count) }
      // Which field is too many cannot be told.
      if extra > 0 { for place in row.indices { row[place] = .nan } }
      for column in min(count, uses.count)..<uses.count {
        if case .variable(let place) = uses[column] {
          row[place] = .nan
          columns[place].missingCount += 1
          if columns[place].firstMissing == nil { columns[place].firstMissing = (line, "") }
        }
        if case .words(let place) = uses[column] { rowWords[place] = -1 }
      }
    }
    values.append(contentsOf: row)
    for place in rowWords.indices { words[place].ids.append(rowWords[place]) }
    if hasTime {
      if time.isStamp {
        time.whole.append(time.pending)
      } else {
        // Whole numbers stay exact beyond 2⁵³, as nanoseconds need.
        if !time.isFractional {
          time.whole.append(time.pending)
        } else if !time.whole.isEmpty {
          time.numbers = time.whole.map(Double.init)
          time.whole = []
        }
        if time.isFractional { time.numbers.append(time.pendingNumber) }
      }
    }
    rows += 1
  }

  /// Handles a record without a time: a remark at the end, or a fault.
  private mutating func dropRow(_ bytes: Bytes, _ start: Int, _ end: Int, _ count: Int, _ line: Int)
  {
    withdraw(line)
    let text = Words.shown(TableText.line(bytes[start..<end]), limit: 40)
    let isEmpty = bytes[start..<end].allSatisfy {
      $0 == fields.separator || $0 <= 0x20 || $0 == 0x22
    }
    if isEmpty { return }
    if count == uses.count, pendingFailure == nil {
      let column = uses.firstIndex { $0 == .count || $0 == .stamp || $0 == .part(0) } ?? 0
      var position = start
      var found: [FieldScanner.Field] = []
      let part = Bytes(rebasing: bytes[0..<end])
      try? fields.record(part, &position, isLast: true, into: &found)
      let cell =
        column < found.count ? TableText.decoded(FieldScanner.content(bytes, found[column])) : ""
      if cell == timeHeading {
        repeatedHeadings += 1
        return
      }
      let failure = FileProblem.malformed(
        path: path, place: "line \(line), column \(column + 1) (\(timeHeading))",
        reason: cell.trimmed.isEmpty
          ? "the field is empty" : "\"\(Words.shown(cell, limit: 40))\" is not a number or a time")
      if footer == nil { footer = (failure, line, 0, text) }
      footer?.count += 1
      return
    }
    if skippedLines.count == 0 { skippedLines = (0, line, text) }
    skippedLines.count += 1
  }

  /// Takes back what a row that is no row said of its columns.
  private mutating func withdraw(_ line: Int) {
    for account in accounts {
      if let word = account.word {
        columns[account.place].missingCount -= 1
        if let count = columns[account.place].missingWords[word] {
          columns[account.place].missingWords[word] = count > 1 ? count - 1 : nil
        }
        if columns[account.place].firstMissing?.line == line {
          columns[account.place].firstMissing = nil
        }
      } else {
        columns[account.place].strangeCount -= 1
        if columns[account.place].firstStrange?.line == line {
          columns[account.place].firstStrange = nil
        }
      }
    }
  }

  /// Averages, maxima and remarks below the last row.
  private mutating func finishFooter() throws(FileProblem) {
    guard let footer else { return }
    guard footer.count <= 10, footer.count * 4 <= rows else { throw footer.failure }
    if skippedLines.count == 0 { skippedLines = (0, footer.line, footer.text) }
    skippedLines.count += footer.count
  }

  /// The heading of the column of time, for messages.
  var timeHeading = "time"

  private func repeatsHeading(_ bytes: Bytes, _ position: Int) -> Bool {
    let start = bytes[position] == 0x22 ? position + 1 : position
    guard start + headingOfFirst.count < bytes.count, bytes[start] == headingOfFirst[0] else {
      return false
    }
    return bytes[start..<(start + headingOfFirst.count)].elementsEqual(headingOfFirst)
      && (fields.ends(bytes[start + headingOfFirst.count])
        || bytes[start + headingOfFirst.count] == 0x22)
  }

  private mutating func skipLine(_ bytes: Bytes, _ position: inout Int, _ line: Int, isLast: Bool)
    -> Bool
  {
    let isComment = bytes[position] == 0x23
    let start = position
    while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
    guard position < bytes.count || isLast else { return false }
    if isComment {
      if skippedLines.count == 0 {
        skippedLines = (0, line, Words.shown(TableText.decoded(bytes[start..<position]), limit: 40))
      }
      skippedLines.count += 1
    } else {
      repeatedHeadings += 1
    }
    fields.skipLineEnd(bytes, &position)
    return true
  }

  /// Moves the numbers out, so that they are not copied.
  mutating func takeValues() -> [Double] {
    let taken = values
    values = []
    return taken
  }
}
