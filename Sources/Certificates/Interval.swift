/// How a computed number becomes a bound: what an operation rounded is moved outward, so that the exact result lies
/// inside.
public protocol Rounding: Sendable {
  /// A number below which the exact result of the operation that rounded to `x` cannot lie.
  static func down(_ x: Double) -> Double
  /// A number above which it cannot lie.
  static func up(_ x: Double) -> Double
  /// No sum or product of two numbers is further from the exact one than this share of the rounded one (and
  /// `underflow`).
  static var unit: Double { get }
  /// What is added to `unit` where results are too small for full precision.
  static var underflow: Double { get }
}

/// Rounds to the next number outside: sound, because IEEE 754 rounds each operation to one of the two neighbours of
/// the exact result.
public enum Outward: Rounding {
  @inlinable public static func down(_ x: Double) -> Double { x.nextDown }
  @inlinable public static func up(_ x: Double) -> Double { x.nextUp }
  public static var unit: Double { 0x1p-52 }
  public static var underflow: Double { 0x1p-1000 }
}

/// An interval of real numbers, its ends possibly infinite. Arithmetic encloses every result that numbers inside can
/// have, whatever the rounding (Moore 1966); 0 · ∞ is 0, since an infinite end stands for arbitrarily large numbers.
public struct RoundedInterval<R: Rounding>: Equatable, Sendable {
  public var lower: Double
  public var upper: Double

  @inlinable public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// One number.
  @inlinable public init(_ value: Double) { self.init(lower: value, upper: value) }

  public static var everything: Self { Self(lower: -.infinity, upper: .infinity) }
  public static var zero: Self { Self(0) }

  @inlinable public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
  @inlinable public var isFinite: Bool { lower.isFinite && upper.isFinite }
  /// A number inside, the middle where both ends are finite.
  @inlinable public var middle: Double {
    if isFinite { return min(upper, max(lower, lower / 2 + upper / 2)) }
    return lower.isFinite ? lower : upper.isFinite ? upper : 0
  }
  /// The largest magnitude inside.
  @inlinable public var magnitude: Double { max(abs(lower), abs(upper)) }
  /// An upper bound of upper − lower.
  @inlinable public var width: Double { R.up(upper - lower) }

  @inlinable public static prefix func - (a: Self) -> Self {
    Self(lower: -a.upper, upper: -a.lower)
  }

  @inlinable public static func + (a: Self, b: Self) -> Self {
    Self(lower: R.down(a.lower + b.lower), upper: R.up(a.upper + b.upper))
  }

  @inlinable public static func - (a: Self, b: Self) -> Self {
    Self(lower: R.down(a.lower - b.upper), upper: R.up(a.upper - b.lower))
  }

  @inlinable public static func + (a: Self, b: Double) -> Self { a + Self(b) }
  @inlinable public static func - (a: Double, b: Self) -> Self { Self(a) - b }

  @inlinable static func product(_ a: Double, _ b: Double) -> Double {
    a == 0 || b == 0 ? 0 : a * b
  }

  @inlinable public static func * (factor: Double, a: Self) -> Self {
    if factor == 0 { return .zero }
    let (p, q) = (product(factor, a.lower), product(factor, a.upper))
    return factor > 0
      ? Self(lower: R.down(p), upper: R.up(q)) : Self(lower: R.down(q), upper: R.up(p))
  }

  @inlinable public static func * (a: Self, b: Self) -> Self {
    if a.lower >= 0, b.lower >= 0 {
      return Self(
        lower: R.down(product(a.lower, b.lower)), upper: R.up(product(a.upper, b.upper)))
    }
    let (p, q) = (product(a.lower, b.lower), product(a.lower, b.upper))
    let (r, s) = (product(a.upper, b.lower), product(a.upper, b.upper))
    return Self(
      lower: R.down(min(min(p, q), min(r, s))), upper: R.up(max(max(p, q), max(r, s))))
  }

  /// The quotient; everything where the divisor may vanish.
  @inlinable public static func / (a: Self, b: Self) -> Self {
    guard b.lower > 0 || b.upper < 0 else { return .everything }
    let (p, q) = (a.lower / b.lower, a.lower / b.upper)
    let (r, s) = (a.upper / b.lower, a.upper / b.upper)
    guard !(p.isNaN || q.isNaN || r.isNaN || s.isNaN) else { return .everything }
    return Self(
      lower: R.down(min(min(p, q), min(r, s))), upper: R.up(max(max(p, q), max(r, s))))
  }

  /// The smallest interval that holds both.
  @inlinable public func hull(_ other: Self) -> Self {
    Self(lower: min(lower, other.lower), upper: max(upper, other.upper))
  }

  /// What both hold; `self` where rounding leaves nothing in common.
  @inlinable public func intersection(_ other: Self) -> Self {
    let common = Self(lower: max(lower, other.lower), upper: min(upper, other.upper))
    return common.lower <= common.upper ? common : self
  }

  /// The result of an elementary function, whose error is at most `ulps` units in the last place: wider by these.
  ///
  /// - Parameters:
  ///   - value: as computed.
  ///   - ulps: the documented bound of its error.
  static func around(_ value: Double, ulps: Double) -> Self {
    guard value.isFinite else {
      return value > 0
        ? Self(lower: .greatestFiniteMagnitude, upper: .infinity)
        : Self(lower: -.infinity, upper: -.greatestFiniteMagnitude)
    }
    let reach = ulps * value.ulp
    return Self(lower: (value - reach).nextDown, upper: (value + reach).nextUp)
  }
}

/// An interval whose operations round outward.
public typealias Interval = RoundedInterval<Outward>
