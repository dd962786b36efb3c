/// Parses numbers from bytes without making strings.
///
/// A decimal number of at most 19 digits is a whole number m times a power of ten. Where m < 2⁵³ and the power lies
/// within 10^±22, both are exact in `Double` and the one operation rounds once (Clinger, "How to read floating
/// point numbers accurately", PLDI 1990); all others are parsed by the standard library. So every result is the
/// nearest `Double`.
struct NumberScanner {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// "." or ",".
  let decimal: UInt8

  /// A number as written: (negative) digits · 10^exponent.
  struct Decimal {
    var digits: UInt64
    var exponent: Int
    var isNegative: Bool
    /// Whether all digits fitted.
    var isWhole: Bool
    /// Digits behind the decimal sign.
    var decimals: Int
  }

  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// Parses the longest number that begins at `position`; nil, with `position` undefined, if none begins there.
  @inline(__always)
  func decimal(_ bytes: Bytes, _ position: inout Int, _ end: Int) -> Decimal? {
    var result = Decimal(digits: 0, exponent: 0, isNegative: false, isWhole: true, decimals: 0)
    guard position < end else { return nil }
    if bytes[position] == 0x2D || bytes[position] == 0x2B {
      result.isNegative = bytes[position] == 0x2D
      position += 1
    }
    var count = 0
    var significant = 0
    while position < end {
      let digit = bytes[position] &- 0x30
      guard digit < 10 else { break }
      if significant < 19 {
        result.digits = result.digits &* 10 &+ UInt64(digit)
        if result.digits > 0 { significant += 1 }
      } else {
        result.exponent += 1
        result.isWhole = false
      }
      count += 1
      position += 1
    }
    if position < end, bytes[position] == decimal {
      position += 1
      while position < end {
        let digit = bytes[position] &- 0x30
        guard digit < 10 else { break }
        if significant < 19 {
          result.digits = result.digits &* 10 &+ UInt64(digit)
          if result.digits > 0 { significant += 1 }
          result.exponent -= 1
        } else {
          result.isWhole = false
        }
        result.decimals += 1
        count += 1
        position += 1
      }
    }
    guard count > 0 else { return nil }
    if position < end, bytes[position] | 0x20 == 0x65 || bytes[position] | 0x20 == 0x64 {
      readExponent(bytes, &position, end, &result)
    }
    return result
  }

  /// "e-7", and Fortran's "D-7".
  private func readExponent(
    _ bytes: Bytes, _ position: inout Int, _ end: Int, _ result: inout Decimal
  ) {
    var place = position + 1
    var isNegative = false
    if place < end, bytes[place] == 0x2D || bytes[place] == 0x2B {
      isNegative = bytes[place] == 0x2D
      place += 1
    }
    var value = 0
    let first = place
    while place < end, bytes[place] &- 0x30 < 10 {
      if value < 100_000 { value = value * 10 + Int(bytes[place] - 0x30) }
      place += 1
    }
    guard place > first else { return }
    result.exponent += isNegative ? -value : value
    result.decimals = max(0, result.decimals - (isNegative ? -value : value))
    position = place
  }

  /// The nearest `Double`; nil where the standard library has to be asked.
  @inline(__always)
  static func exact(_ number: Decimal) -> Double? {
    guard number.isWhole, number.digits < 1 << 53 else { return nil }
    let magnitude = Double(number.digits)
    let value: Double
    if number.exponent == 0 || number.digits == 0 {
      value = magnitude
    } else if number.exponent > 0 && number.exponent <= 22 {
      value = magnitude * powers[number.exponent]
    } else if number.exponent < 0 && number.exponent >= -22 {
      value = magnitude / powers[-number.exponent]
    } else {
      return nil
    }
    return number.isNegative ? -value : value
  }

