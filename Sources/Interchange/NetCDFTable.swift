import Dynamics
import Foundation

/// NetCDF files from other programs, read as tables: variables over time, with dimensions in any order.
///
/// A coordinate variable with units of time ("s", "minutes since 2024-03-31 00:55") is the time; the other
/// dimensions number trajectories. Roles come from the settings.
enum NetCDFTable {
  /// Files that state which variables are states and which inputs are read accordingly.
  static func read(
    _ bytes: [UInt8], path: String, settings: TableSettings, gaps: Gaps
  ) throws(FileProblem) -> (data: Trajectories, report: TableReport) {
    let preparation = TablePreparation(settings: settings, gaps: gaps)
    if let table = try foreign(bytes, path, settings) {
      let outcome = try preparation.trajectories(table)
      return (outcome.data, outcome.report)
    }
    var data = try NetCDF.trajectories(
      bytes, path: path, gaps: settings.changesRows ? .inStates : gaps)
    if settings.changesRows {
      var outcome = try preparation.trajectories(RawTable(data, path: path))
      outcome.data.attributes = data.attributes
      return (outcome.data, outcome.report)
    }
    let (inputs, excluded) = (settings.inputs, settings.ignore ?? [])
    if inputs != nil || !excluded.isEmpty {
      data = try locating(path) { [data] () throws(DataProblem) in
        let kept = try data.excluding(excluded)
        return try inputs.map { names throws(DataProblem) in try kept.declaring(controls: names) }
          ?? kept
      }
    }
    var report = TableReport(file: path)
    report.summary = TableReport.summary(data)
    return (data, report)
  }

  /// The table of a file without roles; nil where it has some.
  private static func foreign(_ bytes: [UInt8], _ path: String, _ settings: TableSettings)
    throws(FileProblem) -> RawTable?
  {
    do {
      return try NetCDF.exclusively {
        try bytes.withUnsafeBytes { buffer in
          guard ClassicHeader.isSound(in: buffer), GlobalHeap.areSound(in: buffer) else {
            return nil
          }
          let dataset: Dataset
          // What cannot be opened is reported by who reads it next.
          do { dataset = try Dataset(reading: buffer) } catch { return nil }
          let all = try dataset.variables()
          if all.contains(where: { $0.role != nil }) { return nil }
          return try table(dataset, all, path, settings, byteCount: buffer.count)
        }
      }
    } catch let problem as FileProblem {
      throw problem
    } catch {
      throw .malformed(path: path, place: "", reason: "\(error)")
    }
  }

  private static func table(
    _ dataset: borrowing Dataset, _ all: [Dataset.FileVariable], _ path: String,
    _ settings: TableSettings, byteCount: Int
  ) throws -> RawTable {
    var table = RawTable(path: path)
    let time = try timeVariable(all, settings, path)
    guard let axis = time.dimensions.first else {
      throw table.malformed("variable \(time.name)", "it is the time, but has no dimension")
    }
    let coordinates = Set(
      all.filter { $0.dimensions.count == 1 && $0.dimensions[0].name == $0.name }.map(\.name))
    let carriers = all.filter {
      $0.id != time.id && !coordinates.contains($0.name) && $0.dimensions.contains(axis)
        && !(settings.ignore ?? []).contains($0.name)
    }
    guard let widest = carriers.max(by: { $0.dimensions.count < $1.dimensions.count }) else {
      throw table.malformed("", "no variable has the dimension \(axis.name) of the time")
    }
    let others = widest.dimensions.filter { $0 != axis }
    let runs = try others.reduce(1) { product, dimension in
      let (value, overflow) = product.multipliedReportingOverflow(by: dimension.length)
      guard !overflow else {
        throw table.malformed("", "the dimensions are too large for the file")
      }
      return value
    }
    let (samples, overflow) = runs.multipliedReportingOverflow(by: max(1, axis.length))
    let (cells, isMore) = samples.multipliedReportingOverflow(by: carriers.count)
    guard !overflow, !isMore, Expansion.isPlausible(values: cells, from: byteCount) else {
      throw table.malformed(
        "", "\(runs) trajectories of \(axis.length) samples cannot lie in \(byteCount) bytes")
    }
    var columns: [(RawTable.Column, [Double])] = []
    for variable in carriers {
      guard variable.dimensions.allSatisfy({ $0 == axis || others.contains($0) }) else {
        table.report.add(
          .leftOut,
          "\(Words.shown(variable.name)): its dimensions are (\(variable.dimensions.map(\.name).joined(separator: ", ")))"
        )
        continue
      }
      let values: [Double]
      do {
        values = try dataset.values(variable)
      } catch {
        table.report.add(.leftOut, "\(Words.shown(variable.name)) holds no numbers")
        continue
      }
      var column = RawTable.Column(
        heading: variable.name, name: variable.trueName ?? variable.name,
        position: columns.count + 1)
      column.unit = variable.unit ?? ""
      column.longName = variable.longName ?? ""
      columns.append((column, spread(values, variable, axis, others, runs)))
    }
    guard !columns.isEmpty else {
      throw table.malformed("", "there are no variables that hold numbers")
    }
    try fill(&table, columns, try dataset.values(time), time, runs, settings)
    if !others.isEmpty {
      table.report.add(.layout, "trajectories along \(others.map(\.name).joined(separator: ", "))")
    }
    return table
  }

