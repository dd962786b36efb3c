extension NumPyArchive {
  struct Member {
    var name: String
    var bytes: [UInt8]
  }

  /// The members by the central directory at the end; sizes are checked against the bytes of the file.
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
    var total = 0
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
      total += size
      // DEFLATE shrinks at most a thousandfold: more is forged; what is announced bounds what is made.
      guard size / 1033 <= packed, total <= 1 << 31 else {
        throw damaged("the archive announces more than it can hold")
      }
      let content = bytes[start..<(start + packed)]
      switch method {
      case 0: result.append(Member(name: name, bytes: Array(content)))
      case 8:
        do throws(Inflate.Problem) {
          result.append(Member(name: name, bytes: try Inflate.inflated(content, limit: size)))
        } catch {
          throw damaged("\(Words.shown(name)) is damaged")
        }
      default: throw damaged("\(Words.shown(name)) is packed in a way that NumPy does not use")
      }
    }
    return result
  }
}
