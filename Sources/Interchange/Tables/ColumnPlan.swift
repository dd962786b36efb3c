import Dynamics
import Foundation

/// What each column of a table is: time, a run's name, a variable, words.
struct ColumnPlan {
  var uses: [RowReader.Use]
  var columns: [RawTable.Column] = []
  var words: [RawTable.WordColumn] = []
  var notes: [TableReport.Note] = []
  var hasTime = false
  /// Whether a heading, or the user, says that it is time.
  var isTimeNamed = false
  var timeHeading = "time"
  var timePosition = 1
  /// The unit in its heading.
  var timeUnit: TimeUnit?
  /// Dates in the sample can only be read with the month first.
  var isMonthFirst = false
  /// The column of words that distinguishes runs.
  var runWords: Int?

  var timePlace: String { "column \(timePosition) (\(Words.shown(timeHeading)))" }

  private let path: String

  init(_ layout: TableLayout, settings: TableSettings, path: String) throws(FileProblem) {
    self.path = path
    uses = Array(repeating: .skip, count: layout.columns.count)
    isMonthFirst = layout.isMonthFirst
    let moments = try findTime(layout, settings)
    let run = try findRun(layout, settings, besides: moments)
    for index in layout.columns.indices where !moments.contains(index) && index != run {
      add(index, layout, settings)
    }
    if columns.isEmpty && !words.contains(where: { _ in true }) {
      throw .malformed(
        path: path, place: "line \(layout.headingLine)", reason: "there are no columns of variables"
      )
    }
    if columns.isEmpty {
      throw .malformed(
        path: path, place: "line \(layout.headingLine)",
        reason: "there are no columns of variables that hold numbers")
    }
    nameApart(layout)
  }

  // MARK: Time

  /// The columns of time: one, or a date and a time of day.
  private mutating func findTime(_ layout: TableLayout, _ settings: TableSettings)
    throws(FileProblem)
    -> [Int]
  {
    if let wanted = settings.time {
      let parts = wanted.split(separator: "+").map { String($0).trimmed }
      var found: [Int] = []
      for part in layout.index(of: wanted).map({ _ in [wanted] }) ?? parts {
        guard let index = layout.index(of: part) else {
          throw .malformed(
            path: path, place: "line \(layout.headingLine)",
            reason: "there is no column \"\(Words.shown(part))\" for the time; there are "
              + Words.listed(layout.columns.map(\.heading), limit: 12))
        }
        found.append(index)
      }
      isTimeNamed = true
      take(found, layout)
      return found
    }
    if settings.sampling != nil { return [] }
    if let parts = CalendarColumns.find(layout) {
      takeParts(parts, layout)
      return parts
    }
    let found = likelyTime(layout)
    guard let first = found.first else {
      throw .malformed(
        path: path, place: "line \(layout.headingLine)",
        reason:
          "there is no column of time: name it with --time, or say how far rows are apart with "
          + "--sampling 5s; there are \(Words.listed(layout.columns.map(\.heading), limit: 8))")
    }
    try refusePairs(layout, first)
    take(found, layout)
    if !isTimeNamed && layout.hasHeading {
      notes.append(.init(.assumed, "\"\(Words.shown(layout.columns[first].heading))\" is the time"))
    } else if !layout.hasHeading {
      notes.append(
        .init(.assumed, "the first column is the time, in s unless its numbers say otherwise"))
    }
    return found
  }

  private mutating func take(_ found: [Int], _ layout: TableLayout) {
    hasTime = true
    guard let first = found.first else { return }
    timePosition = first + 1
    timeHeading = layout.columns[first].heading
    for index in found {
      switch layout.columns[index].kind {
      case .date, .clock: uses[index] = .stamp
      default: uses[index] = layout.holdsCompactDates(index) ? .stamp : .count
      }
    }
    timeUnit =
      TimeHeading(layout.columns[first].heading).unit
      ?? layout.columns[first].unit.flatMap {
        TimeUnit.seconds(of: $0) == nil ? nil : TimeUnit(word: $0)
      }
  }

  /// Year, month, day and so on, each in a column of its own.
  private mutating func takeParts(_ parts: [Int], _ layout: TableLayout) {
    (hasTime, isTimeNamed, timePosition) = (true, true, parts[0] + 1)
    for (part, index) in parts.enumerated() { uses[index] = .part(part) }
    timeHeading = layout.columns[parts[0]].heading
    notes.append(
      .init(.layout, "\(Words.listed(parts.map { layout.columns[$0].heading })) are the time"))
  }

