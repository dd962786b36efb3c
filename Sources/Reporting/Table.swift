import Foundation

/// One cell of a table.
public enum Cell: Equatable, Sendable {
  case text(String)
  /// Rounded to three significant digits for people, in full for programs.
  case number(Double)
  case integer(Int)
  /// Zero because there is nothing, not because a value is small.
  case trueZero
  case missing

  /// For people, in the fewest characters that show three digits: .123, 1.23, 12.3, 123, 1e4, .004, 4e-5.
  public var short: String {
    switch self {
    case .text(let text): text
    case .integer(let value): String(value)
    case .trueZero: "·"
    case .missing: "–"
    case .number(let value): Cell.short(value)
    }
  }

  /// For programs.
  var exact: String {
    switch self {
    case .text(let text): text
    case .integer(let value): String(value)
    case .trueZero: "0"
    case .missing: ""
    case .number(let value): "\(value)"
    }
  }

  private static func short(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    let magnitude = abs(value)
    let sign = value < 0 ? "-" : ""
    if magnitude == 0 { return "0" }
    if magnitude < 0.0995 && magnitude >= 0.000995 || magnitude < 0.9995 && magnitude >= 0.0995 {
      let text = String(format: "%.3f", magnitude)
      return sign + text.dropFirst()
    }
    switch magnitude {
    case 0.9995..<9.995: return String(format: "%.2f", value)
    case 9.995..<99.95: return String(format: "%.1f", value)
    case 99.95..<9999.5: return String(format: "%.0f", value)
    default:
      let exponent = Int(Double.log10(magnitude).rounded(.down))
      var mantissa = (magnitude / Double.pow(10, exponent)).rounded()
      var power = exponent
      if mantissa >= 10 {
        mantissa = 1
        power += 1
      }
      return "\(sign)\(Int(mantissa))e\(power)"
    }
  }
}

/// A table with a label per row; the writers decide its layout.
public struct Table: Sendable {
  public var title: String
  public var corner: String
  public var columns: [String]
  public var rows: [(label: String, cells: [Cell])]
  public var notes: [String]
  /// Whether small and large numbers also have three digits, at the cost of wider columns.
  public var hasThreeDigits = false
  /// Whether numbers stand out by their size where the terminal has colours.
  public var isShaded = false

  public init(
    title: String, corner: String = "", columns: [String],
    rows: [(label: String, cells: [Cell])] = [], notes: [String] = []
  ) {
    self.title = title
    self.corner = corner
    self.columns = columns
    self.rows = rows
    self.notes = notes
  }
}

// MARK: For people

extension Table {
  /// The table without columns that say nothing in any row; nil where none is left. Those that programs read keep
  /// theirs.
  public var withoutEmptyColumns: Table? {
    let kept = columns.indices.filter { column in
      rows.isEmpty || rows.contains { $0.cells[column] != .missing }
    }
    guard !kept.isEmpty else { return nil }
    var result = self
    result.columns = kept.map { columns[$0] }
    result.rows = rows.map { row in (row.label, kept.map { row.cells[$0] }) }
    return result
  }

  /// Plain text no wider than `width` where possible: columns that do not fit go into further panels below, each
  /// with the rows' labels. Names are broken after underscores to save width.
  public func text(width: Int, hasColour: Bool = false) -> String {
    // A label leaves room for two columns of numbers.
    let longest = ([corner] + rows.map(\.label)).map(\.terminalWidth).max() ?? 0
    let labelWidth = min(longest, max(40, width - 24))
    let columnWidths = columns.indices.map { column in
      let cells = rows.map { text(of: $0.cells[column]).terminalWidth }.max() ?? 1
      return max(cells, Self.headingLines(columns[column]).map(\.terminalWidth).max() ?? 0)
    }
    var result = title.isEmpty ? "" : Self.wrapped(title, width) + "\n"
    for panel in panels(columnWidths, room: width - labelWidth) {
      if panel.lowerBound > 0 { result += "\n" }
      result += panelText(
        panel, labelWidth: labelWidth, columnWidths: columnWidths,
        shading: hasColour ? shading : nil)
    }
    for note in notes { result += Self.wrapped(note, width) + "\n" }
    return result
  }

