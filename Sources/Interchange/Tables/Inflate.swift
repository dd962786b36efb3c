/// The inverse of DEFLATE (RFC 1951), for the compressed members of NumPy archives.
enum Inflate {
  enum Problem: Error { case damaged, tooLong }

  /// - Parameters:
  ///   - bytes: a complete DEFLATE stream.
  ///   - limit: the announced size: one byte more is an error, so that a small file cannot fill memory.
  static func inflated(_ bytes: ArraySlice<UInt8>, limit: Int) throws(Problem) -> [UInt8] {
    var reader = BitReader(bytes: bytes)
    var output: [UInt8] = []
    // At most 1032 bytes come out of one (RFC 1951's longest matches).
    guard limit / 1033 <= bytes.count else { throw .damaged }
    output.reserveCapacity(limit)
    while true {
      let isLast = try reader.bits(1) == 1
      switch try reader.bits(2) {
      case 0: try stored(&reader, &output, limit)
      case 1: try compressed(&reader, &output, limit, Self.fixedLiterals, Self.fixedDistances)
      case 2:
        let (literals, distances) = try codes(&reader)
        try compressed(&reader, &output, limit, literals, distances)
      default: throw .damaged
      }
      if isLast { return output }
    }
  }

  private struct BitReader {
    let bytes: ArraySlice<UInt8>
    var position: Int
    var held: UInt32 = 0
    var count = 0

    init(bytes: ArraySlice<UInt8>) {
      self.bytes = bytes
      position = bytes.startIndex
    }

    mutating func bits(_ wanted: Int) throws(Problem) -> Int {
      while count < wanted {
        guard position < bytes.endIndex else { throw .damaged }
        held |= UInt32(bytes[position]) << UInt32(count)
        position += 1
        count += 8
      }
      let value = held & ((1 << UInt32(wanted)) - 1)
      held >>= UInt32(wanted)
      count -= wanted
      return Int(value)
    }

    mutating func byte() throws(Problem) -> UInt8 {
      guard position < bytes.endIndex else { throw .damaged }
      defer { position += 1 }
      return bytes[position]
    }

    mutating func skipToByte() {
      held = 0
      count = 0
    }
  }

  /// A canonical Huffman code: how many codes have each length, and the symbols in the order of their codes.
  private struct Code {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    init(_ lengths: [Int]) throws(Problem) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      var left = 1
      for length in 1..<16 {
        left = left * 2 - counts[length]
        guard left >= 0 else { throw .damaged }
      }
      for length in 1..<16 {
        for (symbol, itsLength) in lengths.enumerated() where itsLength == length {
          symbols.append(symbol)
        }
      }
    }

    func next(_ reader: inout BitReader) throws(Problem) -> Int {
      var (code, first, index) = (0, 0, 0)
      for length in 1..<16 {
        code |= try reader.bits(1)
        let count = counts[length]
        if code - count < first { return symbols[index + code - first] }
        index += count
        first = (first + count) << 1
        code <<= 1
      }
      throw .damaged
    }
  }

  private static func stored(_ reader: inout BitReader, _ output: inout [UInt8], _ limit: Int)
    throws(Problem)
  {
    // Bits of the last byte are dropped; whole bytes are never held back here.
    reader.skipToByte()
    let length = Int(try reader.byte()) | Int(try reader.byte()) << 8
    let complement = Int(try reader.byte()) | Int(try reader.byte()) << 8
    guard length == ~complement & 0xFFFF, reader.position + length <= reader.bytes.endIndex else {
      throw .damaged
    }
    guard output.count + length <= limit else { throw .tooLong }
    output += reader.bytes[reader.position..<(reader.position + length)]
    reader.position += length
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]
  private static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ]

  private static func compressed(
    _ reader: inout BitReader, _ output: inout [UInt8], _ limit: Int, _ literals: Code?,
    _ distances: Code?
  ) throws(Problem) {
    guard let literals, let distances else { throw .damaged }
    while true {
      let symbol = try literals.next(&reader)
      if symbol == 256 { return }
      if symbol < 256 {
        guard output.count < limit else { throw .tooLong }
        output.append(UInt8(symbol))
        continue
      }
      guard symbol - 257 < lengthBases.count else { throw .damaged }
      let length = lengthBases[symbol - 257] + (try reader.bits(lengthBits[symbol - 257]))
      let place = try distances.next(&reader)
      guard place < distanceBases.count else { throw .damaged }
      let distance = distanceBases[place] + (try reader.bits(distanceBits[place]))
      guard distance <= output.count else { throw .damaged }
      guard output.count + length <= limit else { throw .tooLong }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private static let fixedLiterals = try? Code(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = try? Code([Int](repeating: 5, count: 30))

  private static func codes(_ reader: inout BitReader) throws(Problem) -> (Code?, Code?) {
    let literalCount = try reader.bits(5) + 257
    let distanceCount = try reader.bits(5) + 1
    let lengthCount = try reader.bits(4) + 4
    guard literalCount <= 286, distanceCount <= 30 else { throw .damaged }
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var lengths = [Int](repeating: 0, count: 19)
    for index in 0..<lengthCount { lengths[order[index]] = try reader.bits(3) }
    let code = try Code(lengths)
    var all: [Int] = []
    while all.count < literalCount + distanceCount {
      let symbol = try code.next(&reader)
      switch symbol {
      case 0..<16: all.append(symbol)
      case 16:
        guard let last = all.last else { throw .damaged }
        all += [Int](repeating: last, count: 3 + (try reader.bits(2)))
      case 17: all += [Int](repeating: 0, count: 3 + (try reader.bits(3)))
      default: all += [Int](repeating: 0, count: 11 + (try reader.bits(7)))
      }
    }
    guard all.count == literalCount + distanceCount else { throw .damaged }
    return (try Code(Array(all[..<literalCount])), try Code(Array(all[literalCount...])))
  }
}
