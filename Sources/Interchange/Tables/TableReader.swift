import Dynamics

/// Tables as text: from bytes to numbers, times and words.
enum TableReader {
  /// - Parameters:
  ///   - stream: at its beginning.
  ///   - settings: what the user stated about the table.
  /// - Throws: `FileProblem` with the place, for what cannot be read and what has two meanings.
  static func read(_ stream: inout ByteStream, settings: TableSettings) throws(FileProblem)
    -> RawTable
  {
    let path = stream.path
    stream.recogniseEncoding()
    // Two lines at least: one that is too long is refused as such.
    while !stream.isAtEnd,
      stream.end - stream.start < 1 << 16 || !Self.holdsTwoLines(stream.unread)
    { try stream.fill() }
    try refuseOtherFormats(stream.unread, path)
    let isWhole = stream.isAtEnd
    let outcome: Result<TableLayout, FileProblem> = stream.buffer.withUnsafeBufferPointer {
      buffer in
      let bytes = TableBytes(rebasing: buffer[stream.start..<stream.end])
      do throws(FileProblem) {
        return .success(try TableLayout(bytes, isWhole: isWhole, settings: settings, path: path))
      } catch {
        return .failure(error)
      }
    }
    let layout = try outcome.get()
    let isOldText =
      stream.encoding == .utf8 && !TableText.isUTF8(stream.unread.prefix(layout.dataStart))
    var table = RawTable(path: path)
    describe(layout, stream.encoding, isOldText: isOldText, into: &table)
    var plan = try ColumnPlan(layout, settings: settings, path: path)
    table.report.notes += plan.notes
    table.fieldCount = layout.columns.count
    stream.consume(layout.dataStart)
    var reader = RowReader(
      uses: plan.uses, columns: plan.columns, words: plan.words, decimal: layout.decimal,
      separator: layout.separator, missing: settings.missing ?? [],
      dayFirst: settings.dateOrder != .monthFirst && !plan.isMonthFirst, path: path,
      headingOfFirst: layout.columns.first?.heading ?? "")
    reader.timeHeading = plan.timeHeading
    try reader.read(&stream, line: layout.dataLine)
    guard reader.rows > 0 else {
      throw .malformed(path: path, place: "", reason: "there is a header but no data below it")
    }
    try take(&reader, &plan, layout, into: &table)
    try MomentsOfTable(reader.time, plan, settings).apply(to: &table)
    return table
  }

  private static func holdsTwoLines(_ bytes: ArraySlice<UInt8>) -> Bool {
    func end(_ bytes: ArraySlice<UInt8>) -> Int? { bytes.firstIndex { $0 == 0x0A || $0 == 0x0D } }
    guard let first = end(bytes) else { return false }
    return end(bytes[(first + 1)...].drop { $0 == 0x0A || $0 == 0x0D }) != nil
  }

  private static func describe(
    _ layout: TableLayout, _ encoding: ByteStream.Encoding, isOldText: Bool,
    into table: inout RawTable
  ) {
    var words: [String] = []
    if encoding != .utf8 { words.append(encoding.rawValue) }
    if isOldText { words.append("Windows-1252 or Latin-1") }
    if layout.separator != 0x2C && layout.columns.count > 1 {
      words.append("columns separated by \(layout.separatorName)s")
    }
    if layout.decimal == 0x2C { words.append("decimal commas") }
    if !words.isEmpty { table.report.add(.layout, words.joined(separator: ", ")) }
    table.report.notes += layout.notes
    if !layout.hasHeading {
      table.report.add(.assumed, "no header: \(Words.counted(layout.columns.count, "column"))")
    }
  }

