/// Where the fields of a record lie.
///
/// Fields may be quoted as in RFC 4180 and then hold separators, line ends and doubled quotes. Blanks as
/// separators come in runs, and those at both ends of a line separate nothing.
struct FieldScanner {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  struct Field {
    /// Of the content: without quotes and, where there are none, without blanks around it.
    var start: Int
    var end: Int
    var isQuoted = false
    var hasDoubledQuotes = false
  }

  enum Problem: Error {
    case openQuote
    case textBehindQuote
    /// The bytes end within the record.
    case incomplete
  }

  /// A comma, semicolon, tab, bar, or a blank for runs of blanks and tabs.
  let separator: UInt8
  /// Whether odd quotes are refused rather than taken as text.
  var isStrict = true

  var isBlank: Bool { separator == 0x20 }

  @inline(__always)
  func ends(_ byte: UInt8) -> Bool {
    byte == separator || byte == 0x0A || byte == 0x0D || (isBlank && byte == 0x09)
  }

  /// The field that begins at `position`, which moves to the byte that ends it.
  /// - Parameter isLast: whether no more bytes follow.
  func field(_ bytes: Bytes, _ position: inout Int, isLast: Bool) throws(Problem) -> Field {
    var start = position
    while start < bytes.count, bytes[start] == 0x20 || (bytes[start] == 0x09 && separator != 0x09) {
      start += 1
    }
    if start < bytes.count, bytes[start] == 0x22 {
      // Blanks before a quote belong to neither.
      if let field = try quoted(bytes, start, &position, isLast: isLast) { return field }
    }
    var end = start
    while end < bytes.count, !ends(bytes[end]) { end += 1 }
    guard end < bytes.count || isLast else { throw .incomplete }
    position = end
    while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    return Field(start: start, end: end)
  }

  /// A quoted field; nil where the quotes are odd and may be.
  private func quoted(_ bytes: Bytes, _ start: Int, _ position: inout Int, isLast: Bool)
    throws(Problem) -> Field?
  {
    var field = Field(start: start + 1, end: start + 1, isQuoted: true)
    var index = start + 1
    while index < bytes.count {
      guard bytes[index] == 0x22 else {
        index += 1
        continue
      }
      if index + 1 < bytes.count, bytes[index + 1] == 0x22 {
        field.hasDoubledQuotes = true
        index += 2
        continue
      }
      // Whether the quote is doubled cannot be told yet.
      if index + 1 == bytes.count && !isLast { throw .incomplete }
      field.end = index
      var next = index + 1
      while next < bytes.count, bytes[next] == 0x20 && !isBlank { next += 1 }
      if next < bytes.count, !ends(bytes[next]) {
        if isStrict { throw .textBehindQuote }
        return nil
      }
      if next == bytes.count && !isLast { throw .incomplete }
      position = next
      return field
    }
    if !isLast { throw .incomplete }
    if isStrict { throw .openQuote }
    return nil
  }

  /// All fields of the record at `position`, which moves behind its line end.
  func record(_ bytes: Bytes, _ position: inout Int, isLast: Bool, into fields: inout [Field])
    throws(Problem)
  {
    fields.removeAll(keepingCapacity: true)
    while true {
      if isBlank {
        skipBlanks(bytes, &position)
        if !fields.isEmpty,
          position == bytes.count || bytes[position] == 0x0A || bytes[position] == 0x0D
        {
          guard position < bytes.count || isLast else { throw .incomplete }
          skipLineEnd(bytes, &position)
          return
        }
      }
      fields.append(try field(bytes, &position, isLast: isLast))
      guard position < bytes.count else { return }
      if bytes[position] == 0x0A || bytes[position] == 0x0D {
        if bytes[position] == 0x0D && position + 1 == bytes.count && !isLast { throw .incomplete }
        skipLineEnd(bytes, &position)
        return
      }
      position += 1
    }
  }

  func skipBlanks(_ bytes: Bytes, _ position: inout Int) {
    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 {
      position += 1
    }
  }

  func skipLineEnd(_ bytes: Bytes, _ position: inout Int) {
    guard position < bytes.count else { return }
    if bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A {
      position += 1
    }
    position += 1
  }

  /// The content of a field, with doubled quotes made single.
  static func content(_ bytes: Bytes, _ field: Field) -> [UInt8] {
    guard field.hasDoubledQuotes else { return Array(bytes[field.start..<field.end]) }
    var result: [UInt8] = []
    var index = field.start
    while index < field.end {
      result.append(bytes[index])
      index += bytes[index] == 0x22 ? 2 : 1
    }
    return result
  }
}
