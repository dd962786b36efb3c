import CKernels

/// Elementary functions with the same bits on every processor and system, unlike the C library's, which has
/// variants for different processors. Errors are in units in the last place (ulp); tests compare with a
/// multiple-precision program.
extension Double {
  /// eˣ, within 0.6 ulp.
  public static func exp(_ x: Double) -> Double { filigree_exp(x) }
  /// eˣ − 1, within 2 ulp.
  public static func expMinusOne(_ x: Double) -> Double { filigree_expm1(x) }
  /// ln x, within 1 ulp; −∞ at 0, NaN below.
  public static func log(_ x: Double) -> Double { filigree_log(x) }
  /// ln(1 + x), within 0.6 ulp.
  public static func log(onePlus x: Double) -> Double { filigree_log1p(x) }
  /// log₂ x, within 0.6 ulp, and exact for powers of two.
  public static func log2(_ x: Double) -> Double { filigree_log2(x) }
  /// log₁₀ x, within 0.6 ulp, and exact for powers of ten.
  public static func log10(_ x: Double) -> Double { filigree_log10(x) }
  /// xⁿ, within 0.6 ulp, and exact where the result is representable.
  public static func pow(_ x: Double, _ n: Int) -> Double { filigree_pow_whole(x, n) }
  /// xʸ, within 0.6 ulp; NaN for x < 0 unless y is whole.
  public static func pow(_ x: Double, _ y: Double) -> Double { filigree_pow(x, y) }
  public static func sqrt(_ x: Double) -> Double { x.squareRoot() }
  /// sin x, within 1 ulp for |x| < 2³⁰.
  public static func sin(_ x: Double) -> Double { filigree_sin(x) }
  /// cos x, within 1 ulp for |x| < 2³⁰.
  public static func cos(_ x: Double) -> Double { filigree_cos(x) }
  /// tan x, within 2 ulp for |x| < 2³⁰.
  public static func tan(_ x: Double) -> Double { filigree_tan(x) }
  /// arctan x, within 4 ulp.
  public static func atan(_ x: Double) -> Double { filigree_atan(x) }
  /// tanh x, within 4 ulp.
  public static func tanh(_ x: Double) -> Double { filigree_tanh(x) }

  /// The angle of the point (x, y), from −π to π.
  public static func atan2(y: Double, x: Double) -> Double {
    guard x != 0 || y != 0 else { return 0 }
    if abs(y) > abs(x) { return (y < 0 ? -.pi / 2 : .pi / 2) - atan(x / y) }
    return x > 0 ? atan(y / x) : atan(y / x) + (y < 0 ? -.pi : .pi)
  }

  /// √(x² + y²), where neither square is out of range.
  public static func hypot(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
}
