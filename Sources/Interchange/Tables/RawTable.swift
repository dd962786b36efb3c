import Dynamics

/// A table as numbers: the content of a file's columns before any interpretation.
struct RawTable {
  struct Column {
    /// As it stands in the file.
    var heading: String
    var name: String
    var unit = ""
    var longName = ""
    var role: Role?
    /// From 1, in the file.
    var position: Int
    /// Words that stood for missing values, and how often; at most sixteen different ones.
    var missingWords: [String: Int] = [:]
    var missingCount = 0
    /// The first missing one.
    var firstMissing: (line: Int, text: String)?
    /// Cells that are neither numbers nor known words.
    var strangeCount = 0
    var firstStrange: (line: Int, text: String)?
    var numberCount = 0
    /// Words as on and off.
    var switchCount = 0
    /// The unit that stood in the cells.
    var cellUnit: String?

    var place: String { "column \(position) (\(Words.shown(heading)))" }
  }

  /// A run of rows.
  struct Segment {
    var name: String
    var rows: Range<Int>
  }

  var path: String
  var columns: [Column] = []
  /// Row by row.
  var values: [Double] = []
  /// Seconds from the first row; empty where the table has no time.
  var times: [Double] = []
  /// The value of the last digit of a time stamp, in seconds; zero if unknown.
  var resolution = 0.0
  /// The time of the first row, as far as the table gives it, in nanoseconds since 1970.
  var start: (nanoseconds: Int64, isUTC: Bool)?
  /// Whether stamps are local times without a zone.
  var isLocalTime = false
  /// Whether stamps are times of day only.
  var isClockOnly = false
  /// Whether the table holds one value in a row: of which variable, names a column.
  var segments: [Segment] = []
  /// Runs by the words of a column, where one tells them apart: the number of a name for each row.
  var runs: [Int32] = []
  var runNames: [String] = []
  /// Columns of words: numbers of words, row by row.
  var wordColumns: [WordColumn] = []
  var report: TableReport
  /// Why rows cannot be samples as they are.
  var unevenness: String?
  /// The first row with too few fields.
  var firstRagged: (line: Int, count: Int)?
  var fieldCount = 0

  struct WordColumn {
    var heading: String
    var position: Int
    var ids: [Int32] = []
    var words: [String] = []
    var isFull = false
  }

  init(path: String) {
    self.path = path
    report = TableReport(file: path)
  }

  var rowCount: Int {
    columns.isEmpty ? max(times.count, runs.count) : values.count / columns.count
  }

  func malformed(_ place: String, _ reason: String) -> FileProblem {
    .malformed(path: path, place: place, reason: reason)
  }

  /// Keeps the rows with these numbers, in this order.
  mutating func choose(_ rows: [Int]) {
    let width = columns.count
    var chosen: [Double] = []
    chosen.reserveCapacity(rows.count * width)
    for row in rows { chosen += values[(row * width)..<((row + 1) * width)] }
    values = chosen
    if !times.isEmpty { times = rows.map { times[$0] } }
    if !runs.isEmpty { runs = rows.map { runs[$0] } }
    for index in wordColumns.indices where !wordColumns[index].ids.isEmpty {
      let ids = wordColumns[index].ids
      wordColumns[index].ids = rows.map { ids[$0] }
    }
  }

  /// Keeps only these columns.
  mutating func keepColumns(_ kept: [Int]) {
    guard kept != Array(columns.indices) else { return }
    let width = columns.count
    let rows = rowCount
    if kept.isEmpty {
      values = []
    } else {
      // In place: what is read lies never before what is written.
      let isAscending = zip(kept, kept.dropFirst()).allSatisfy { $0 < $1 }
      if isAscending {
        values.withUnsafeMutableBufferPointer { buffer in
          var target = 0
          for row in 0..<rows {
            for column in kept {
              buffer[target] = buffer[row * width + column]
              target += 1
            }
          }
        }
        values.removeLast(values.count - rows * kept.count)
      } else {
        let old = values
        values = []
        values.reserveCapacity(rows * kept.count)
        for row in 0..<rows { for column in kept { values.append(old[row * width + column]) } }
      }
    }
    columns = kept.map { columns[$0] }
  }
}
