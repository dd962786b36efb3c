import Dynamics
import LinearAlgebra

/// From tables to trajectories, with an account of everything that was done.
struct TablePreparation {
  let settings: TableSettings
  let gaps: Gaps
  /// Accepts rows that are not equally spaced, to examine them: resampled to their usual spacing, with a note.
  var toleratesUnevenness = false

  struct Outcome {
    var data: Trajectories
    var report: TableReport
  }

  /// - Throws: `FileProblem` with the place and the remedy.
  func trajectories(_ table: RawTable) throws(FileProblem) -> Outcome {
    var table = table
    try LongTable.pivot(&table, settings)
    try ColumnCleaning.apply(&table, settings)
    try Roles.apply(settings, to: &table)
    ColumnCleaning.leaveOutSentinels(&table)
    try Sampling.arrange(&table)
    if gaps == .inStates { dropEmptyRows(&table) }
    ColumnCleaning.judgeOutliers(&table, drop: settings.outliers != .report && gaps == .inStates)
    if gaps == .inStates { ColumnCleaning.setConstantsAside(&table, settings) }
    ColumnCleaning.findTwins(&table)
    try refuseGaps(table)
    let rule = settings.gaps.flatMap(TableSettings.GapRule.init) ?? .usual
    var sampling: Sampling
    if let every = settings.every.flatMap(TableSettings.Duration.seconds) {
      sampling = Resampling(step: every, rule: rule).apply(to: &table)
    } else {
      sampling = Sampling(&table)
      if let unevenness = sampling.unevenness {
        if toleratesUnevenness { sampling = even(&table, unevenness, rule) }
      }
      if let unevenness = sampling.unevenness {
        let distance = Resampling.usualDistance(table)
        let usual = Words.time(Sampling.handy(distance, within: 0.1 * distance))
        throw table.malformed(
          "",
          "\(unevenness); models need equally spaced samples: resample with --every, for example --every "
            + usual.replacing(" ", with: ""))
      }
    }
    let pieces = Pieces(table, sampling, limit: gaps == .inStates ? rule.limit : 0)
    return try assemble(&table, sampling, pieces)
  }

  private func even(_ table: inout RawTable, _ unevenness: String, _ rule: TableSettings.GapRule)
    -> Sampling
  {
    let usual = Resampling.usualDistance(table)
    let step = Sampling.handy(usual, within: 0.1 * usual)
    table.report.every = Words.time(step).replacing(" ", with: "")
    table.report.add(
      .found,
      "the rows are not equally spaced (\(unevenness)): --every \(Words.time(step).replacing(" ", with: "")) resamples them"
    )
    return Resampling(step: step, rule: rule).apply(to: &table)
  }

  private func assemble(_ table: inout RawTable, _ sampling: Sampling, _ pieces: Pieces)
    throws(FileProblem) -> Outcome
  {
    let path = table.path
    let variables = table.columns.map {
      Variable($0.name, unit: $0.unit, longName: $0.longName, role: $0.role ?? .state)
    }
    let matrices = pieces.matrices(of: &table)
    guard sampling.step > 0, matrices.contains(where: { $0.rows > 1 }) else {
      throw .badData(path: path, problem: .tooShort)
    }
    let report = table.report
    let data = try locating(path) { () throws(DataProblem) in
      try Trajectories(variables: variables, timeStep: sampling.step, samples: matrices, gaps: gaps)
    }
    var outcome = Outcome(data: data, report: report)
    outcome.report.summary = TableReport.summary(data)
    return outcome
  }

  /// Rows without a single value count as missing samples.
  private func dropEmptyRows(_ table: inout RawTable) {
    let width = table.columns.count
    var empty = 0
    table.values.withUnsafeBufferPointer { values in
      var row = 0
      let rows = width == 0 ? 0 : values.count / width
      while row < rows {
        var column = 0
        while column < width, values[row * width + column].isNaN { column += 1 }
        if column == width { empty += 1 }
        row += 1
      }
    }
    guard empty > 0, empty < table.rowCount else { return }
    var kept: [Int] = []
    var segments: [RawTable.Segment] = []
    for segment in table.segments {
      let start = kept.count
      for row in segment.rows
      where !(0..<width).allSatisfy({ table.values[row * width + $0].isNaN }) { kept.append(row) }
      if kept.count > start { segments.append(.init(name: segment.name, rows: start..<kept.count)) }
    }
    table.choose(kept)
    table.segments = segments
    table.report.add(.found, Words.counted(empty, "row") + " without any value")
  }

