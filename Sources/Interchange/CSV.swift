import Dynamics
import Foundation
import LinearAlgebra

/// Trajectories as comma-separated text: one header line `trajectory,time,<name> [unit]…`, one line
/// per sample, time in seconds. Controls carry "(input)" behind the unit, observables "(observable)".
///
/// Read by hand, not by a library: a ragged row or a word where a number belongs must be reported with
/// line and column (see Documentation/Decisions).
enum CSV {
  static func bytes(_ data: Trajectories) -> [UInt8] {
    var text = "trajectory,time"
    for variable in data.variables { text += "," + quoted(heading(variable)) }
    text += "\n"
    var bytes = Array(text.utf8)
    for (trajectory, matrix) in data.samples.enumerated() {
      for sample in 0..<matrix.rows {
        var line = "\(trajectory),\(shortest(Double(sample) * data.timeStep))"
        for value in matrix.row(sample) {
          line += ","
          line += shortest(value)
        }
        line += "\n"
        bytes += line.utf8
      }
    }
    return bytes
  }

  /// The shortest text that reads back as the same number; whole numbers without ".0", nothing for a gap.
  private static func shortest(_ value: Double) -> String {
    if value.isNaN { return "" }
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func heading(_ variable: Variable) -> String {
    let last = variable.name.unicodeScalars.last
    let isAmbiguous = last == "]" || last == ")"
    let unit = variable.unit.isEmpty && !isAmbiguous ? "" : " [\(variable.unit)]"
    let role = variable.role == .state ? "" : " (\(variable.role.rawValue))"
    return variable.name + unit + role
  }

  /// By scalars, not characters: brackets and spaces count as such even before a combining accent.
  private static func variable(heading: String) -> Variable {
    var rest = heading.unicodeScalars[...]
    var role = Role.state
    for candidate in [Role.control, .observable, .state] {
      let suffix = "(\(candidate.rawValue))".unicodeScalars
      guard rest.suffix(suffix.count).elementsEqual(suffix) else { continue }
      role = candidate
      rest = withoutSpace(rest.dropLast(suffix.count))
      break
    }
    var unit = ""
    if rest.last == "]", let open = unitStart(rest) {
      unit = String(rest[rest.index(after: open)...].dropLast())
      rest = withoutSpace(rest[..<open])
    }
    return Variable(String(rest), unit: unit, role: role)
  }

  private static func withoutSpace(_ text: Substring.UnicodeScalarView)
    -> Substring.UnicodeScalarView
  {
    text.last == " " ? text.dropLast() : text
  }

  /// The bracket that the last one closes; units may hold brackets, as in "mol [H2O]".
  private static func unitStart(_ text: Substring.UnicodeScalarView) -> String.Index? {
    var depth = 0
    for index in text.indices.reversed() {
      if text[index] == "]" { depth += 1 }
      if text[index] == "[" { depth -= 1 }
      if depth == 0 { return index }
    }
    return text.lastIndex(of: "[")
  }

  private static func quoted(_ field: String) -> String {
    let bytes = field.utf8
    let needsQuotes =
      bytes.isEmpty || bytes.contains { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }
      || field.trimmingCharacters(in: .whitespaces).utf8.count != bytes.count
    guard needsQuotes else { return field }
    var result = "\""
    for scalar in field.unicodeScalars {
      result.unicodeScalars.append(scalar)
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
    }
    return result + "\""
  }

  static func trajectories(
    _ bytes: [UInt8], path: String, gaps: Gaps
  ) throws(FileProblem) -> Trajectories {
    var reader = RecordReader(bytes, path: path)
    guard let header = try reader.next() else {
      throw .malformed(path: path, place: "line 1", reason: "the file is empty")
    }
    let layout = try Layout(header: header, path: path)
    var numbers: [Int: [Double]] = [:]
    var times: [Int: [Double]] = [:]
    var order: [Int] = []
    while let record = try reader.next() {
      guard record.fields.count == header.fields.count else {
        throw .malformed(
          path: path, place: "line \(record.line)",
          reason: "\(record.fields.count) fields where the header has \(header.fields.count)"
            + (record.fields.count >= 2 * header.fields.count - 1
              ? "; decimals need a point, not a comma" : ""))
      }
      var key = 0
      if let column = layout.trajectory {
        let value = try number(record, column, header, path)
        guard let exact = Int(exactly: value) else {
          throw .malformed(
            path: path, place: place(record, column, header),
            reason: "\(value) is not a trajectory number; whole numbers are needed")
        }
        key = exact
      }
      if numbers[key] == nil { order.append(key) }
      times[key, default: []].append(try number(record, layout.time, header, path))
      for column in layout.columns {
        let isMissing =
          gaps == .inStates
          && ["", "na", "nan"].contains(
            record.fields[column].text.trimmingCharacters(in: .whitespaces).lowercased())
        numbers[key, default: []].append(
          isMissing ? .nan : try number(record, column, header, path))
      }
    }
    guard !order.isEmpty else {
      throw .malformed(path: path, place: "", reason: "there is a header but no data below it")
    }
    let step = try timeStep(order.map { ($0, times[$0] ?? []) }, path: path)
    return try locating(path) { () throws(DataProblem) in
      try Trajectories(
        variables: layout.variables, timeStep: step,
        samples: order.map { key in
          let elements = numbers[key] ?? []
          return Matrix(
            rows: elements.count / layout.columns.count, columns: layout.columns.count,
            elements: elements)
        }, gaps: gaps)
    }
  }

  /// Which column is what.
  private struct Layout {
    var trajectory: Int?
    var time: Int
    var columns: [Int]
    var variables: [Variable]

    init(header: Record, path: String) throws(FileProblem) {
      let names = header.fields.map(\.name)
      let plain = names.map { $0.lowercased() }
      trajectory = plain.firstIndex(of: "trajectory")
      guard let time = plain.firstIndex(where: { $0 == "time" || $0 == "time [s]" }) else {
        throw .malformed(
          path: path, place: "line \(header.line)",
          reason: "there is no column named \"time\" (in seconds)\(CSV.hint(names))")
      }
      self.time = time
      let reserved = [time, trajectory ?? -1]
      columns = names.indices.filter { !reserved.contains($0) }
      variables = columns.map { CSV.variable(heading: names[$0]) }
      if columns.isEmpty {
        throw .malformed(
          path: path, place: "line 1", reason: "there are no columns of variables")
      }
    }
  }

  /// What is likely wrong with a header, and how it begins.
  private static func hint(_ names: [String]) -> String {
    let start = names.joined(separator: ",").prefix(60)
    let separators = [(";", "semicolons"), ("\t", "tabs")]
    for (separator, word) in separators where names.count == 1 && names[0].contains(separator) {
      return "; fields must be separated by commas, not by \(word)"
    }
    return "; the header begins \"\(start)\""
  }

  private static func place(_ record: Record, _ column: Int, _ header: Record) -> String {
    "line \(record.line), column \(column + 1) (\(header.fields[column].text))"
  }

  private static func number(
    _ record: Record, _ column: Int, _ header: Record, _ path: String
  ) throws(FileProblem) -> Double {
    let field = record.fields[column].text
    if let value = Double(field) ?? Double(field.trimmingCharacters(in: .whitespaces)) {
      guard value.isFinite else {
        throw .malformed(
          path: path, place: place(record, column, header),
          reason: "\(field) is not a finite number; remove that trajectory or fill the gap")
      }
      return value
    }
    let reason = field.isEmpty ? "the field is empty" : "\"\(field.prefix(40))\" is not a number"
    throw .malformed(path: path, place: place(record, column, header), reason: reason)
  }

  /// The spacing that all trajectories share, to one part in 10⁶.
  private static func timeStep(_ times: [(Int, [Double])], path: String) throws(FileProblem)
    -> Double
  {
    guard let first = times.first(where: { $0.1.count > 1 }) else {
      throw .badData(path: path, problem: .tooShort)
    }
    let step = first.1[1] - first.1[0]
    for (trajectory, values) in times {
      for index in values.indices.dropFirst() {
        let difference = values[index] - values[index - 1]
        guard SampleTimes.areEven(step: step, difference: difference, at: values[index]) else {
          throw .malformed(
            path: path, place: "trajectory \(trajectory), sample \(index)",
            reason: SampleTimes.complaint(step: step, difference: difference))
        }
      }
    }
    return step
  }

  fileprivate struct Record {
    struct Field {
      var text: String
      var isQuoted = false

      /// A column's name: blanks around it count only within quotes.
      var name: String { isQuoted ? text : text.trimmingCharacters(in: .whitespaces) }
    }

    /// 1-based line on which the record begins.
    var line: Int
    var fields: [Field]
  }

  /// Records of RFC 4180: fields may be quoted and then hold commas, line ends and doubled quotes.
  private struct RecordReader {
    let bytes: [UInt8]
    let path: String
    var position = 0
    var line = 1

    init(_ bytes: [UInt8], path: String) {
      self.bytes = bytes
      self.path = path
      if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next record that is not an empty line; nil at the end.
    mutating func next() throws(FileProblem) -> Record? {
      while position < bytes.count, bytes[position] == 0x0A || bytes[position] == 0x0D {
        if bytes[position] == 0x0A { line += 1 }
        position += 1
      }
      guard position < bytes.count else { return nil }
      var record = Record(line: line, fields: [])
      while true {
        let isQuoted = position < bytes.count && bytes[position] == 0x22
        record.fields.append(Record.Field(text: try field(), isQuoted: isQuoted))
        guard position < bytes.count else { return record }
        let end = bytes[position]
        position += 1
        if end == 0x2C { continue }
        if end == 0x0D, position < bytes.count, bytes[position] == 0x0A { position += 1 }
        line += 1
        return record
      }
    }

    private mutating func field() throws(FileProblem) -> String {
      if position < bytes.count, bytes[position] == 0x22 { return try quotedField() }
      let start = position
      while position < bytes.count {
        let byte = bytes[position]
        if byte == 0x2C || byte == 0x0A || byte == 0x0D { break }
        position += 1
      }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func quotedField() throws(FileProblem) -> String {
      let startLine = line
      var content: [UInt8] = []
      position += 1
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == 0x22 {
          if position < bytes.count, bytes[position] == 0x22 {
            position += 1
          } else {
            guard position == bytes.count || [0x2C, 0x0A, 0x0D].contains(bytes[position]) else {
              throw .malformed(
                path: path, place: "line \(line)", reason: "text follows a closing quote")
            }
            return String(decoding: content, as: UTF8.self)
          }
        }
        if byte == 0x0A { line += 1 }
        content.append(byte)
      }
      throw .malformed(
        path: path, place: "line \(startLine)", reason: "a quote is opened and never closed")
    }
  }
}
