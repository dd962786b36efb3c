import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import TestSupport
import Testing

/// A tank with a pump, 40 rows, 2 s apart, written in the ways of the world; each must give the same numbers.
@Suite("Tables as they come")
struct TableTests {
  private static let rows: [[Double]] = (0..<40).map { row in
    let pump = [0.25, 0.75, 0.5, 0.125][row / 10]
    return [Double(row) * 2, (400 + 90 * sin(Double(row) / 4)).rounded() / 1000, pump]
  }

  /// The table as text, by what separates, and how a number of a column is written.
  private static func text(
    header: String = "time,level [m],pump", separator: String = ",",
    _ cell: (_ value: Double, _ column: Int, _ row: Int) -> String = { value, _, _ in "\(value)" }
  ) -> String {
    ([header]
      + rows.enumerated().map { row, values in
        values.enumerated().map { cell($1, $0, row) }.joined(separator: separator)
      }).joined(separator: "\n") + "\n"
  }

  private func prepared(
    _ bytes: some Collection<UInt8>, _ settings: TableSettings = TableSettings(),
    gaps: Gaps = .inStates
  )
    throws -> (data: Trajectories, report: TableReport)
  {
    let path = try temporaryFile(bytes, named: "table.csv")
    var settings = settings
    if settings.inputs == nil { settings.inputs = ["pump"] }
    return try TrajectoryFile.read(path, settings: settings, gaps: gaps)
  }

  private var base: [Matrix] {
    [Matrix(Self.rows.map { Array($0.dropFirst()) })]
  }

  private func comma(_ value: Double) -> String { "\(value)".replacing(".", with: ",") }

  @Test("Separators, decimal signs and quotes are found", arguments: 0..<9)
  func dialects(kind: Int) throws {
    let texts = [
      Self.text(header: "time;level [m];pump", separator: ";"),
      Self.text(header: "time;level [m];pump", separator: ";") { value, _, _ in comma(value) },
      Self.text(header: "time\tlevel [m]\tpump", separator: "\t") { value, _, _ in comma(value) },
      Self.text { value, _, _ in "\"\(comma(value))\"" },
      Self.text(header: "time, level [m], pump", separator: ", "),
      Self.text(header: "\"time\",\"level [m]\",\"pump\",") { value, column, _ in
        "\(value)" + (column == 2 ? "," : "")
      },
      Self.text(header: "time|level [m]|pump", separator: "|"),
      Self.text(header: "  time   level_m  pump", separator: "   ") { value, column, _ in
        (column == 0 ? "  " : "") + "\(value)"
      }
      .replacing("level_m", with: "level"),
      Self.text(header: "# logger 7\n# tank, \"one\"\ntime,level [m],pump"),
    ]
    let (data, _) = try prepared(texts[kind].utf8)
    #expect(data.samples == base)
    #expect(data.timeStep == 2)
    #expect(data.variables.map(\.name) == ["level", "pump"])
    #expect(data.variables.map(\.role) == [.state, .control])
    if kind != 7 { #expect(data.variables[0].unit == "m") }
  }

  @Test("Encodings are found, and units survive them")
  func encodings() throws {
    let text = Self.text(header: "time,T [°C],pump").replacing("\n", with: "\r\n")
    let latin = text.unicodeScalars.map { UInt8($0.value) }
    let wide = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let wideBig = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    let doubled = text.replacing("°", with: "Â°")
    for bytes in [
      Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8), latin, [0xFF, 0xFE] + wide, wide,
      [0xFE, 0xFF] + wideBig,
      Array(doubled.utf8),
    ] {
      let (data, _) = try prepared(bytes)
      #expect(data.samples == base)
      #expect(data.variables[0] == Variable("T", unit: "°C", role: .state))
    }
  }

  @Test("Rows of units, preambles and footers are told from rows of data")
  func surroundings() throws {
    let units = try prepared(Self.text(header: "time,level,pump\ns,m,%").utf8)
    #expect(units.data.samples == base)
    #expect(units.data.variables.map(\.unit) == ["m", "%"])
    let preamble = try prepared(
      Self.text(header: "Logger 9\nChannels,2\nRate,0.5,Hz\n***End***\ntime,level [m],pump").utf8)
    #expect(preamble.data.samples == base)
    #expect(preamble.report.line().contains("4 lines before the table"))
    let footer = try prepared((Self.text() + "end of export, 40 rows\n").utf8)
    #expect(footer.data.samples == base)
    #expect(footer.report.line().contains("\"end of export, 40 rows\""))
  }