  /// Columns in pairs of a time and a value: each variable has times of its own.
  private func refusePairs(_ layout: TableLayout, _ time: Int) throws(FileProblem) {
    let dates = layout.columns.indices.filter {
      layout.columns[$0].kind == .date && !layout.datesLackClock.contains($0)
    }
    guard
      let other = dates.first(where: { other in
        other > time + 1 && layout.columns[other - 1].kind == .number
          && other + 1 < layout.columns.count && layout.columns[other + 1].kind == .number
          && !layout.areEqual(time, other)
      }), dates.contains(time)
    else { return }
    throw .malformed(
      path: path, place: "column \(other + 1) (\(Words.shown(layout.columns[other].heading)))",
      reason:
        "its times are others than those of \"\(Words.shown(layout.columns[time].heading))\", so that each "
        + "variable has times of its own: stack them as tag, time, value in three columns, or name the time of "
        + "all of them with --time")
  }

  private mutating func likelyTime(_ layout: TableLayout) -> [Int] {
    let columns = layout.columns
    let named = columns.indices.filter {
      TimeHeading(columns[$0].heading).isTime && columns[$0].kind != .word
        && columns[$0].kind != .empty
    }
    isTimeNamed = !named.isEmpty
    let dates = columns.indices.filter { columns[$0].kind == .date }
    if let date = named.first(where: { columns[$0].kind == .date }) ?? dates.first {
      isTimeNamed = true
      // A date alone beside a time of day.
      if layout.datesLackClock.contains(date),
        let clock = columns.indices.first(where: { columns[$0].kind == .clock })
      {
        return [date, clock]
      }
      // Dates that never change beside a clock of their own say nothing.
      if layout.datesLackClock.contains(date),
        let clock = named.first(where: { columns[$0].kind == .number }), layout.isConstant(date)
      {
        return [clock]
      }
      return [date]
    }
    if let exact = named.first(where: { columns[$0].heading.trimmed.lowercased() == "time" }) {
      return [exact]
    }
    if let first = named.first(where: { layout.facts[$0].isRising }) ?? named.first {
      return [first]
    }
    if let clock = columns.indices.first(where: { columns[$0].kind == .clock }) { return [clock] }
    return layout.risingColumns.first == 0 ? [0] : []
  }

  // MARK: Runs

  private static let runNames: Set<String> = [
    "trajectory", "experiment", "run", "runid", "run id", "run no", "runno", "trial", "batch",
    "batchid", "batch id", "test", "testid", "series", "episode", "traj", "sequence", "segment",
    "experiment id",
    "experimentid", "expid", "exp", "simulation", "simulation id", "simulationrun", "trajectory id",
    "unit_id", "versuch", "charge", "lauf", "id", "cycle", "recording", "session",
  ]

  private mutating func findRun(_ layout: TableLayout, _ settings: TableSettings, besides: [Int])
    throws(FileProblem) -> Int?
  {
    var index: Int?
    if let wanted = settings.trajectory {
      guard let found = layout.index(of: wanted) else {
        throw .malformed(
          path: path, place: "line \(layout.headingLine)",
          reason: "there is no column \"\(Words.shown(wanted))\" for the runs; there are "
            + Words.listed(layout.columns.map(\.heading), limit: 12))
      }
      index = found
    } else {
      // Whole numbers or words that come in blocks; "trajectory" always.
      let names = (settings.states ?? []) + (settings.inputs ?? [])
      index = layout.columns.indices.first { index in
        let name = layout.columns[index].heading.trimmed.lowercased().replacing("_", with: " ")
        guard !besides.contains(index), !isLong(layout),
          Self.runNames.contains(name) || Self.runNames.contains(name.replacing(" ", with: "")),
          !names.contains(layout.columns[index].heading)
        else { return false }
        return name == "trajectory" || layout.isBlocked(index)
      }
    }
    guard let index else { return nil }
    runWords = words.count
    uses[index] = .words(words.count)
    words.append(RawTable.WordColumn(heading: layout.columns[index].heading, position: index + 1))
    if layout.columns[index].heading.lowercased() != "trajectory" {
      notes.append(
        .init(.layout, "\"\(Words.shown(layout.columns[index].heading))\" tells runs apart"))
    }
    return index
  }