  /// Refuses files that begin like another format, naming it and the remedy.
  private static func refuseOtherFormats(_ bytes: ArraySlice<UInt8>, _ path: String)
    throws(FileProblem)
  {
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    func refuse(_ reason: String) -> FileProblem {
      .malformed(path: path, place: "", reason: reason)
    }
    if begins("PK\u{3}\u{4}") {
      throw refuse(
        "this is a zip archive, as spreadsheets (.xlsx) are; save the sheet as CSV, or unpack the archive"
      )
    }
    if bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) {
      throw refuse("this is a spreadsheet (.xls); save the sheet as CSV")
    }
    if begins("PAR1") {
      throw refuse(
        "this is a Parquet file; convert it, for example by python -c \"import pandas as p; "
          + "p.read_parquet('in.parquet').to_csv('out.csv', index=False)\"")
    }
    if begins("ARROW1") || begins("FEA1") {
      throw refuse("this is an Arrow or Feather file; convert it to CSV")
    }
    if begins("MATLAB 5.0") {
      throw refuse("this is a MATLAB file; write the table with writetable(t, 'table.csv')")
    }
    if bytes.starts(with: [0x1F, 0x8B]) || begins("BZh")
      || bytes.starts(with: [0xFD, 0x37, 0x7A, 0x58])
      || bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
    {
      throw refuse("this is compressed; unpack it first (gzip -d, bzip2 -d, xz -d or zstd -d)")
    }
    if begins("TDSm") { throw refuse("this is a LabVIEW TDMS file; export it as CSV") }
    if begins("SQLite format") { throw refuse("this is a database; export the table as CSV") }
    if begins("%PDF") || begins("\u{89}PNG") { throw refuse("this is no table") }
    if begins("{") || begins("[{") { throw refuse("this is JSON; write the table as CSV") }
    if begins("<") { throw refuse("this is XML or HTML; save the table as CSV") }
    if bytes.prefix(65536).contains(0) {
      throw refuse(
        "it holds NUL bytes, so it is no table as text (CSV), nor any other format that is read")
    }
  }

  private static func take(
    _ reader: inout RowReader, _ plan: inout ColumnPlan, _ layout: TableLayout,
    into table: inout RawTable
  ) throws(FileProblem) {
    table.values = reader.takeValues()
    table.columns = reader.columns
    for index in table.columns.indices {
      let column = table.columns[index]
      table.columns[index].numberCount =
        reader.rows - column.missingCount - column.strangeCount - column.switchCount
      if column.unit.isEmpty, let unit = column.cellUnit {
        table.columns[index].unit = unit
        table.report.add(.layout, "cells of \(Words.shown(column.name)) carry the unit \(unit)")
      }
    }
    table.wordColumns = reader.words
    table.firstRagged = reader.firstRagged
    if reader.raggedRows > 0, let first = reader.firstRagged {
      guard reader.raggedRows * 10 <= reader.rows else {
        throw .malformed(
          path: table.path, place: "line \(first.line)",
          reason: "\(first.count) fields where the header has \(layout.columns.count)"
            + (first.count >= 2 * layout.columns.count - 1 && layout.separator == 0x2C
              ? "; decimals need a point, not a comma, where commas separate columns" : ""))
      }
      table.report.add(
        .done,
        "\(Words.counted(reader.raggedRows, "row")) with more or fewer fields than the header (first in line "
          + "\(first.line)): what is lacking is missing")
    }
    let skipped = reader.skippedLines
    if skipped.count > 0 {
      table.report.add(
        .leftOut,
        "\(Words.counted(skipped.count, "line")) that are no rows (first in line \(skipped.line): \"\(skipped.text)\")"
      )
    }
    if reader.repeatedHeadings > 0 {
      table.report.add(.leftOut, "\(Words.counted(reader.repeatedHeadings, "repeated header"))")
    }
    if let run = plan.runWords {
      table.runs = table.wordColumns[run].ids
      table.runNames = table.wordColumns[run].words
      table.wordColumns.remove(at: run)
    }
  }
}

/// From numbers and stamps to seconds.
private struct MomentsOfTable {
  let time: RowReader.TimeColumn
  let plan: ColumnPlan
  let settings: TableSettings

  init(_ time: RowReader.TimeColumn, _ plan: ColumnPlan, _ settings: TableSettings) {
    self.time = time
    self.plan = plan
    self.settings = settings
  }