  @Test("Times in any unit and of any calendar are seconds", arguments: 0..<14)
  func times(kind: Int) throws {
    func clock(_ value: Double) -> String {
      let seconds = Int(value)
      return String(format: "23:%02d:%02d", 59 + (seconds + 20) / 3600, (seconds + 20) % 60)
    }
    func date(_ value: Double, _ format: String, _ zone: Int = 0) -> String {
      let formatter = DateFormatter()
      formatter.locale = Locale(identifier: "en_US_POSIX")
      formatter.timeZone = TimeZone(secondsFromGMT: zone)
      formatter.dateFormat = format
      return formatter.string(from: Date(timeIntervalSince1970: 1_700_000_000 + value))
    }
    let kinds: [(String, (Double) -> String)] = [
      ("t", { "\($0)" }), ("Timestamp", { date($0, "yyyy-MM-dd'T'HH:mm:ssxxx", 3600) }),
      ("time [min]", { String(format: "%.6f", $0 / 60) }), ("time [ms]", { "\(Int($0 * 1000))" }),
      ("Time (h)", { String(format: "%.9f", $0 / 3600) }), ("time_ms", { "\(Int($0 * 1000))" }),
      ("time", { String(format: "%.10f", 45000.25 + $0 / 86400) }),
      ("time", { "\(1_700_000_000_000 + Int($0 * 1000))" }),
      ("time", { "\(1_700_000_000 + Int($0))" }),
      ("time", { "\(1_700_000_000_000_000_000 + Int($0) * 1_000_000_000)" }),
      ("Datum", { date($0, "dd.MM.yyyy HH:mm:ss") }),
      ("date", { date($0, "MM/dd/yyyy hh:mm:ss a") }),
      ("date", { date($0, "dd-MMM-yy HH:mm:ss") }), ("Elapsed seconds", { "\($0 + 17)" }),
    ]
    let (name, format) = kinds[kind]
    let text = Self.text(header: "\(name),level [m],pump") { value, column, _ in
      column == 0 ? format(value) : "\(value)"
    }
    let (data, _) = try prepared(text.utf8)
    #expect(data.samples == base)
    #expect(abs(data.timeStep - 2) < 1e-12)
  }

  @Test("What has two meanings is asked about")
  func questions() throws {
    let dates = Self.text { value, column, row in
      column == 0
        ? String(format: "%02d/%02d/2024 10:00:00", row % 12 + 1, row / 12 + 1) : "\(value)"
    }
    #expect(try problem { try prepared(dates.utf8) }.words.contains("--date-order dmy"))
    let days = Self.text { value, column, row in column == 0 ? "\(45000 + row)" : "\(value)" }
    #expect(try problem { try prepared(days.utf8) }.words.contains("--time-unit excel"))
    var excel = TableSettings()
    excel.timeUnit = "excel"
    #expect(try prepared(days.utf8, excel).data.timeStep == 86400)
    let wrong = Self.text(header: "time [s],level,pump") { value, column, _ in
      column == 0 ? "\(1_700_000_000_000 + Int(value * 1000))" : "\(value)"
    }
    #expect(try problem { try prepared(wrong.utf8) }.words.contains("--time-unit epoch-ms"))
    let thousands = Self.text { value, column, _ in
      column == 1 ? "\"1,\(Int(value * 1000))\"" : "\(Int(value))"
    }
    #expect(try problem { try prepared(thousands.utf8) }.words.contains("--decimal"))
  }

