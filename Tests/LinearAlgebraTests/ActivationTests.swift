import Foundation
import LinearAlgebra
import Testing

@Suite("Activations")
struct ActivationTests {
  static let points = stride(from: -6.031, through: 6, by: 0.371).map { $0 }

  @Test("Slopes and curvatures are those of central differences", arguments: Activation.allCases)
  func derivatives(activation: Activation) {
    let h = 1e-5
    for z in Self.points {
      let slope = (activation.value(z + h) - activation.value(z - h)) / (2 * h)
      let size = max(1, abs(slope))
      #expect(abs(activation.slope(z) - slope) < 1e-8 * size, "\(z)")
      let curvature = (activation.slope(z + h) - activation.slope(z - h)) / (2 * h)
      #expect(abs(activation.curvature(z) - curvature) < 1e-7 * max(1, abs(curvature)), "\(z)")
    }
  }

  @Test(
    "No slope lies outside the range, and those at its ends are reached",
    arguments: Activation.allCases)
  func ranges(activation: Activation) {
    let slopes = stride(from: -40.0, through: 40, by: 0.001).map { activation.slope($0) }
    let range = activation.slopeRange
    #expect(slopes.allSatisfy { range.contains($0) })
    if range.upperBound.isFinite { #expect((slopes.max() ?? 0) > range.upperBound - 2e-3) }
    if range.lowerBound.isFinite { #expect((slopes.min() ?? 0) < range.lowerBound + 2e-3) }
  }

  /// From the functions of Python's math.
  @Test(
    "Known values",
    arguments: [
      (Activation.errorFunction, 0.5, 0.5204998778130465),
      (.errorFunction, 2.5, 0.9995930479825550),
      (.errorFunction, -1.99, -0.995111413199617), (.gelu, 1.0, 0.8413447460685429),
      (.gelu, -3.0, -0.00404969409489031), (.softplus, 0.0, 0.6931471805599453),
      (.mish, 1.0, 0.8650983882673103), (.selu, -1.0, -1.1113307378125625),
      (.softsign, -3.0, -0.75), (.leakyRelu(slope: 0.2), -3.0, -0.6), (.elu(scale: 2), -40.0, -2.0),
      (.clip, 7.0, 1.0), (.hardSwish, 1.0, 0.6666666666666666),
    ])
  func known(activation: Activation, z: Double, value: Double) {
    #expect(abs(activation.value(z) - value) < 1e-10)
  }

  @Test("Names come back, also with parameters")
  func names() {
    for activation in Activation.allCases + [.leakyRelu(slope: -0.25), .elu(scale: 1.5)] {
      #expect(Activation(rawValue: activation.rawValue) == activation)
    }
    #expect(Activation(rawValue: "leaky-relu(nan)") == nil)
    #expect(Activation(rawValue: "sigmoidal") == nil)
  }
}