  func apply(to table: inout RawTable) throws(FileProblem) {
    if time.isStamp {
      try stamps(&table)
    } else if plan.hasTime {
      try counts(&table)
    } else if let text = settings.sampling, let step = TableSettings.Duration.seconds(text) {
      table.times = (0..<table.rowCount).map { Double($0) * step }
      table.report.add(.assumed, "rows are \(Words.time(step)) apart, as was said")
    }
  }

  private func stamps(_ table: inout RawTable) throws(FileProblem) {
    guard let first = time.whole.first else { return }
    if time.isOrderOpen && settings.dateOrder == nil { try checkOrder(&table) }
    if time.hasZone && time.lacksZone {
      throw table.malformed(
        plan.timePlace, "some times have a zone and some have none; give all of them one")
    }
    table.times = time.whole.map { Double($0 &- first) * 1e-9 }
    table.resolution =
      time.hasClock ? (time.decimals < 0 ? 60 : pow10(-min(9, time.decimals))) : 86400
    if time.lastPart == 4 { table.resolution = 3600 }
    table.isLocalTime = time.hasDate && !time.hasZone
    table.isClockOnly = !time.hasDate
    if time.hasDate { table.start = (first, time.hasZone) }
    if time.hasDate, !time.hasClock { evenMonths(&table) }
  }

  /// First days of months lie 28 to 31 days apart: months count as equally long.
  private func evenMonths(_ table: inout RawTable) {
    let perDay: Int64 = 86_400_000_000_000
    let dates = time.whole.map { CalendarStamp.date(days: Int($0 / perDay)) }
    guard dates.count > 2, dates.allSatisfy({ $0.day == 1 }) else { return }
    let months = dates.map { 12 * $0.year + $0.month }
    let steps = zip(months, months.dropFirst()).map { abs($1 - $0) }.filter { $0 > 0 }.sorted()
    guard !steps.isEmpty, steps[steps.count / 2] < 12 else { return }
    table.times = months.map { Double($0 - months[0]) * TimeUnit.month }
    table.resolution = 86400
    table.report.add(.assumed, "months are taken as equally long (a twelfth of a year)")
  }

  /// Day or month first, where all dates can be read both ways.
  private func checkOrder(_ table: inout RawTable) throws(FileProblem) {
    let name = plan.isMonthFirst ? "month" : "day"
    if time.largestFirst > 12 || time.largestSecond > 12 {
      return table.report.add(.layout, "dates such as \(time.example) have the \(name) first")
    }
    let days = Set(time.whole.lazy.map { $0 / 86_400_000_000_000 }.prefix(100_000))
    if days.count == 1 && time.whole.last.map({ $0 / 86_400_000_000_000 }) == days.first {
      return table.report.add(
        .assumed,
        "dates such as \(time.example) are taken to have the \(name) first; all are the same day")
    }
    throw table.malformed(
      plan.timePlace,
      "dates such as \(time.example) may have the day or the month first; say which with --date-order dmy or "
        + "--date-order mdy")
  }

  private func counts(_ table: inout RawTable) throws(FileProblem) {
    let isWhole = !time.isFractional
    let first = isWhole ? Double(time.whole.first ?? 0) : time.numbers.first ?? 0
    let numbers: [Double] =
      isWhole ? time.whole.map { Double($0 &- (time.whole.first ?? 0)) } : time.numbers
    let (unit, kind) = try meaning(numbers, first, isWhole, &table)
    if let kind { table.report.add(kind, words(unit)) }
    let offset = isWhole ? 0 : (unit.origin == .own ? 0 : first)
    // Division is exact where multiplication with 1/1000 is not.
    let inverse = (1 / unit.seconds).rounded()
    let isFraction = unit.seconds < 1 && abs(inverse * unit.seconds - 1) < 1e-12
    table.times =
      unit.seconds == 1 && offset == 0
      ? numbers
      : numbers.map { isFraction ? ($0 - offset) / inverse : ($0 - offset) * unit.seconds }
    table.resolution =
      time.decimals == 0 && isWhole ? unit.seconds : pow10(-min(15, time.decimals)) * unit.seconds
    // Wide numbers of days hold less than their digits say.
    table.resolution = max(table.resolution, abs(first) * unit.seconds * 4e-16)
    if let days = unit.origin.daysBeforeEpoch {
      let seconds = first * unit.seconds - days * 86400
      if abs(seconds) < 9e9 {
        table.start = (Int64((seconds * 1e3).rounded()) * 1_000_000, unit.origin == .epoch)
      }
    }
  }