  /// Whether rows hold a tag and one value.
  private func isLong(_ layout: TableLayout) -> Bool {
    layout.columns.contains { LongTable.isTag($0.heading) && $0.kind == .word }
      && layout.columns.contains { LongTable.isValue($0.heading) && $0.kind == .number }
  }

  // MARK: Variables

  private static let counterNames: Set<String> = [
    "no", "no.", "nr", "nr.", "#", "n", "id", "idx", "index", "row", "row number", "row_number",
    "rownum", "rn", "record", "record number", "record no", "record_number", "recnum", "rec",
    "line", "sample", "sample no", "sample_no", "sample number", "sample_number", "scan",
    "scan number", "seq", "sequence", "count", "counter", "unnamed: 0", "lfd. nr.", "lfd nr",
    "lfdnr", "datensatz", "zeile",
  ]

  private mutating func add(_ index: Int, _ layout: TableLayout, _ settings: TableSettings) {
    let column = layout.columns[index]
    let ignored = settings.ignore ?? []
    let heading = Heading(column.heading)
    if ignored.contains(column.heading) || ignored.contains(heading.name) { return }
    if uses.contains(.stamp), column.kind == .number, layout.facts[index].isRising,
      TimeHeading(column.heading).isTime
    {
      notes.append(.init(.leftOut, "\"\(Words.shown(column.heading))\" is a second clock"))
      return
    }
    // A separator at the end of every row.
    if column.kind == .empty && !column.isNamed { return }
    if column.kind == .word || column.kind == .date || column.kind == .clock {
      if column.kind == .word, !layout.isSwitch(index) {
        uses[index] = .words(words.count)
        words.append(RawTable.WordColumn(heading: column.heading, position: index + 1))
        return
      }
      if column.kind != .word {
        notes.append(
          .init(.leftOut, "\"\(Words.shown(column.heading))\" holds dates or times of day"))
        return
      }
    }
    if isCounter(index, heading, layout, settings) {
      notes.append(
        .init(
          .leftOut,
          column.isNamed
            ? "\"\(Words.shown(column.heading))\" counts the rows"
            : "column \(index + 1) counts the rows"))
      return
    }
    uses[index] = .variable(columns.count)
    var variable = RawTable.Column(heading: column.heading, name: heading.name, position: index + 1)
    variable.unit =
      heading.unit.isEmpty ? column.unit.map { $0 == "-" ? "" : $0 } ?? "" : heading.unit
    variable.role = heading.role
    if !column.isNamed { variable.name = "x\(columns.count + 1)" }
    if !layout.hasHeading { variable.heading = variable.name }
    repair(&variable)
    columns.append(variable)
  }

  /// Whether a column only counts the rows, by its numbers and its name, or the lack of one.
  private func isCounter(
    _ index: Int, _ heading: Heading, _ layout: TableLayout, _ settings: TableSettings
  ) -> Bool {
    let column = layout.columns[index]
    if !column.isNamed { return layout.hasHeading && layout.isCounter(index) }
    let named = (settings.states ?? []) + (settings.inputs ?? [])
    return layout.countsRows(index)
      && Self.counterNames.contains(heading.name.trimmed.lowercased())
      && !named.contains(heading.name) && !named.contains(column.heading)
  }

  /// Repairs damaged units and names where possible.
  private mutating func repair(_ column: inout RawTable.Column) {
    let whole = TableText.undoubled(column.unit)
    if whole != column.unit {
      notes.append(
        .init(
          .done,
          "the unit \"\(Words.shown(column.unit))\" of \(Words.shown(column.name)) was \"\(whole)\" once, and is again"
        ))
      column.unit = whole
    }
    let hasControls = column.unit.unicodeScalars.contains {
      $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0 == "\u{FFFD}"
    }
    if hasControls && column.unit.unicodeScalars.contains("\u{FFFD}") {
      notes.append(
        .init(.leftOut, "the unit of \(Words.shown(column.name)), whose characters are damaged"))
      column.unit = ""
    }
    let name = TableText.undoubled(column.name)
    if name != column.name { column.name = name }
  }