  @Test("Clocks that are rounded or jitter are even, others are asked to be resampled")
  func spacing() throws {
    let sixty = Self.text { value, column, row in
      column == 0 ? String(format: "%.3f", Double(row) / 60) : "\(value)"
    }
    let rounded = try prepared(sixty.utf8)
    #expect(rounded.data.timeStep == 1.0 / 60)
    #expect(rounded.report.line().contains("rounded to 1 ms: taken as equally spaced"))
    let jitter = Self.text { value, column, row in
      column == 0 ? String(format: "%.4f", value + 0.003 * Double((row * 7) % 5 - 2)) : "\(value)"
    }
    #expect(try prepared(jitter.utf8).data.timeStep == 2)
    let uneven = Self.text { value, column, row in
      column == 0 ? "\(value + 0.5 * Double((row * 7) % 3 - 1))" : "\(value)"
    }
    #expect(try problem { try prepared(uneven.utf8) }.words.contains("resample with --every"))
    var every = TableSettings()
    every.every = "4s"
    let resampled = try prepared(Self.text().utf8, every)
    #expect(
      resampled.data.samples == [Matrix((0..<20).map { Array(Self.rows[2 * $0].dropFirst()) })])
    every.every = "1s"
    let finer = try prepared(Self.text().utf8, every).data.samples[0]
    #expect(finer[1, 0] == (finer[0, 0] + finer[2, 0]) / 2)
    #expect(finer[19, 1] == 0.25 && finer[20, 1] == 0.75)
  }

  @Test(
    "Words for missing values are gaps in states, and held in inputs",
    arguments: ["Bad", "No Data", "#N/A", "NaN", "null", "", "I/O Timeout", "-999", "-9999.0"])
  func missing(word: String) throws {
    let text = Self.text { value, column, row in
      (row == 7 || row == 8) && column > 0 || row == 20 && column == 1 ? word : "\(value)"
    }
    let (data, report) = try prepared(text.utf8)
    #expect(data.missingValues == [3])
    #expect(data.samples[0].rows == 40)
    #expect(data.samples[0][8, 1] == 0.25)
    #expect(report.line().contains("level: 3 values missing"))
  }

  @Test("An unknown word is refused with its place, and taken when said")
  func unknownWord() throws {
    let text = Self.text { value, column, row in row == 7 && column == 1 ? "Wartung" : "\(value)" }
    #expect(
      try problem { try prepared(text.utf8) }.words.hasPrefix(
        "line 9, column 2 (level [m]): \"Wartung\" is not a number"))
    var settings = TableSettings()
    settings.missing = ["wartung"]
    #expect(try prepared(text.utf8, settings).data.missingValues == [1])
  }

  @Test("Outliers are left out and named, impulses of inputs are not")
  func outliers() throws {
    let text = Self.text { value, column, row in
      row == 11 && column == 1 ? "77.7" : row == 5 && column == 2 ? "50" : "\(value)"
    }
    let (data, report) = try prepared(text.utf8)
    #expect(data.samples[0][11, 0].isNaN && data.samples[0][5, 1] == 50)
    #expect(report.line().contains("level: 1 outlier (first 77.7) left out"))
    var kept = TableSettings()
    kept.outliers = .report
    #expect(try prepared(text.utf8, kept).data.samples[0][11, 0] == 77.7)
  }

  @Test("Rows twice, lacking, backwards or disordered are put right")
  func order() throws {
    let lines = Self.text().split(separator: "\n").map(String.init)
    func read(_ order: [Int]) throws -> (data: Trajectories, report: TableReport) {
      try prepared((([lines[0]] + order.map { lines[$0 + 1] }).joined(separator: "\n")).utf8)
    }
    let all = Array(0..<40)
    #expect(try read(all.reversed()).data.samples == base)
    #expect(try read(all + [12]).data.samples == base)
    #expect(try read(Array(all[..<5] + [6, 5] + all[7...])).data.samples == base)
    let lacking = try read(Array(all[..<20] + all[22...]))
    #expect(lacking.data.samples[0].rows == 40 && lacking.data.missingValues == [2])
    let far = try prepared(
      (([lines[0]]
        + all.map {
          $0 < 20
            ? lines[$0 + 1]
            : "\($0 * 2 + 500),"
              + lines[$0 + 1].split(separator: ",").dropFirst().joined(separator: ",")
        }).joined(separator: "\n")).utf8)
    #expect(far.data.samples.map(\.rows) == [20, 20])
  }

  @Test("Runs are told by name, and by a clock that begins anew")
  func runs() throws {
    let named = Self.text(header: "experiment,time,level [m],pump") { value, column, row in
      column == 0 ? "run \(row / 10),\(value.truncatingRemainder(dividingBy: 20))" : "\(value)"
    }
    #expect(try prepared(named.utf8).data.samples.map(\.rows) == [10, 10, 10, 10])
    let anew = Self.text { value, column, _ in
      column == 0 ? "\(value.truncatingRemainder(dividingBy: 20))" : "\(value)"
    }
    #expect(try prepared(anew.utf8).data.samples.map(\.rows) == [10, 10, 10, 10])
  }

  @Test("Columns of no use do not stop the rest")
  func uselessColumns() throws {
    let text = Self.text(header: "time,level [m],pump,level.quality,spare,none,level [m]") {
      value, column, row in
      "\(value)" + (column == 2 ? ",\(row == 3 ? "Bad" : "Good"),7,,\(row)" : "")
    }
    let (data, report) = try prepared(text.utf8)
    #expect(data.variables.map(\.name) == ["level", "level_2", "pump", "spare"])
    #expect(data.variables[3].role == .observable)
    #expect(data.samples[0][3, 0].isNaN && data.missingValues == [1, 0])
    #expect(report.line(limit: 20).contains("none is empty"))
  }

  @Test("Tags and values in a long table become columns")
  func long() throws {
    var lines = ["tag;timestamp;value"]
    for row in Self.rows {
      for (tag, value) in zip(["pump", "level [m]"], [row[2], row[1]]) {
        lines.append(
          "\(tag);2024-01-01 00:\(String(format: "%02d:%02d", Int(row[0]) / 60, Int(row[0]) % 60));\(comma(value))"
        )
      }
    }
    let (data, _) = try prepared(lines.joined(separator: "\n").utf8)
    #expect(data.variables.map(\.label) == ["level [m]", "pump"])
    #expect(data.samples == base)
  }

  @Test("Without a header variables are numbered, with switches and thousands as numbers")
  func oddities() throws {
    var settings = TableSettings()
    settings.inputs = ["x2"]
    let bare = Self.text(header: "").dropFirst()
    #expect(try prepared(bare.utf8, settings).data.samples == base)
    let switched = Self.text { value, column, row in
      column == 2
        ? (row % 3 == 0 ? "ON" : "OFF") : column == 1 ? "\"1,0\(Int(value * 100)).5\"" : "\(value)"
    }
    let (data, _) = try prepared(switched.utf8)
    #expect(data.samples[0][0, 1] == 1 && data.samples[0][1, 1] == 0)
    #expect(data.samples[0][0, 0] == 1040.5)
  }

  @Test("Headings of several rows: names, units, kinds of averages")
  func headingsOfLoggers() throws {
    let text = Self.text(
      header: "\"TOA5\",\"rig\",\"CR1000\"\n\"TIMESTAMP\",\"RECORD\",\"level\",\"pump\"\n"
        + "\"TS\",\"RN\",\"m\",\"%\"\n\"\",\"\",\"Avg\",\"Smp\""
    ) { value, column, row in
      column == 0 ? "\"2024-05-03 08:0\(row / 30):\(row % 30 * 2 + 10)\",\(row + 7)" : "\(value)"
    }
    .replacing(":60\"", with: ":00\"")
    let rows = text.split(separator: "\n")
    let (data, report) = try prepared(rows.prefix(4 + 25).joined(separator: "\n").utf8)
    #expect(data.variables.map(\.label) == ["level [m]", "pump [%]"])
    #expect(report.line(limit: 20).contains("\"RECORD\" counts the rows"))
    let named = Self.text(header: "time,level [m],pump\nlogged,mean,mean")
    #expect(try prepared(named.utf8).data.samples == base)
  }

  @Test("Averages below the last row are left out, faults between rows are not")
  func footers() throws {
    let footer = try prepared((Self.text() + "Average,0.4,0.5\nMaximum,,0.75\n,,\n").utf8)
    #expect(footer.data.samples == base && footer.data.missingValues == [0])
    #expect(footer.report.line().contains("2 lines that are no rows (first in line 42"))
    var lines = Self.text().split(separator: "\n").map(String.init)
    lines.insert("Average,0.4,0.5", at: 20)
    #expect(
      try problem { try prepared(lines.joined(separator: "\n").utf8) }.words.hasPrefix(
        "line 21, column 1 (time): \"Average\" is not a number or a time"))
  }

  @Test(
    "Dates without marks, in parts, by month and year, and as date(1) writes them", arguments: 0..<9
  )
  func calendars(kind: Int) throws {
    func two(_ value: Int) -> String { String(format: "%02d", value) }
    let month = 2_629_746.0
    let kinds: [(String, Double, (Int) -> String)] = [
      ("timestamp", 60, { "20240503\(two(8 + $0 / 30))\(two($0 % 30 + 29))00" }),
      ("MESS_DATUM", 3600, { "202405\(two(3 + $0 / 24))\(two($0 % 24))" }),
      ("date", 86400, { "2024\($0 < 29 ? "02" : "03")\(two($0 < 29 ? $0 + 1 : $0 - 28))" }),
      ("timestamp", 1, { "20240503T0800\(two($0))Z" }),
      ("Date", 1, { "Fri May 03 08:00:\(two($0)) CEST 2024" }),
      ("year,month,day,hour", 3600, { "2024,2,\(28 + $0 / 24),\($0 % 24)" }),
      ("YY MM DD hh mm", 60, { "2024 02 29 23 \(two($0))" }),
      ("month", month, { "\(2000 + $0 / 12)-\(two($0 % 12 + 1))" }),
      ("Year", 12 * month, { "\(1980 + $0)" }),
    ]
    let (heading, step, format) = kinds[kind]
    let separator = kind == 6 ? " " : ","
    // The first kind crosses an hour between rows 30 and 31.
    let rows = kind == 0 ? 30 : 40
    let text =
      "\(heading)\(separator)level\(separator)pump\n"
      + Self.rows.prefix(rows).enumerated().map { row, values in
        "\(format(row))\(separator)\(values[1])\(separator)\(values[2])\n"
      }.joined()
    let (data, _) = try prepared(text.utf8)
    #expect(data.samples[0].rows == rows && data.variables.map(\.name) == ["level", "pump"])
    #expect(abs(data.timeStep - step) < 1e-6 * step)
  }

  @Test("Annotated tables of databases, in blocks with repeated headers")
  func annotated() throws {
    let head =
      "#datatype,string,long,dateTime:RFC3339,double,string,string\n#group,false,false,false,false,true,true\n"
      + "#default,_result,,,,,\n,result,table,_time,_value,_field,_measurement\n"
    func block(_ name: String, _ column: Int) -> String {
      head
        + Self.rows.enumerated().map { row, values in
          ",,\(column),2024-05-03T08:0\(row / 30):\(String(format: "%02d", row % 30 * 2))Z,\(values[column]),\(name),rig\n"
        }.joined() + "\n"
    }
    let (data, _) = try prepared((block("level", 1) + block("pump", 2)).utf8)
    #expect(data.variables.map(\.name) == ["level", "pump"] && data.samples == base)
  }

  @Test("Values with times of their own are not read as rows")
  func pairs() throws {
    func stamp(_ row: Int, _ shift: Int) -> String {
      "2024-05-03 08:0\(row / 30):\(String(format: "%02d", row % 30 * 2 + shift))"
    }
    for shift in 0..<2 {
      let text =
        "time level,level,time pump,pump\n"
        + Self.rows.enumerated().map { row, values in
          "\(stamp(row, 0)),\(values[1]),\(stamp(row, shift)),\(values[2])\n"
        }.joined()
      if shift == 0 {
        #expect(try prepared(text.utf8).data.samples == base)
      } else {
        #expect(
          try problem { try prepared(text.utf8) }.words.contains("variable has times of its own"))
      }
    }
  }

  @Test("Tags at times of their own are resampled to the spacing of the fastest")
  func events() throws {
    var lines = ["TagName,DateTime,Value"]
    for (row, values) in Self.rows.enumerated() {
      let second = String(format: "%02d", row % 30 * 2)
      lines.append("LEVEL,2024-05-03 08:0\(row / 30):\(second).000,\(values[1])")
      if row % 10 == 0 {
        lines.append("pump,2024-05-03 08:0\(row / 30):\(second).900,\(values[2])")
      }
    }
    let text = lines.joined(separator: "\n")
    #expect(try problem { try prepared(text.utf8) }.words.hasSuffix("for example --every 2s"))
    var settings = TableSettings()
    settings.every = "2s"
    #expect(try prepared(text.utf8, settings).data.samples[0].rows >= 38)
  }

  @Test("Long data are thinned to stretches over their whole length")
  func thinning() throws {
    func made(_ lengths: [Int]) throws -> Trajectories {
      try Trajectories(
        variables: [Variable("x", role: .state), Variable("u", role: .control)], timeStep: 1,
        samples: lengths.map { rows in
          Matrix(rows: rows, columns: 2) { row, column in Double(column == 0 ? row : rows) }
        })
    }
    let long = try made([100_001]).thinned(to: 20_000)
    #expect(long.samples.map(\.rows) == [5000, 5000, 5000, 5000])
    #expect(long.samples.map { $0[0, 0] } == [0, 25_000, 50_000, 75_000])
    for matrix in long.samples { #expect(matrix[4999, 0] - matrix[0, 0] == 4999) }
    let many = try made(Array(repeating: 100, count: 1000) + [1])
    #expect(many.thinned(to: 10_000).samples.count == 100)
    #expect(many.thinned(to: 100_001) == many)
  }

  @Test("Hostile bytes are read or refused, never more", arguments: 0..<300 as Range<UInt64>)
  func mutations(seed: UInt64) throws {
    let texts = [
      Self.text(),
      Self.text(header: "time;level [m];pump", separator: ";") { value, _, _ in comma(value) },
      Self.text(header: "run,date,level,pump") { value, column, row in
        column == 0
          ? "a,2024-03-31 0\(row / 10):00:\(String(format: "%02d", row % 10 * 2))" : "\(value)"
      },
    ]
    let bytes = damaged(Array(texts[Int(seed % 3)].utf8), seed: seed)
    do {
      _ = try prepared(bytes)
    } catch let problem as FileProblem {
      #expect(problem.kind == .malformed || problem.kind == .badData)
      #expect(problem.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
  }
}
