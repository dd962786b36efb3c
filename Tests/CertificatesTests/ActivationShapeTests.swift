import Certificates
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@Suite struct ActivationShapeTests {
  static let supported = Activation.allCases.filter { ActivationShape<Outward>($0) != nil }
  static let smooth = supported.filter { !$0.isPiecewiseLinear }

  private struct Values: Decodable {
    var activation: String
    var z: Double
    /// The neighbouring doubles below and above φ, φ′ and φ″ (equal where one is exact).
    var below: [Double]
    var above: [Double]
  }

  @Test func theKnownOnesAreSupported() {
    for activation: Activation in [
      .identity, .relu, .leakyRelu(slope: 0.25), .clip, .silu, .tanh, .sigmoid,
    ] { #expect(ActivationShape<Outward>(activation) != nil) }
    #expect(ActivationShape<Outward>(.gelu) == nil)
  }

  /// Against four hundred digits by Python's decimal arithmetic.
  @Test func enclosuresHoldTheTrueValues() throws {
    let fixture = try Fixture.json("certificates/activations.json", as: [Values].self)
    #expect(fixture.count > 200)
    for entry in fixture {
      let activation = try #require(Activation(rawValue: entry.activation))
      let shape = try #require(ActivationShape<Outward>(activation))
      let values = shape.values(at: entry.z)
      for order in 0..<3 {
        let found = values[order]
        #expect(
          found.lower <= entry.below[order] && entry.above[order] <= found.upper,
          "\(entry.activation) \(order) at \(entry.z)")
        let size = max(1, abs(entry.above[order]))
        #expect(found.width <= 1e-13 * size, "\(entry.activation) \(order) at \(entry.z)")
      }
    }
  }

  /// Derivatives change their signs at the recorded zeros and nowhere else.
  @Test(arguments: smooth) func zerosAreWhereTheyAreSaidToBe(_ activation: Activation) throws {
    let shape = try #require(ActivationShape<Outward>(activation))
    for order in 0..<2 {
      let zeros = shape.zeros[order]
      for place in zeros.places {
        let step = ActivationShape<Outward>.Zeros.error
        let below = shape.values(at: place - step)[order + 1]
        let above = shape.values(at: place + step)[order + 1]
        // Opposite signs, to within the enclosures' own width, which is smaller than the change.
        #expect((below.middle < 0) != (above.middle < 0), "\(activation) \(order) \(place)")
      }
      for number in 0...400 {
        let z = -10.0125 + 0.05 * Double(number)
        let index = zeros.places.count { $0 < z }
        #expect((shape.values(at: z)[order + 1].middle >= 0) == zeros.isPositive(index))
      }
    }
    // φ‴ by differences of φ″.
    for number in 0...400 {
      let z = -8.0125 + 0.04 * Double(number)
      let index = shape.zeros[2].places.count { $0 < z }
      if shape.zeros[2].places.contains(where: { abs($0 - z) < 0.02 }) { continue }
      let change = activation.curvature(z + 1e-3) - activation.curvature(z - 1e-3)
      #expect(
        change == 0 || (change > 0) == shape.zeros[2].isPositive(index), "\(activation) at \(z)")
    }
  }

  /// Ranges hold all values over random intervals, and lines lie on their sides of the function.
  @Test(arguments: supported) func rangesAndLinesHold(_ activation: Activation) throws {
    let shape = try #require(ActivationShape<Outward>(activation))
    var stream = RandomStream(seed: 21)
    var narrow = 0.0
    for _ in 0..<400 {
      let width = min(100, Double.exp(2 * stream.normal()))
      let low = 4 * stream.normal()
      let ends = (shape.values(at: low), shape.values(at: low + width))
      let high = low + width
      for order in 0..<2 {
        let range = shape.range(order, ends.0, ends.1)
        let below = shape.line(order, above: false, ends.0, ends.1, range: range)
        let above = shape.line(order, above: true, ends.0, ends.1, range: range)
        for number in 0...50 {
          let z = min(high, low + width * Double(number) / 50)
          let value = order == 0 ? activation.value(z) : activation.slope(z)
          let rounding = 1e-13 * (1 + abs(value) + abs(above.slope * z))
          #expect(range.lower <= value + rounding && value - rounding <= range.upper)
          #expect(below.slope * z + below.offset <= value + rounding)
          #expect(above.slope * z + above.offset >= value - rounding)
        }
        // In narrow intervals lines are far closer than the range.
        if width < 0.1, !activation.isPiecewiseLinear {
          let middle = low + width / 2
          let gap = (above.slope - below.slope) * middle + above.offset - below.offset
          narrow = max(narrow, gap / (width * width))
        }
      }
      let curvature = shape.range(2, ends.0, ends.1)
      for number in 1..<50 {
        let value = activation.curvature(low + width * Double(number) / 50)
        #expect(curvature.lower <= value + 1e-12 * (1 + abs(value)))
        #expect(value - 1e-12 * (1 + abs(value)) <= curvature.upper)
      }
    }
    if activation != .exponential { #expect(narrow < 1, "second order: \(narrow)") }
  }

  @Test func endsWithoutLimitHaveRanges() throws {
    let shape = try #require(ActivationShape<Outward>(.silu))
    let ends = (shape.values(at: -.infinity), shape.values(at: .infinity))
    let slope = shape.range(1, ends.0, ends.1)
    #expect(slope.lower < -0.0998 && slope.lower > -0.0999)
    #expect(slope.upper > 1.0998 && slope.upper < 1.0999)
    #expect(shape.range(0, ends.0, ends.1).upper == .infinity)
    #expect(shape.range(0, ends.0, ends.1).lower > -0.2785)
  }
}
