/// What the first rows show about a column beyond the kind of its cells.
struct ColumnFacts {
  /// Numbers, each larger than the one before.
  var isRising = true
  /// Largest and smallest step between them.
  var largestStep = 0.0
  var smallestStep = Double.infinity
  /// Whole numbers from 0 or 1, one more in each row.
  var isCounter = true
  /// How often a cell differs from that above, and whether one comes back later.
  var changes = 0
  var returns = false
  var isSwitch = true
  /// A date of which no time of day was met.
  var lacksClock = true
  /// Numbers that may all be dates, as 20240503080000.
  var areCompactDates = true
  /// The digits of the last of them.
  var digits = 0
  /// Stands for the texts of all cells, in order.
  var digest = Hasher()
  /// Dates that only make sense with the month first.
  var isMonthFirst = false
  fileprivate var previous: Double?
  fileprivate var text: [UInt8]?
  fileprivate var seen: Set<[UInt8]> = []
  fileprivate var filled = 0

  mutating func add(
    _ bytes: TableBytes, _ field: FieldScanner.Field, _ kind: CellKind,
    _ scanner: NumberScanner
  ) {
    digest.combine(
      bytes: UnsafeRawBufferPointer(TableBytes(rebasing: bytes[field.start..<field.end])))
    guard kind != .empty else { return }
    let cell = Array(bytes[field.start..<field.end])
    digits = cell.count
    areCompactDates = areCompactDates && CalendarStamp.isCompact(bytes, field.start, field.end)
    if let text, text != cell {
      changes += 1
      if seen.contains(cell) { returns = true }
    }
    if seen.count < 1000 { seen.insert(cell) }
    text = cell
    switch kind {
    case .number:
      addNumber(
        scanner.number(bytes, field.start, field.end)
          ?? scanner.grouped(bytes, field.start, field.end))
    case .date:
      lacksClock =
        lacksClock
        && CalendarStamp.parse(bytes, field.start, field.end, dayFirst: true).map { !$0.hasClock }
          ?? CalendarStamp.parse(bytes, field.start, field.end, dayFirst: false).map {
            !$0.hasClock
          } ?? true
      if CalendarStamp.parse(bytes, field.start, field.end, dayFirst: true) == nil {
        isMonthFirst = true
      }
    default: break
    }
    if kind != .word || CellWords.switched(CellWords.plain(TableText.decoded(cell))) == nil {
      isSwitch = false
    }
    filled += 1
  }

  private mutating func addNumber(_ number: Double?) {
    guard let number else {
      (isRising, isCounter) = (false, false)
      return
    }
    if let previous {
      let step = number - previous
      isRising = isRising && step > 0
      isCounter = isCounter && step == 1
      (largestStep, smallestStep) = (max(largestStep, step), min(smallestStep, step))
    } else {
      isCounter = number == 0 || number == 1
    }
    previous = number
  }

  var isEmpty: Bool { filled == 0 }
  var count: Int { filled }
}

extension ColumnFacts {
  /// Looks at the rows of the sample.
  static func all(in bytes: TableBytes, _ sample: TableSample, from start: Int, decimal: UInt8)
    -> [ColumnFacts]
  {
    let scanner = NumberScanner(decimal: decimal)
    var facts = Array(repeating: ColumnFacts(), count: sample.width)
    for record in sample.records where record.start >= start {
      for (index, field) in record.fields.prefix(sample.width).enumerated() {
        facts[index].add(bytes, field, record.kinds[index], scanner)
      }
    }
    return facts
  }
}

extension TableLayout {
  /// The column of this heading, name or number.
  func index(of wanted: String) -> Int? {
    columns.firstIndex { $0.heading == wanted }
      ?? columns.firstIndex { Heading($0.heading).name == wanted }
      ?? columns.firstIndex { $0.heading.lowercased() == wanted.lowercased() }
      ?? Int(wanted).flatMap { columns.indices.contains($0 - 1) ? $0 - 1 : nil }
  }

  var isMonthFirst: Bool { facts.contains { $0.isMonthFirst } }

  /// Columns of dates without times of day.
  var datesLackClock: Set<Int> {
    Set(columns.indices.filter { columns[$0].kind == .date && facts[$0].lacksClock })
  }

  func isConstant(_ index: Int) -> Bool { facts[index].changes == 0 }

  /// Columns of numbers that may be a clock nobody named.
  var risingColumns: [Int] {
    columns.indices.filter { index in
      let fact = facts[index]
      guard columns[index].kind == .number, fact.isRising, fact.count > 1 else { return false }
      return !hasHeading || !columns[index].isNamed || fact.largestStep <= 1.5 * fact.smallestStep
    }
  }

  /// Whether the numbers of a column are dates without marks. Ten digits may also be seconds since 1970, which last
  /// digits below 24 in many rows rule out.
  func holdsCompactDates(_ index: Int) -> Bool {
    let fact = facts[index]
    guard columns[index].kind == .number, fact.areCompactDates, fact.count > 2 else { return false }
    return fact.digits != 10 || fact.count > 24 || fact.largestStep > 1.5 * fact.smallestStep
  }

  /// Whether two columns hold the same text in every row that was looked at.
  func areEqual(_ one: Int, _ other: Int) -> Bool {
    facts[one].digest.finalize() == facts[other].digest.finalize()
  }

  /// Whether numbers count rows: each one more than the one above.
  func countsRows(_ index: Int) -> Bool {
    let fact = facts[index]
    return columns[index].kind == .number && fact.isRising && fact.count > 2
      && fact.smallestStep == 1 && fact.largestStep == 1
  }

  /// Whether equal cells stand together, as those of runs do.
  func isBlocked(_ index: Int) -> Bool {
    let fact = facts[index]
    return !fact.isEmpty && !fact.returns && fact.changes * 3 < max(3, fact.count)
  }

  /// Whether all cells are words such as on and off.
  func isSwitch(_ index: Int) -> Bool {
    columns[index].kind == .word && facts[index].isSwitch && !facts[index].isEmpty
  }

  func isCounter(_ index: Int) -> Bool {
    columns[index].kind == .number && facts[index].isCounter && facts[index].count > 2
  }
}