  /// Where nothing may be missing, the first place in the file where something is.
  private func refuseGaps(_ table: RawTable) throws(FileProblem) {
    guard gaps == .refused, settings.every == nil else { return }
    if let ragged = table.firstRagged {
      throw table.malformed(
        "line \(ragged.line)", "\(ragged.count) fields where the header has \(table.fieldCount)")
    }
    for column in table.columns where column.role != .control {
      guard let first = column.firstMissing else { continue }
      throw table.malformed(
        first.line > 0
          ? "line \(first.line), \(column.place)" : "variable \"\(Words.shown(column.name))\"",
        (first.text.isEmpty
          ? "the field is empty"
          : "\"\(Words.shown(first.text, limit: 40))\" stands for a missing value")
          + "; nothing may be missing here: filigree-data prepare with --every, or --gaps split, makes trajectories "
          + "without gaps")
    }
  }
}

/// Parts of runs between gaps too long to be bridged.
struct Pieces {
  struct Piece {
    var rows: Range<Int>
    /// Of the rows on the even clock, from zero; nil where none is missing.
    var places: [Int]?
    var count: Int { places.map { ($0.last ?? -1) + 1 } ?? rows.count }
  }

  var pieces: [Piece] = []
  private var bridged = 0
  private var cuts = 0
  private var longest = 0
  private var dropped = 0
  private let step: Double

  init(_ table: RawTable, _ sampling: Sampling, limit: Int) {
    step = sampling.step
    guard let all = sampling.places else {
      pieces = table.segments.filter { !$0.rows.isEmpty }.map { Piece(rows: $0.rows) }
      return
    }
    for (segment, places) in zip(table.segments, all) where !segment.rows.isEmpty {
      var start = 0
      for index in 1...places.count {
        if index < places.count {
          let missing = places[index] - places[index - 1] - 1
          if missing <= limit {
            bridged += max(0, missing)
            continue
          }
          cuts += 1
          longest = max(longest, missing)
        }
        let part = places[start..<index]
        let rows = (segment.rows.lowerBound + start)..<(segment.rows.lowerBound + index)
        let isOnlyPart = start == 0 && index == places.count
        if rows.count > 1 || isOnlyPart {
          let isWhole = (part.last ?? 0) - (part.first ?? 0) + 1 == rows.count
          pieces.append(
            Piece(rows: rows, places: isWhole ? nil : part.map { $0 - (part.first ?? 0) }))
        } else {
          dropped += 1
        }
        start = index
      }
    }
  }

  /// The numbers of each piece; controls are held where they are missing.
  func matrices(of table: inout RawTable) -> [Matrix] {
    let width = table.columns.count
    if bridged > 0 {
      table.report.add(
        .done,
        "\(Words.counted(bridged, "sample")) lacking, in gaps that are bridged: states missing there, inputs held"
      )
    }
    if cuts > 0 {
      table.report.add(
        .done,
        "split at \(Words.counted(cuts, "longer gap")) (of up to \(Words.time(Double(longest + 1) * step))): \(Words.counted(pieces.count, "trajectory"))"
      )
    }
    if dropped > 0 {
      table.report.add(.leftOut, "\(Words.counted(dropped, "single sample")) between gaps")
    }
    var result: [Matrix] = []
    let values = table.values
    table.values = []
    if pieces.count == 1, let only = pieces.first, only.places == nil,
      only.rows.count * width == values.count
    {
      result = [Matrix(rows: only.rows.count, columns: width, elements: values)]
    } else {
      for piece in pieces {
        var elements = [Double](repeating: .nan, count: piece.count * width)
        for (index, row) in piece.rows.enumerated() {
          let target = (piece.places?[index] ?? index) * width
          for column in 0..<width { elements[target + column] = values[row * width + column] }
        }
        result.append(Matrix(rows: piece.count, columns: width, elements: elements))
      }
    }
    hold(&result, &table)
    return result
  }