  private func text(of cell: Cell) -> String {
    guard hasThreeDigits, case .number(let value) = cell, value != 0, value.isFinite,
      abs(value) < 0.0995 || abs(value) >= 9999.5
    else { return cell.short }
    return String(format: "%.2e", value).replacing(#/e([+-])0?/#) { $0.1 == "-" ? "e-" : "e" }
  }

  private func panels(_ widths: [Int], room: Int) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var first = 0
    var used = 0
    for column in widths.indices {
      if column > first && used + widths[column] + 1 > room {
        result.append(first..<column)
        first = column
        used = 0
      }
      used += widths[column] + 1
    }
    if first < widths.count || widths.isEmpty { result.append(first..<widths.count) }
    return result
  }

  /// Black on blues, darker by half-decades below the largest number; nothing below a hundredth of it.
  private var shading: Shading? {
    guard isShaded else { return nil }
    let numbers = rows.flatMap(\.cells).compactMap { cell in
      if case .number(let value) = cell, value.isFinite { abs(value) } else { nil }
    }
    return numbers.max().map { Shading(largest: $0) }
  }

  private struct Shading {
    let largest: Double
    private static let blues = [39, 75, 117, 153]

    func applied(to text: String, _ cell: Cell) -> String {
      guard case .number(let value) = cell, value != 0, value.isFinite else { return text }
      let level = Int((-2 * Double.log10(abs(value) / largest)).rounded(.down))
      guard level < Self.blues.count else { return text }
      return "\u{1B}[38;5;16;48;5;\(Self.blues[max(0, level)])m\(text)\u{1B}[0m"
    }
  }

  private func panelText(
    _ panel: Range<Int>, labelWidth: Int, columnWidths: [Int], shading: Shading?
  ) -> String {
    let headings = panel.map { Self.headingLines(columns[$0]) }
    let depth = headings.map(\.count).max() ?? 0
    var lines: [String] = []
    for level in 0..<depth {
      let isLast = level == depth - 1
      var line = (isLast ? corner : "").paddedRight(to: labelWidth)
      for (column, heading) in zip(panel, headings) {
        // Headings stand on the bottom line.
        let index = level - (depth - heading.count)
        line += " " + (index >= 0 ? heading[index] : "").paddedLeft(to: columnWidths[column])
      }
      lines.append(line)
    }
    for row in rows {
      var line = row.label.shortened(to: labelWidth).paddedRight(to: labelWidth)
      for column in panel {
        let cell = text(of: row.cells[column]).paddedLeft(to: columnWidths[column])
        line += " " + (shading?.applied(to: cell, row.cells[column]) ?? cell)
      }
      lines.append(line)
    }
    return lines.map { $0.trimmingTrailingSpaces + "\n" }.joined()
  }

  /// "m_Al2O3" as "m_" over "Al2O3", and longer words cut into pieces of ten.
  private static func headingLines(_ name: String) -> [String] {
    if name.terminalWidth <= 5 { return [name.singleLine] }
    // Six lines show what a name is; more would push the numbers off the screen.
    let name = name.shortened(to: 60)
    var pieces: [String] = []
    var current = ""
    for character in name.singleLine {
      if character == " " {
        if !current.isEmpty { pieces.append(current) }
        current = ""
        continue
      }
      current.append(character)
      if character == "_" || current.count == 10 {
        pieces.append(current)
        current = ""
      }
    }
    if !current.isEmpty { pieces.append(current) }
    return pieces.isEmpty ? [""] : pieces
  }