  /// The nearest `Double` of all of `bytes[start..<end]`, which `number` was read from.
  func nearest(_ number: Decimal, _ bytes: Bytes, _ start: Int, _ end: Int) -> Double {
    if let value = Self.exact(number) { return value }
    #if arch(x86_64)
      // 64 bits hold the digits, and powers of ten to the 27th: one operation, rounded to 64 bits. Rounding
      // again to 53 is right unless the eleven bits that go lie next to their middle.
      if number.isWhole, number.exponent <= 27, number.exponent >= -27 {
        let power = Self.longPowers[abs(number.exponent)]
        let long =
          number.exponent < 0 ? Float80(number.digits) / power : Float80(number.digits) * power
        let tail = long.significandBitPattern & 0x7FF
        if !(0x3FE...0x402).contains(tail) {
          return number.isNegative ? -Double(long) : Double(long)
        }
      }
    #endif
    var text = ""
    for index in start..<end {
      let byte = bytes[index]
      text.unicodeScalars.append(
        byte == decimal ? "." : byte | 0x20 == 0x64 ? "e" : Unicode.Scalar(byte))
    }
    return Double(text) ?? .nan
  }

  #if arch(x86_64)
    private static let longPowers: [Float80] = (0...27).map { exponent in
      (0..<exponent).reduce(Float80(1)) { power, _ in power * 10 }
    }
  #endif

  /// "23.5 °C": a number and a unit behind it.
  func withUnit(_ bytes: Bytes, _ start: Int, _ end: Int) -> (value: Double, unit: String)? {
    var position = start
    guard let found = decimal(bytes, &position, end), position < end, end - position <= 16 else {
      return nil
    }
    let unit = TableText.decoded(bytes[position..<end]).trimmed
    guard UnitWords.isUnit(unit) else { return nil }
    return (nearest(found, bytes, start, position), unit)
  }

  /// A number that takes up all of `bytes[start..<end]`; a typographic minus sign is allowed.
  func number(_ bytes: Bytes, _ start: Int, _ end: Int) -> Double? {
    if end - start > 3, bytes[start] == 0xE2,
      bytes[start + 1] == 0x88 && bytes[start + 2] == 0x92
        || bytes[start + 1] == 0x80 && bytes[start + 2] == 0x93
    {
      guard bytes[start + 3] != 0x2D, bytes[start + 3] != 0xE2 else { return nil }
      return number(bytes, start + 3, end).map { -$0 }
    }
    var position = start
    guard let found = decimal(bytes, &position, end), position == end else { return nil }
    return nearest(found, bytes, start, end)
  }

  /// A number with separated thousands, such as 6,979.00, 6.979,00, 6'979 or 6 979; nil where the groups do not
  /// have three digits.
  func grouped(_ bytes: Bytes, _ start: Int, _ end: Int) -> Double? {
    var plain: [UInt8] = []
    var index = start
    var group = 0
    var groups = 0
    var isBehind = false
    while index < end {
      let byte = bytes[index]
      if byte &- 0x30 < 10 {
        plain.append(byte)
        if !isBehind { group += 1 }
        index += 1
      } else if plain.isEmpty && (byte == 0x2D || byte == 0x2B) {
        plain.append(byte)
        index += 1
      } else if byte == decimal && !isBehind {
        guard groups == 0 || group == 3 else { return nil }
        isBehind = true
        plain.append(0x2E)
        index += 1
      } else if !isBehind, let width = groupMark(bytes, index, end) {
        guard groups == 0 ? (1...3).contains(group) : group == 3 else { return nil }
        groups += 1
        group = 0
        index += width
      } else {
        return nil
      }
    }
    guard groups > 0, isBehind || group == 3 else { return nil }
    return Double(String(decoding: plain, as: UTF8.self))
  }

  /// Bytes of a mark between thousands, where one begins here.
  private func groupMark(_ bytes: Bytes, _ index: Int, _ end: Int) -> Int? {
    switch bytes[index] {
    case 0x2C where decimal != 0x2C: 1
    case 0x2E where decimal != 0x2E: 1
    case 0x27, 0x20, 0xA0: 1
    case 0xC2 where index + 1 < end && bytes[index + 1] == 0xA0: 2
    case 0xE2
    where index + 2 < end && bytes[index + 1] == 0x80
      && [0xAF, 0x99, 0x89].contains(bytes[index + 2]):
      3
    default: nil
    }
  }
}