  /// Controls hold their last value until they are set again.
  private func hold(_ matrices: inout [Matrix], _ table: inout RawTable) {
    for (column, description) in table.columns.enumerated() {
      var (missing, longest, leading) = (0, 0, 0)
      for index in matrices.indices {
        let rows = matrices[index].rows
        var last = Double.nan
        var run = 0
        for row in 0..<rows {
          let value = matrices[index][row, column]
          if !value.isNaN {
            if last.isNaN, run > 0, description.role == .control {
              leading += run
              for before in 0..<run { matrices[index][row - 1 - before, column] = value }
            }
            last = value
            run = 0
            continue
          }
          missing += 1
          run += 1
          longest = max(longest, run)
          if description.role == .control, !last.isNaN { matrices[index][row, column] = last }
        }
      }
      // Samples that are lacking altogether have been told of.
      missing = max(missing - bridged, description.missingCount)
      guard missing > 0 else { continue }
      let words = description.missingWords.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .prefix(3)
        .map { "\"\($0.key)\" \($0.value)" }.joined(separator: ", ")
      let name = Words.shown(description.name)
      var text = "\(name): \(Words.counted(missing, "value")) missing"
      if !words.isEmpty { text += " (\(words))" }
      if longest > 1 { text += ", at most \(longest) in a row" }
      if description.role == .control {
        text +=
          ", held" + (leading > 0 ? " (the first \(leading) set to the first value there is)" : "")
      }
      table.report.add(description.role == .control ? .done : .found, text)
    }
  }
}

extension TableReport {
  /// "180 samples, 5 s apart, 15 min in all".
  public static func summary(_ data: Trajectories) -> String {
    let samples = data.sampleCount
    let trajectories = data.samples.count
    return (trajectories > 1 ? "\(Words.counted(trajectories, "trajectory")), " : "")
      + "\(Words.counted(samples, "sample")), \(Words.time(data.timeStep)) apart, "
      + "\(Words.time(Double(samples) * data.timeStep, digits: 3)) in all"
  }
}

/// States and controls, as they were named.
enum Roles {
  static func apply(_ settings: TableSettings, to table: inout RawTable) throws(FileProblem) {
    if let inputs = settings.inputs {
      let wanted = try indices(inputs, table, "--inputs")
      for index in table.columns.indices {
        if wanted.contains(index) {
          table.columns[index].role = .control
        } else if table.columns[index].role == .control {
          table.columns[index].role = .state
        }
      }
    }
    if let states = settings.states {
      let wanted = try indices(states, table, "--states")
      for index in wanted { table.columns[index].role = .state }
      let kept = table.columns.indices.filter {
        wanted.contains($0) || table.columns[$0].role == .control
          || table.columns[$0].role == .observable
      }
      let others = table.columns.indices.filter { !kept.contains($0) }.map {
        table.columns[$0].name
      }
      if !others.isEmpty {
        table.report.add(.leftOut, "\(Words.listed(others)): named neither as states nor as inputs")
      }
      // In the order in which they were named.
      let rest = kept.filter { !wanted.contains($0) }
      table.keepColumns(wanted + rest)
    }
    for (name, unit) in settings.units ?? [:] {
      for index in try indices([name], table, "--units") { table.columns[index].unit = unit }
    }
    for (name, text) in settings.longNames ?? [:] {
      for index in try indices([name], table, "--long-names") {
        table.columns[index].longName = text
      }
    }
  }

  private static func indices(_ names: [String], _ table: RawTable, _ option: String)
    throws(FileProblem) -> [Int]
  {
    var result: [Int] = []
    for name in names {
      let found =
        table.columns.firstIndex { $0.name == name }
        ?? table.columns.firstIndex { $0.heading == name }
        ?? table.columns.firstIndex { $0.name.lowercased() == name.trimmed.lowercased() }
        ?? Int(name).flatMap { number in table.columns.firstIndex { $0.position == number } }
      guard let found else {
        let made =
          table.report.notes.first { $0.text.hasPrefix("no header") }.map { "; \($0.text)" } ?? ""
        throw .malformed(
          path: table.path, place: option,
          reason: "there is no variable \"\(Words.shown(name))\"; there are "
            + table.columns.prefix(30).map { "\"\(Words.shown($0.name))\"" }.joined(separator: ", ")
            + made)
      }
      if !result.contains(found) { result.append(found) }
    }
    return result
  }
}
