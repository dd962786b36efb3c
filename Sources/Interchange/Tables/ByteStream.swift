import Foundation

/// A file or pipe read forwards in pieces, so that memory holds one piece and never the whole.
///
/// UTF-16 becomes UTF-8 on the way. Single-byte encodings stay as they are: separators and digits are
/// the same bytes there, and texts are decoded one by one (`TableText`).
struct ByteStream: ~Copyable {
  enum Encoding: String {
    case utf8 = "UTF-8"
    case utf16LittleEndian = "UTF-16, little-endian"
    case utf16BigEndian = "UTF-16, big-endian"
  }

  let path: String
  private let descriptor: Int32
  /// Bytes that were read but not consumed are in `buffer[start..<end]`.
  private(set) var buffer: [UInt8]
  private(set) var start = 0
  private(set) var end = 0
  private(set) var isAtEnd = false
  private(set) var encoding = Encoding.utf8
  private(set) var hadByteOrderMark = false
  /// Bytes of UTF-16 that wait for their other half.
  private var rest: [UInt8] = []

  /// No record of a table is longer.
  static let longestRecord = 1 << 24

  /// Opens a file; `fill` then reads its beginning.
  /// - Throws: `FileProblem` for a file that is missing, a folder, or cannot be read.
  init(_ path: String) throws(FileProblem) {
    let (opened, size) = try Self.opened(path)
    self.path = path
    descriptor = opened
    byteCount = size
    buffer = [UInt8](repeating: 0, count: 1 << 20)
  }

  private static func opened(_ path: String) throws(FileProblem) -> (Int32, Int?) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
      throw .unreadable(path: path, reason: systemError())
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw .unreadable(path: path, reason: "it is a folder, a file is needed")
    }
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw .unreadable(path: path, reason: systemError()) }
    return (opened, status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil)
  }

  /// Bytes given as such.
  init(bytes: [UInt8], path: String) {
    self.path = path
    descriptor = -1
    buffer = bytes
    end = bytes.count
    byteCount = bytes.count
    isAtEnd = true
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The size of the file where it is one.
  let byteCount: Int?

  var unread: ArraySlice<UInt8> { buffer[start..<end] }

  mutating func consume(_ count: Int) { start += count }

  /// Reads on until there are more bytes than before; returns whether there are, which is not so at the end of the
  /// file.
  /// - Throws: `FileProblem`, also where one record is longer than any table has.
  mutating func fill() throws(FileProblem) {
    if start > 0 {
      buffer.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        memmove(base, base + start, end - start)
      }
      end -= start
      start = 0
    }
    if end == buffer.count {
      guard buffer.count < Self.longestRecord else {
        throw .malformed(
          path: path, place: "",
          reason:
            "a line has more than \(Self.longestRecord >> 20) MB; that is no table of trajectories")
      }
      buffer += [UInt8](repeating: 0, count: buffer.count)
    }
    if encoding == .utf8 {
      let room = buffer.count - end
      let count = try read(into: end, room)
      if count == 0 { isAtEnd = true }
      end += count
    } else {
      try fillFromUTF16()
    }
  }

  private mutating func read(into place: Int, _ room: Int) throws(FileProblem) -> Int {
    guard descriptor >= 0 else { return 0 }
    while true {
      let count = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { Glibc.read(descriptor, $0 + place, room) } ?? 0
      }
      if count >= 0 { return count }
      if errno != EINTR { throw .unreadable(path: path, reason: systemError()) }
    }
  }

  /// Looks at the first bytes: byte order marks, and zeros where only UTF-16 has them.
  mutating func recogniseEncoding() {
    let head = Array(unread.prefix(4096))
    func begins(_ mark: [UInt8]) -> Bool { head.starts(with: mark) }
    if begins([0xEF, 0xBB, 0xBF]) {
      hadByteOrderMark = true
      consume(3)
      return
    }
    let zeros = head.indices.filter { head[$0] == 0 }
    let odd = zeros.count { $0 % 2 == 1 }
    let half = head.count / 2
    if begins([0xFF, 0xFE]) || (half > 4 && odd * 10 > half * 7 && odd == zeros.count) {
      encoding = .utf16LittleEndian
    } else if begins([0xFE, 0xFF]) || (half > 4 && zeros.count * 10 > half * 7 && odd == 0) {
      encoding = .utf16BigEndian
    } else {
      return
    }
    hadByteOrderMark = begins([0xFF, 0xFE]) || begins([0xFE, 0xFF])
    if hadByteOrderMark { consume(2) }
    rest = Array(unread)
    let decoded = decodeUTF16()
    buffer = decoded + [UInt8](repeating: 0, count: max(1 << 20, decoded.count))
    (start, end) = (0, decoded.count)
  }

  private mutating func fillFromUTF16() throws(FileProblem) {
    var chunk = [UInt8](repeating: 0, count: 1 << 19)
    guard descriptor >= 0 else {
      isAtEnd = true
      return
    }
    var count = 0
    repeat { count = Glibc.read(descriptor, &chunk, chunk.count) } while count < 0 && errno == EINTR
    guard count >= 0 else { throw .unreadable(path: path, reason: systemError()) }
    if count == 0 { isAtEnd = true }
    rest += chunk[..<count]
    let decoded = decodeUTF16()
    let needed = end + decoded.count
    if needed > buffer.count { buffer += [UInt8](repeating: 0, count: needed - buffer.count) }
    buffer.replaceSubrange(end..<needed, with: decoded)
    end = needed
  }

  /// Takes what is whole from `rest`; half a pair stays there until more comes.
  private mutating func decodeUTF16() -> [UInt8] {
    var units: [UInt16] = []
    units.reserveCapacity(rest.count / 2)
    let isLittle = encoding == .utf16LittleEndian
    var index = 0
    while index + 1 < rest.count {
      let (a, b) = (UInt16(rest[index]), UInt16(rest[index + 1]))
      units.append(isLittle ? a | b << 8 : b | a << 8)
      index += 2
    }
    if !isAtEnd, let last = units.last, (0xD800..<0xDC00).contains(last) {
      units.removeLast()
      index -= 2
    }
    rest = Array(rest[index...])
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }

  /// All that is left, for formats that are read as wholes.
  mutating func drain() throws(FileProblem) -> [UInt8] {
    var bytes = Array(unread)
    if let byteCount { bytes.reserveCapacity(byteCount) }
    consume(unread.count)
    while !isAtEnd {
      try fill()
      bytes += unread
      consume(unread.count)
    }
    return bytes
  }
}

