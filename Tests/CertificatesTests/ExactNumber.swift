/// A whole number times a power of two: sums and products of such are exact, and every finite `Double` is one. What
/// piecewise linear networks compute from numbers in files is of this kind.
struct ExactNumber: Comparable {
  private var isNegative: Bool
  /// Least significant part first, without zeros at the end.
  private var digits: [UInt32]
  private var exponent: Int

  private init(isNegative: Bool, digits: [UInt32], exponent: Int) {
    var digits = digits
    var exponent = exponent
    while digits.last == 0 { digits.removeLast() }
    let trailing = digits.prefix { $0 == 0 }.count
    digits.removeFirst(trailing)
    exponent += 32 * trailing
    self.isNegative = isNegative && !digits.isEmpty
    self.digits = digits
    self.exponent = digits.isEmpty ? 0 : exponent
  }

  init(_ value: Double) {
    precondition(value.isFinite)
    let bits = value.significandBitPattern
    let exponent = Int(value.exponentBitPattern)
    let significand = exponent == 0 ? bits : bits | 1 << 52
    self.init(
      isNegative: value < 0,
      digits: [UInt32(truncatingIfNeeded: significand), UInt32(significand >> 32)],
      exponent: max(1, exponent) - 1075)
  }

  static let zero = ExactNumber(0)

  var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

  /// Its digits for a smaller exponent.
  private func digits(at lower: Int) -> [UInt32] {
    let shift = exponent - lower
    let bits = UInt64(shift % 32)
    var result = [UInt32](repeating: 0, count: shift / 32)
    var carry: UInt64 = 0
    for digit in digits {
      carry |= UInt64(digit) << bits
      result.append(UInt32(truncatingIfNeeded: carry))
      carry >>= 32
    }
    result.append(UInt32(carry))
    return result
  }

  private static func compare(_ a: [UInt32], _ b: [UInt32]) -> Int {
    for index in stride(from: max(a.count, b.count) - 1, through: 0, by: -1) {
      let (x, y) = (index < a.count ? a[index] : 0, index < b.count ? b[index] : 0)
      if x != y { return x < y ? -1 : 1 }
    }
    return 0
  }

  static func + (a: ExactNumber, b: ExactNumber) -> ExactNumber {
    if a.digits.isEmpty { return b }
    if b.digits.isEmpty { return a }
    let exponent = min(a.exponent, b.exponent)
    let (x, y) = (a.digits(at: exponent), b.digits(at: exponent))
    if a.isNegative == b.isNegative {
      var result: [UInt32] = []
      var carry: UInt64 = 0
      for index in 0..<max(x.count, y.count) {
        carry += UInt64(index < x.count ? x[index] : 0) + UInt64(index < y.count ? y[index] : 0)
        result.append(UInt32(truncatingIfNeeded: carry))
        carry >>= 32
      }
      result.append(UInt32(carry))
      return ExactNumber(isNegative: a.isNegative, digits: result, exponent: exponent)
    }
    let order = compare(x, y)
    if order == 0 { return zero }
    let (large, small) = order > 0 ? (x, y) : (y, x)
    var result: [UInt32] = []
    var borrow: Int64 = 0
    for index in large.indices {
      var digit = Int64(large[index]) - Int64(index < small.count ? small[index] : 0) - borrow
      borrow = digit < 0 ? 1 : 0
      if digit < 0 { digit += 1 << 32 }
      result.append(UInt32(digit))
    }
    return ExactNumber(
      isNegative: (order > 0) == a.isNegative, digits: result, exponent: exponent)
  }

  static prefix func - (a: ExactNumber) -> ExactNumber {
    ExactNumber(isNegative: !a.isNegative, digits: a.digits, exponent: a.exponent)
  }

  static func - (a: ExactNumber, b: ExactNumber) -> ExactNumber { a + -b }

  static func * (a: ExactNumber, b: ExactNumber) -> ExactNumber {
    var result = [UInt32](repeating: 0, count: a.digits.count + b.digits.count)
    for (i, x) in a.digits.enumerated() {
      var carry: UInt64 = 0
      for (j, y) in b.digits.enumerated() {
        carry += UInt64(x) * UInt64(y) + UInt64(result[i + j])
        result[i + j] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
      if !b.digits.isEmpty { result[i + b.digits.count] = UInt32(carry) }
    }
    return ExactNumber(
      isNegative: a.isNegative != b.isNegative, digits: result, exponent: a.exponent + b.exponent)
  }

  static func < (a: ExactNumber, b: ExactNumber) -> Bool { (a - b).sign < 0 }
  static func == (a: ExactNumber, b: ExactNumber) -> Bool { (a - b).sign == 0 }
}
