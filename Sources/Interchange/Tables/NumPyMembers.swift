extension NumPyArchive {
  struct Member {
    var name: String
    var method: Int
    /// Where its bytes lie in the file.
    var packed: Range<Int>
    /// Bytes when unpacked.
    var size: Int
  }

  /// The members by the central directory at the end; sizes are checked against the bytes of the file, and nothing
  /// is unpacked yet.
  static func members(_ bytes: [UInt8], _ path: String) throws(FileProblem) -> [Member] {
    func damaged(_ what: String = "the archive is damaged") -> FileProblem {
      .malformed(path: path, place: "", reason: what)
    }
    func number(_ place: Int, _ size: Int) -> Int? {
      guard place >= 0, place + size <= bytes.count else { return nil }
      return (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    var end = bytes.count - 22
    let floor = max(0, bytes.count - 66_000)
    while end >= floor, number(end, 4) != 0x0605_4B50 { end -= 1 }
    guard end >= floor, let count = number(end + 10, 2), var place = number(end + 16, 4) else {
      throw damaged()
    }
    var result: [Member] = []
    for _ in 0..<count {
      guard number(place, 4) == 0x0201_4B50, let method = number(place + 10, 2),
        var packed = number(place + 20, 4),
        var size = number(place + 24, 4), let nameLength = number(place + 28, 2),
        let extraLength = number(place + 30, 2),
        let commentLength = number(place + 32, 2), var offset = number(place + 42, 4),
        place + 46 + nameLength + extraLength <= bytes.count
      else { throw damaged() }
      let name = TableText.decoded(bytes[(place + 46)..<(place + 46 + nameLength)])
      // Zip64: sizes that do not fit are in an extra field.
      var extra = place + 46 + nameLength
      let extraEnd = extra + extraLength
      while extra + 4 <= extraEnd, let tag = number(extra, 2), let length = number(extra + 2, 2) {
        if tag == 1 {
          var field = extra + 4
          func next() -> Int? {
            defer { field += 8 }
            guard field + 8 <= extra + 4 + length, let value = number(field, 7),
              number(field + 7, 1) == 0
            else { return nil }
            return value
          }
          if size == 0xFFFF_FFFF { size = next() ?? size }
          if packed == 0xFFFF_FFFF { packed = next() ?? packed }
          if offset == 0xFFFF_FFFF { offset = next() ?? offset }
        }
        extra += 4 + length
      }
      place += 46 + nameLength + extraLength + commentLength
      guard let localName = number(offset + 26, 2), let localExtra = number(offset + 28, 2),
        number(offset, 4) == 0x0403_4B50
      else {
        throw damaged()
      }
      let start = offset + 30 + localName + localExtra
      guard start <= bytes.count, packed <= bytes.count - start else { throw damaged() }
      result.append(
        Member(name: name, method: method, packed: start..<(start + packed), size: size))
    }
    try checkExpansion(result, bytes.count, path)
    return result
  }

  /// Refuses archives that would fill memory. Archives of measurements shrink a few times, of constants up to a
  /// hundred times.
  private static func checkExpansion(_ members: [Member], _ byteCount: Int, _ path: String)
    throws(FileProblem)
  {
    // DEFLATE shrinks at most a thousandfold: more is forged; what is announced bounds what is made.
    let isForged = members.contains { $0.size / 1033 > $0.packed.count }
    let total = members.reduce(0) { min($0 + $1.size, 1 << 60) }
    guard !isForged, Expansion.isPlausible(bytes: total, from: byteCount) else {
      throw .malformed(
        path: path, place: "",
        reason: "the archive announces more than it can hold (\(Words.grouped(total)) bytes in "
          + "\(Words.grouped(byteCount))); if that is right, save it uncompressed, with numpy.savez"
      )
    }
  }

  /// What a member holds.
  static func content(of member: Member, in bytes: [UInt8], _ path: String) throws(FileProblem)
    -> [UInt8]
  {
    let packed = bytes[member.packed]
    let name = Words.shown(member.name)
    switch member.method {
    case 0: return Array(packed)
    case 8:
      do throws(Inflate.Problem) {
        return try Inflate.inflated(packed, limit: member.size)
      } catch {
        throw .malformed(path: path, place: "", reason: "\(name) is damaged")
      }
    default:
      throw .malformed(
        path: path, place: "", reason: "\(name) is packed in a way that NumPy does not use")
    }
  }
}

/// How much more than its bytes a file may hold.
enum Expansion {
  /// So much is read of any file.
  private static let always = 1 << 28
  private static let most = 100

  static func isPlausible(bytes: Int, from fileBytes: Int) -> Bool {
    bytes <= max(always, fileBytes.multipliedReportingOverflow(by: most).partialValue)
  }

  /// For numbers, which take eight bytes each in memory whatever they take in the file.
  static func isPlausible(values: Int, from fileBytes: Int) -> Bool {
    values >> 58 == 0 && isPlausible(bytes: values * 8, from: fileBytes)
  }
}