/// Texts of a table, whatever their encoding.
enum TableText {
  /// UTF-8 where the bytes are that, otherwise Windows-1252, of which Latin-1 is a part.
  static func decoded(_ bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    return bytes.reduce(into: "") { $0.unicodeScalars.append(windows1252($1)) }
  }

  /// A line without its end.
  static func line(_ bytes: some BidirectionalCollection<UInt8>) -> String {
    let kept = bytes.reversed().drop { $0 <= 0x20 }.reversed()
    return decoded(Array(kept)).trimmed
  }

  static func isUTF8(_ bytes: some Collection<UInt8>) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
  }

  private static func windows1252(_ byte: UInt8) -> Unicode.Scalar {
    guard (0x80...0x9F).contains(byte) else { return Unicode.Scalar(byte) }
    let scalars = Array(
      "€\u{FFFD}‚ƒ„…†‡ˆ‰Š‹Œ\u{FFFD}Ž\u{FFFD}\u{FFFD}‘’“”•–—˜™š›œ\u{FFFD}žŸ".unicodeScalars)
    return scalars[Int(byte - 0x80)]
  }

  /// UTF-8 that was once taken for Latin-1 and encoded again, such as "Â°C", restored.
  static func undoubled(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0 == "Â" || $0 == "Ã" || $0 == "â" }) else {
      return text
    }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if scalar.value < 0x100 {
        bytes.append(UInt8(scalar.value))
      } else {
        guard let byte = (UInt8(0x80)...0x9F).first(where: { windows1252($0) == scalar }) else {
          return text
        }
        bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self) ?? text
  }
}
