import LinearAlgebra
import TestSupport
import Testing

/// Against mpmath's values of 60 digits.
@Suite struct ElementaryFunctionTests {
  private struct Reference: Decodable {
    /// [x, f(x)]
    var functions: [String: [[Double]]]
    /// [x, y, xʸ]
    var powers: [[Double]]
  }

  private static let reference = try? Fixture.json("elementary/values.json", as: Reference.self)

  /// With the error that each one's comment allows, in units in the last place; the reference is itself
  /// rounded by up to half of one.
  private typealias Case = (name: String, allowed: Double, function: @Sendable (Double) -> Double)
  private static let functions: [Case] = [
    ("exp", 0.6, Double.exp), ("expMinusOne", 2, Double.expMinusOne),
    ("log", 1, { Double.log($0) }),
    ("logOnePlus", 0.6, Double.log(onePlus:)), ("log2", 0.6, Double.log2),
    ("log10", 0.6, Double.log10), ("sin", 1, Double.sin), ("cos", 1, Double.cos),
    ("tan", 2, Double.tan), ("atan", 4, Double.atan), ("tanh", 4, Double.tanh),
  ]

  @Test(arguments: functions.indices)
  func valuesAreTheNearestOrNextToIt(index: Int) throws {
    let (name, allowed, function) = Self.functions[index]
    let points = try #require(Self.reference?.functions[name])
    #expect(points.count == 200)
    for point in points {
      #expect(
        abs(function(point[0]) - point[1]) <= (allowed + 0.5) * point[1].ulp, "\(name) \(point)")
    }
  }

  @Test func powersAreTheNearestOrNextToIt() throws {
    let powers = try #require(Self.reference?.powers)
    #expect(powers.count > 150)
    for power in powers {
      #expect(abs(.pow(power[0], power[1]) - power[2]) <= 1.1 * power[2].ulp, "\(power)")
    }
  }

  @Test func whatCanBeWrittenIsExact() {
    for exponent in -22...22 {
      let power = Double("1e\(exponent)") ?? .nan
      #expect(Double.pow(10, exponent) == power)
      #expect(Double.log10(power) == Double(exponent))
    }
    #expect(Double.log2(0x1p-1060) == -1060)
    #expect(Double.pow(-2, 3.0) == -8)
    #expect(Double.pow(0, -1.0) == .infinity)
    #expect(Double.pow(2, -0.5).bitPattern == (0.5).squareRoot().bitPattern)
  }

  @Test func edgesAreThoseOfTheFunctions() {
    #expect(Double.exp(-800) == 0 && Double.exp(800) == .infinity && Double.exp(0) == 1)
    #expect(Double.exp(-745) == Double.leastNonzeroMagnitude)
    #expect(Double.exp(.nan).isNaN && Double.log(-1).isNaN && Double.pow(-1, 0.5).isNaN)
    #expect(
      Double.log(0) == -.infinity && Double.log(1) == 0
        && Double.log(Double.leastNonzeroMagnitude) < -744)
    #expect(Double.atan(.infinity) == .pi / 2 && Double.tanh(-30) == -1 && Double.tanh(0) == 0)
    #expect(Double.sin(.infinity).isNaN && Double.sin(0) == 0 && Double.cos(0) == 1)
    #expect(Double.atan2(y: 1, x: -1) == 0.75 * .pi && Double.atan2(y: -1, x: 0) == -.pi / 2)
    for step in 0..<16 {
      let angle = Double(step - 8) * .pi / 8 + 0.01
      let found = Double.atan2(y: .sin(angle), x: .cos(angle))
      #expect(abs(found - angle) < 1e-15 || abs(abs(found - angle) - 2 * .pi) < 1e-15)
    }
  }
}