  /// Numbers equal names.
  private mutating func nameApart(_ layout: TableLayout) {
    if !layout.hasHeading {
      let first = columns.first?.name ?? ""
      let last = columns.last?.name ?? ""
      notes.append(
        .init(.assumed, "variables are called \(first == last ? first : "\(first) to \(last)")"))
    }
    var seen = Set<String>()
    let all = Set(columns.map(\.name))
    for index in columns.indices where !seen.insert(columns[index].name).inserted {
      var number = 2
      while seen.contains("\(columns[index].name)_\(number)")
        || all.contains("\(columns[index].name)_\(number)")
      { number += 1 }
      let renamed = "\(columns[index].name)_\(number)"
      notes.append(
        .init(
          .done,
          "two columns are called \"\(Words.shown(columns[index].name))\": that in column \(columns[index].position) becomes \(Words.shown(renamed))"
        ))
      columns[index].name = renamed
      seen.insert(renamed)
    }
  }
}

/// Whether a heading names a time, and in what unit.
struct TimeHeading {
  var isTime = false
  var unit: TimeUnit?

  private static let names: Set<String> = [
    "time", "t", "timestamp", "time stamp", "datetime", "date time", "date/time", "date",
    "dateandtime", "date and time", "zeit", "zeitstempel",
    "uhrzeit", "datum", "temps", "tiempo", "fecha", "tempo", "elapsed time", "elapsed",
    "elapsedtime", "time elapsed", "relative time", "rel time",
    "abs time", "local time", "localtime", "utc", "utc time", "time utc", "sample time",
    "sampletime", "x value", "ts", "epoch",
    "unix time", "unixtime", "unix", "clock", "simtime", "sim time", "simulation time", "logtime",
    "recorded at", "measured at", "created at", "timeutc", "tijd", "tid", "czas", "hora", "heure",
    "datumzeit", "datum zeit", "mess datum", "messdatum", "messzeit", "messzeitpunkt", "zeitpunkt",
    "valid time",
  ]
  private static let unitNames: Set<String> = [
    "seconds", "second", "sec", "secs", "s", "milliseconds", "minutes", "minute", "hours", "hour",
    "days", "day", "ms", "min", "sekunden", "stunden", "year", "years", "yr", "jahr",
  ]

  init(_ heading: String) {
    var text = heading.trimmed.lowercased()
    for (open, close) in [("[", "]"), ("(", ")")] {
      guard text.hasSuffix(close), let start = text.lastIndex(of: Character(open)) else { continue }
      let inside = String(text[text.index(after: start)...].dropLast()).trimmed
      unit = Self.unit(inside)
      text = String(text[..<start]).trimmed
      break
    }
    func isName(_ text: String) -> Bool {
      Self.names.contains(text.replacing("_", with: " ").replacing("-", with: " ").trimmed)
    }
    if isName(text) {
      isTime = true
      return
    }
    // "time_ms", "t/s", "Time, s", "time in min", "elapsed seconds"
    for mark in ["_", "/", ",", " in ", " ", "."] {
      guard let range = text.range(of: mark, options: .backwards) else { continue }
      let (head, tail) = (
        String(text[..<range.lowerBound]).trimmed, String(text[range.upperBound...]).trimmed
      )
      if isName(head), let found = Self.unit(tail) {
        isTime = true
        unit = found
        return
      }
    }
    if Self.unitNames.contains(text), unit == nil {
      isTime = true
      unit = Self.unit(text)
    }
  }

  private static func unit(_ text: String) -> TimeUnit? {
    // "seconds since 2024-03-31 00:55:00"
    let word = text.split(separator: " ").first.map(String.init) ?? text
    guard let seconds = TimeUnit.seconds(of: word) else { return nil }
    return TimeUnit(word: word, seconds: seconds)
  }
}

/// Columns that hold a date in parts, one after the other, the year first.
enum CalendarColumns {
  private static let names: [Set<String>] = [
    ["year", "yr", "yy", "yyyy", "jahr"], ["month", "mo", "mm", "mon", "monat"],
    ["day", "dy", "dd", "mday", "tag"], ["hour", "hr", "hh", "h", "stunde"],
    ["minute", "min", "mn", "mi", "mm"], ["second", "sec", "ss", "s"],
  ]

  /// Their numbers: year, month and day at least; nil where there are none.
  static func find(_ layout: TableLayout) -> [Int]? {
    func isPart(_ part: Int, _ index: Int) -> Bool {
      let column = layout.columns[index]
      let name = Heading(column.heading).name.trimmed.lowercased()
      return column.kind == .number && names[part].contains(name)
    }
    guard let first = layout.columns.indices.first(where: { isPart(0, $0) }) else { return nil }
    var found: [Int] = []
    for index in first..<layout.columns.count {
      guard found.count < names.count, isPart(found.count, index) else { break }
      found.append(index)
    }
    return found.count >= 3 ? found : nil
  }
}
