import Foundation

/// Arrays of a NumPy archive (.npz), or of a single array (.npy), as a table.
///
/// One-dimensional arrays of equal length are variables over time; those of two dimensions are several
/// variables side by side (samples × variables) or, where an array of times has the length of their second
/// axis, trajectories × samples; of three dimensions trajectories × samples × variables.
enum NumPyArchive {
  struct ArrayContent {
    var name: String
    var shape: [Int]
    var values: [Double]
    /// Nanoseconds since 1970, of datetime64; then `values` are seconds.
    var start: Int64?
    var isDuration = false
    var count: Int { shape.reduce(1, *) }
  }

  static func isOne(_ head: ArraySlice<UInt8>, _ path: String) -> Bool {
    head.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59])
      || head.starts(with: [0x50, 0x4B, 0x03, 0x04]) && WholeFile.ending(path) == "npz"
  }

  static func table(_ bytes: [UInt8], path: String, settings: TableSettings) throws(FileProblem)
    -> RawTable
  {
    func malformed(_ reason: String) -> FileProblem {
      .malformed(path: path, place: "", reason: reason)
    }
    var arrays: [ArrayContent] = []
    var skipped: [String] = []
    var values = 0
    if bytes.starts(with: [0x93]) {
      guard let array = try array(bytes[...], "x", path, besides: 0, of: bytes.count) else {
        throw malformed("the array holds no numbers")
      }
      arrays.append(array)
    } else {
      for member in try members(bytes, path) {
        let name = member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
        if (settings.ignore ?? []).contains(name) { continue }
        let content = try content(of: member, in: bytes, path)
        if let array = try array(content[...], name, path, besides: values, of: bytes.count) {
          values += array.count
          arrays.append(array)
        } else {
          skipped.append(name)
        }
      }
    }
    var table = try assemble(arrays, path, settings)
    if !skipped.isEmpty {
      table.report.add(.leftOut, "\(Words.listed(skipped)): no arrays of numbers")
    }
    return table
  }

  // MARK: Table

  private static func assemble(_ arrays: [ArrayContent], _ path: String, _ settings: TableSettings)
    throws(FileProblem)
    -> RawTable
  {
    func malformed(_ reason: String) -> FileProblem {
      .malformed(path: path, place: "", reason: reason)
    }
    var table = RawTable(path: path)
    let timeIndex =
      settings.time.map { wanted in arrays.firstIndex { $0.name == wanted } }
      ?? arrays.firstIndex {
        ($0.start != nil || $0.isDuration || TimeHeading($0.name).isTime) && $0.shape.count == 1
      }
    if let wanted = settings.time, timeIndex == nil {
      throw malformed(
        "there is no array \"\(Words.shown(wanted))\"; there are \(Words.listed(arrays.map(\.name)))"
      )
    }
    let time = timeIndex.map { arrays[$0] }
    let others = arrays.indices.filter { $0 != timeIndex }.map { arrays[$0] }
    let length =
      time?.count ?? others.map { $0.shape.count == 3 ? $0.shape[1] : $0.shape.first ?? 0 }.max()
      ?? 0
    guard length > 1 else { throw malformed("no array has two samples") }
    var runs = 1
    for array in others {
      if array.shape.count == 3, array.shape[1] == length { runs = max(runs, array.shape[0]) }
      if array.shape.count == 2, array.shape[0] != length, array.shape[1] == length {
        runs = max(runs, array.shape[0])
      }
    }
    var columns: [[Double]] = []
    for array in others {
      let series = spread(array, length, runs)
      guard !series.isEmpty else {
        table.report.add(
          .leftOut,
          "\(Words.shown(array.name)): its shape is (\(array.shape.map(String.init).joined(separator: ", ")))"
        )
        continue
      }
      for (index, values) in series.enumerated() {
        let heading = Heading(series.count == 1 ? array.name : "\(array.name)_\(index + 1)")
        var column = RawTable.Column(
          heading: heading.name, name: heading.name, position: columns.count + 1)
        column.unit = heading.unit
        column.role = heading.role
        let missing = values.count { $0.isNaN }
        column.missingCount = missing
        column.numberCount = values.count - missing
        if missing > 0 { column.firstMissing = (0, "NaN") }
        if let strange = values.first(where: { $0.isInfinite }) {
          throw malformed("array \(Words.shown(array.name)) holds \(strange)")
        }
        table.columns.append(column)
        columns.append(values)
      }
    }
    guard !columns.isEmpty, columns.count <= TableSample.mostColumns else {
      throw malformed("no array of numbers has \(length) samples")
    }
    table.values.reserveCapacity(runs * length * columns.count)
    for row in 0..<(runs * length) { for column in columns { table.values.append(column[row]) } }
    try setTimes(&table, time, length, runs, settings)
    return table
  }

  /// The variables of an array, each trajectories after each other; none where it does not fit.
  private static func spread(_ array: ArrayContent, _ length: Int, _ runs: Int) -> [[Double]] {
    let shape = array.shape
    switch shape.count {
    case 1 where shape[0] == length:
      return [(0..<runs).flatMap { _ in array.values }]
    case 2 where shape[0] == length && runs == 1:
      return (0..<shape[1]).map { column in
        (0..<length).map { array.values[$0 * shape[1] + column] }
      }
    case 2 where shape[0] == runs && shape[1] == length: return [array.values]
    case 3 where shape[0] == runs && shape[1] == length:
      return (0..<shape[2]).map { column in
        (0..<(runs * length)).map { array.values[$0 * shape[2] + column] }
      }
    default: return []
    }
  }

  private static func setTimes(
    _ table: inout RawTable, _ time: ArrayContent?, _ length: Int, _ runs: Int,
    _ settings: TableSettings
  ) throws(FileProblem) {
    var times: [Double]
    if let time {
      let isTimed = time.start != nil || time.isDuration
      let said = settings.timeUnit.flatMap(TimeUnit.init(word:)) ?? TimeHeading(time.name).unit
      let factor = isTimed ? 1 : said?.seconds ?? 1
      guard time.values.allSatisfy(\.isFinite) else {
        throw table.malformed("array \(time.name)", "some times are missing")
      }
      let first = time.values.first ?? 0
      times = time.values.map { ($0 - first) * factor }
      if let start = time.start { table.start = (start, false) }
      if !isTimed && said == nil {
        table.report.add(.assumed, "\(Words.shown(time.name)) is the time, in s")
      }
    } else if let step = settings.sampling.flatMap(TableSettings.Duration.seconds) {
      times = (0..<length).map { Double($0) * step }
      table.report.add(.assumed, "samples are \(Words.time(step)) apart, as was said")
    } else {
      throw table.malformed(
        "",
        "no array is the time: name it with --time, or say how far samples are apart with --sampling 5s"
      )
    }
    for run in 0..<runs {
      table.times += times
      if runs > 1 {
        table.runs += repeatElement(Int32(run), count: length)
        table.runNames.append("\(run)")
      }
    }
    times = []
  }
}