  private static func timeVariable(
    _ all: [Dataset.FileVariable], _ settings: TableSettings, _ path: String
  ) throws -> Dataset.FileVariable {
    func problem(_ reason: String) -> FileProblem {
      .malformed(path: path, place: "variable time", reason: reason)
    }
    if let wanted = settings.time {
      guard let found = all.first(where: { $0.name == wanted }), found.dimensions.count == 1 else {
        throw problem(
          "there is no variable \"\(Words.shown(wanted))\" of one dimension; there are \(Words.listed(all.map(\.name)))"
        )
      }
      return found
    }
    let single = all.filter { $0.dimensions.count == 1 }
    let dated = single.first { variable in
      let words = (variable.unit ?? "").split(separator: " ")
      return words.count > 2 && words[1] == "since" && TimeUnit.seconds(of: String(words[0])) != nil
    }
    guard
      let found = single.first(where: { $0.name == "time" }) ?? dated
        ?? single.first(where: { TimeHeading($0.name).isTime && $0.dimensions[0].name == $0.name })
        ?? single.first(where: { TimeHeading($0.name).isTime })
    else { throw problem("it is missing; name the variable that is the time with --time") }
    return found
  }

  /// Values in the order trajectories, time.
  private static func spread(
    _ values: [Double], _ variable: Dataset.FileVariable, _ axis: Dataset.Dimension,
    _ others: [Dataset.Dimension],
    _ runs: Int
  ) -> [Double] {
    var strides: [String: Int] = [:]
    var stride = 1
    for dimension in variable.dimensions.reversed() {
      strides[dimension.name] = stride
      stride *= dimension.length
    }
    let timeStride = strides[axis.name] ?? 0
    var result: [Double] = []
    result.reserveCapacity(runs * axis.length)
    for run in 0..<runs {
      var rest = run
      var offset = 0
      for dimension in others.reversed() {
        offset += rest % dimension.length * (strides[dimension.name] ?? 0)
        rest /= dimension.length
      }
      for sample in 0..<axis.length { result.append(values[offset + sample * timeStride]) }
    }
    return result
  }

  private static func fill(
    _ table: inout RawTable, _ columns: [(RawTable.Column, [Double])], _ times: [Double],
    _ time: Dataset.FileVariable,
    _ runs: Int, _ settings: TableSettings
  ) throws {
    let word = (time.unit ?? "").split(separator: " ").first.map(String.init)
    let said = settings.timeUnit.flatMap(TimeUnit.init(word:))
    guard let seconds = said?.seconds ?? word.map({ TimeUnit.seconds(of: $0) }) ?? 1 else {
      throw table.malformed(
        "variable \(time.name)", "its units \"\(time.unit ?? "")\" are none of s, min, h, d")
    }
    if word == nil && said == nil {
      table.report.add(.assumed, "the variable \(time.name) has no units: taken for s")
    }
    guard times.allSatisfy(\.isFinite) else {
      throw table.malformed("variable \(time.name)", "some times are missing")
    }
    let first = times.first ?? 0
    var isKept: [Bool] = []
    table.columns = columns.map(\.0)
    for run in 0..<runs {
      var end = times.count
      // Shorter trajectories are padded.
      while end > 0, columns.allSatisfy({ $0.1[run * times.count + end - 1].isNaN }) { end -= 1 }
      let start = table.times.count
      for sample in 0..<end {
        for (_, values) in columns { table.values.append(values[run * times.count + sample]) }
        table.times.append((times[sample] - first) * seconds)
      }
      isKept.append(end > 0)
      if runs > 1 {
        table.runs += repeatElement(Int32(run), count: table.times.count - start)
        table.runNames.append("\(run)")
      }
    }
    for (index, column) in columns.enumerated() {
      let missing = stride(from: index, to: table.values.count, by: columns.count).count {
        table.values[$0].isNaN
      }
      table.columns[index].missingCount = missing
      table.columns[index].numberCount = table.times.count - missing
      if missing > 0 { table.columns[index].firstMissing = (0, "a fill value") }
      _ = column
    }
    let empty = isKept.count { !$0 }
    if empty > 0 {
      table.report.add(.leftOut, Words.counted(empty, "trajectory") + " without any value")
    }
  }
}

extension TableSettings {
  /// Whether the settings change samples, so that files with roles are read as tables too.
  var changesRows: Bool {
    every != nil || gaps != nil || states != nil || outliers != nil || units != nil
      || longNames != nil
  }
}

extension RawTable {
  /// Trajectories as a table.
  init(_ data: Trajectories, path: String) {
    self.init(path: path)
    columns = data.variables.enumerated().map { index, variable in
      var column = Column(heading: variable.name, name: variable.name, position: index + 1)
      column.unit = variable.unit
      column.longName = variable.longName
      column.role = variable.role
      column.numberCount = data.sampleCount
      return column
    }
    values.reserveCapacity(data.sampleCount * columns.count)
    for (run, matrix) in data.samples.enumerated() {
      values += matrix.elements
      for sample in 0..<matrix.rows { times.append(Double(sample) * data.timeStep) }
      if data.samples.count > 1 { runs += repeatElement(Int32(run), count: matrix.rows) }
      runNames.append("\(run)")
    }
  }
}