  private static func wrapped(_ text: String, _ width: Int) -> String {
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in text.singleLine.split(separator: " ") {
      let room = String(word).terminalWidth
      if !line.isEmpty && used + 1 + room > width {
        lines.append(line)
        line = ""
        used = 0
      }
      used += room + (line.isEmpty ? 0 : 1)
      line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines.joined(separator: "\n")
  }

  public var markdown: String {
    func escaped(_ text: String) -> String {
      text.singleLine.replacing("\\", with: "\\\\").replacing("|", with: "\\|")
        .replacing("<", with: "&lt;").replacing("_", with: "\\_").replacing("*", with: "\\*")
        .replacing("`", with: "\\`").replacing("[", with: "\\[")
    }
    var result = title.isEmpty ? "" : "**\(escaped(title))**\n\n"
    result += "| " + ([corner] + columns).map(escaped).joined(separator: " | ") + " |\n"
    result += "|:--" + String(repeating: "|--:", count: columns.count) + "|\n"
    for row in rows {
      let cells = [escaped(row.label)] + row.cells.map { escaped(text(of: $0)) }
      result += "| " + cells.joined(separator: " | ") + " |\n"
    }
    if !notes.isEmpty { result += "\n" + notes.map { escaped($0) + "\n" }.joined(separator: "\n") }
    return result
  }
}

// MARK: For programs

extension Table {
  /// One header line, then one line per row, numbers in full. An apostrophe precedes text that a spreadsheet would
  /// take for a formula; numbers are unchanged. Control characters are replaced, line feeds quoted.
  public var csv: String {
    func field(_ text: String) -> String {
      let text = text.safe(keeping: ["\n", "\t"])
      return text.contains { ",\"\n\r".contains($0) } || text.utf8.contains(0x0D)
        ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
    func plain(_ cell: Cell) -> String {
      if case .text(let text) = cell { text.withoutFormula } else { cell.exact }
    }
    var result = ([corner] + columns).map { field($0.withoutFormula) }.joined(separator: ",") + "\n"
    for row in rows {
      let fields = [row.label.withoutFormula] + row.cells.map(plain)
      result += fields.map(field).joined(separator: ",") + "\n"
    }
    return result
  }
}

extension String {
  /// The beginning and the end around an ellipsis, if it is wider than `width` columns.
  func shortened(to width: Int) -> String {
    guard terminalWidth > width, width > 3 else { return self }
    let characters = Array(self)
    var (head, tail) = (0, characters.count)
    var used = 1
    // From both ends by turns, as far as there is room.
    while head < tail {
      let takesHead = head < characters.count - tail || head == 0
      let next = characters[takesHead ? head : tail - 1].terminalWidth
      guard used + next <= width else { break }
      used += next
      if takesHead { head += 1 } else { tail -= 1 }
    }
    return String(characters[..<head]) + "…" + String(characters[tail...])
  }

  /// Columns in a terminal: wide East Asian characters and emoji take two, combining marks none.
  var terminalWidth: Int {
    reduce(0) { $0 + $1.terminalWidth }
  }

  func paddedRight(to width: Int) -> String {
    let line = singleLine
    return line + String(repeating: " ", count: max(0, width - line.terminalWidth))
  }

  func paddedLeft(to width: Int) -> String {
    let line = singleLine
    return String(repeating: " ", count: max(0, width - line.terminalWidth)) + line
  }

  var trimmingTrailingSpaces: String {
    var result = self[...]
    while result.last == " " { result = result.dropLast() }
    return String(result)
  }

  /// Text that begins like a formula of spreadsheets, preceded by an apostrophe, which marks text for them; numbers
  /// and single signs are unchanged.
  var withoutFormula: String {
    guard let first, "=+-@\t\r＝＋－＠".contains(first), Double(self) == nil, count > 1 else {
      return self
    }
    return "'" + self
  }
}

extension Character {
  /// Wide East Asian characters and emoji take two columns.
  var terminalWidth: Int {
    guard let value = unicodeScalars.first?.value else { return 0 }
    return switch value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      2
    default: 1
    }
  }
}
