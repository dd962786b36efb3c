import LinearAlgebra

/// The numbers that a plant's equations are written in: `Double` for values, `Dual` for exact
/// derivatives.
///
/// The functions are Filigree's own, with the same bits on every processor.
public protocol PlantScalar: AdditiveArithmetic, ExpressibleByFloatLiteral,
  ExpressibleByIntegerLiteral
{
  init(_ value: Double)
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static prefix func - (a: Self) -> Self
  static func exp(_ x: Self) -> Self
  static func expMinusOne(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log(onePlus x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func tan(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func sqrt(_ x: Self) -> Self
  static func pow(_ x: Self, _ n: Int) -> Self
  /// xʸ for x > 0.
  static func pow(_ x: Self, _ y: Self) -> Self
  /// The number without its derivatives.
  var value: Double { get }
}

extension Double: PlantScalar {
  public var value: Double { self }
}

/// A number with its derivatives along up to sixteen directions, carried by forward-mode automatic
/// differentiation: f(a + ε d) = f(a) + ε f′(a) d with ε² = 0. The derivatives are exact to rounding.
/// `==` compares value and derivatives.
public struct Dual: PlantScalar {
  public typealias Directions = SIMD16<Double>
  public static let directionCount = Directions.scalarCount

  public var value: Double
  public var derivatives: Directions

  public init(value: Double, derivatives: Directions) {
    self.value = value
    self.derivatives = derivatives
  }

  public init(_ value: Double) { self.init(value: value, derivatives: .zero) }

  /// The variable whose derivative along `direction` is one.
  public init(_ value: Double, direction: Int) {
    self.init(value)
    derivatives[direction] = 1
  }

  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }

  public static var zero: Dual { Dual(0) }

  public static func + (a: Dual, b: Dual) -> Dual {
    Dual(value: a.value + b.value, derivatives: a.derivatives + b.derivatives)
  }
  public static func - (a: Dual, b: Dual) -> Dual {
    Dual(value: a.value - b.value, derivatives: a.derivatives - b.derivatives)
  }
  public static func * (a: Dual, b: Dual) -> Dual {
    Dual(
      value: a.value * b.value, derivatives: a.derivatives * b.value + b.derivatives * a.value)
  }
  public static func / (a: Dual, b: Dual) -> Dual {
    let quotient = a.value / b.value
    return Dual(
      value: quotient, derivatives: (a.derivatives - b.derivatives * quotient) / b.value)
  }
  public static prefix func - (a: Dual) -> Dual {
    Dual(value: -a.value, derivatives: -a.derivatives)
  }
}

extension Dual {
  /// The chain rule: a function's value with its derivative there.
  private func composed(_ value: Double, slope: Double) -> Dual {
    Dual(value: value, derivatives: derivatives * slope)
  }

  public static func exp(_ x: Dual) -> Dual {
    let value = Double.exp(x.value)
    return x.composed(value, slope: value)
  }
  public static func expMinusOne(_ x: Dual) -> Dual {
    let value = Double.expMinusOne(x.value)
    return x.composed(value, slope: value + 1)
  }
  public static func log(_ x: Dual) -> Dual { x.composed(.log(x.value), slope: 1 / x.value) }
  public static func log(onePlus x: Dual) -> Dual {
    x.composed(.log(onePlus: x.value), slope: 1 / (1 + x.value))
  }
  public static func sin(_ x: Dual) -> Dual { x.composed(.sin(x.value), slope: .cos(x.value)) }
  public static func cos(_ x: Dual) -> Dual { x.composed(.cos(x.value), slope: -.sin(x.value)) }
  public static func tan(_ x: Dual) -> Dual {
    let value = Double.tan(x.value)
    return x.composed(value, slope: 1 + value * value)
  }
  public static func tanh(_ x: Dual) -> Dual {
    let value = Double.tanh(x.value)
    return x.composed(value, slope: 1 - value * value)
  }
  public static func atan(_ x: Dual) -> Dual {
    x.composed(.atan(x.value), slope: 1 / (1 + x.value * x.value))
  }
  public static func sqrt(_ x: Dual) -> Dual {
    let value = Double.sqrt(x.value)
    return x.composed(value, slope: 0.5 / value)
  }
  public static func pow(_ x: Dual, _ n: Int) -> Dual {
    x.composed(.pow(x.value, n), slope: n == 0 ? 0 : Double(n) * .pow(x.value, n - 1))
  }
  /// xʸ for x > 0.
  public static func pow(_ x: Dual, _ y: Dual) -> Dual {
    let value = Double.pow(x.value, y.value)
    let byBase = x.derivatives * (y.value * .pow(x.value, y.value - 1))
    let byExponent = y.derivatives == .zero ? .zero : y.derivatives * (value * .log(x.value))
    return Dual(value: value, derivatives: byBase + byExponent)
  }
}