  private func words(_ unit: TimeUnit) -> String {
    switch unit.origin {
    case .own: "times are in \(unit.word)"
    case .excel: "times such as \(example) are days of a spreadsheet"
    case .matlab: "times such as \(example) are MATLAB's days"
    case .windows: "times are Windows' (100 ns since 1601)"
    case .epoch:
      "times are \(["epoch": "s", "epoch-ms": "ms", "epoch-us": "µs", "epoch-ns": "ns"][unit.word] ?? "s") since 1970"
    }
  }

  private var example: String {
    Words.number(time.numbers.first ?? Double(time.whole.first ?? 0), digits: 9)
  }

  /// The unit of the clock, and whether to report it.
  private func meaning(
    _ numbers: [Double], _ first: Double, _ isWhole: Bool, _ table: inout RawTable
  )
    throws(FileProblem) -> (TimeUnit, TableReport.Note.Kind?)
  {
    if let said = settings.timeUnit, let unit = TimeUnit(word: said) { return (unit, nil) }
    let base = isWhole ? first : 0
    var (low, high) = (Double.infinity, -Double.infinity)
    for number in numbers { (low, high) = (min(low, number), max(high, number)) }
    var steps: [Double] = []
    for index in stride(from: 1, to: numbers.count, by: max(1, numbers.count / 2000)) {
      let step = abs(numbers[index] - numbers[index - 1])
      if step > 0 { steps.append(step) }
    }
    steps.sort()
    let step = steps.isEmpty ? 1 : steps[steps.count / 2]
    let known = TimeUnit.recognised(
      first: low + base, last: high + base, step: step, isWhole: isWhole)
    if let unit = plan.timeUnit {
      // "time [s]" above milliseconds since 1970 would be fifty years of seconds in a thousand rows.
      if let known, known.origin != .own, abs(known.seconds / unit.seconds - 1) > 1e-9,
        known.word != "matlab" || step < 0.5
      {
        throw table.malformed(
          plan.timePlace,
          "the heading says \(unit.word), but numbers such as \(Words.number(first, digits: 13)) look like "
            + "\(known.word); say which with --time-unit \(known.word) or --time-unit \(unit.word)")
      }
      return (
        known.map { $0.seconds == unit.seconds ? $0 : unit } ?? unit,
        unit.seconds == 1 ? nil : .layout
      )
    }
    if let known {
      if known.seconds == 86400, time.decimals < 4 {
        throw table.malformed(
          plan.timePlace,
          "numbers such as \(Words.number(first, digits: 9)) may be seconds or days of a calendar; say which with "
            + "--time-unit s or --time-unit \(known.word)")
      }
      return (known, known.word == "epoch" ? .layout : .assumed)
    }
    if isWhole, (32874...73050).contains(low + base), step == 1, numbers.count > 2, high > low {
      throw table.malformed(
        plan.timePlace,
        "numbers such as \(Words.number(first)) may be seconds or days of a spreadsheet; say which with "
          + "--time-unit s or --time-unit excel")
    }
    return (.second, plan.isTimeNamed ? nil : .assumed)
  }

  private func pow10(_ exponent: Int) -> Double {
    let power = (0..<abs(exponent)).reduce(1.0) { value, _ in value * 10 }
    return exponent < 0 ? 1 / power : power
  }
}
