import Dynamics
import LinearAlgebra
import Networks

/// A box of a model's inputs in physical units: everything that a certificate speaks of.
public struct InputBox: Equatable, Sendable {
  /// From the least to the largest value of each input, in its unit; infinite where there is no limit.
  public var sides: [ClosedRange<Double>]

  /// - Parameter sides: of each input, in its unit.
  public init(sides: [ClosedRange<Double>]) { self.sides = sides }

  /// Every state and every control whatever.
  ///
  /// - Parameter count: how many inputs there are.
  public static func everything(_ count: Int) -> InputBox {
    InputBox(sides: Array(repeating: -Double.infinity...Double.infinity, count: count))
  }

  /// From one quantile of each input over samples to another, input by input.
  ///
  /// - Parameters:
  ///   - shares: of the samples below the lower and the upper side; 0...1 holds all of them.
  ///   - points: samples × inputs in physical units, at least one.
  public init(quantiles shares: ClosedRange<Double>, of points: Matrix) {
    sides = (0..<points.columns).map { column in
      let ordered = points.column(column).sorted()
      let low = ordered.quantile(shares.lowerBound)
      return low...max(low, ordered.quantile(shares.upperBound))
    }
  }

  /// The share of samples all of whose inputs lie inside.
  ///
  /// - Parameter points: samples × inputs in physical units, at least one.
  public func share(of points: Matrix) -> Double {
    let inside = (0..<points.rows).count { row in
      zip(points.row(row), sides).allSatisfy { $1.contains($0) }
    }
    return Double(inside) / Double(points.rows)
  }

  public var isBounded: Bool {
    sides.allSatisfy { $0.lowerBound.isFinite && $0.upperBound.isFinite }
  }

  // MARK: Standardised

  /// The part of some inputs, standardised as a model does it, rounded outward.
  func standardised<R>(_ inputs: [Int], _ scaling: Standardisation) -> Box<R> {
    Box(
      inputs.map { input in
        Self.standardised(sides[input].lowerBound, input, scaling)
          .hull(Self.standardised(sides[input].upperBound, input, scaling))
      })
  }

  /// One number of an input, standardised, with what rounding leaves open.
  static func standardised<R>(_ value: Double, _ input: Int, _ scaling: Standardisation)
    -> RoundedInterval<R>
  {
    guard value.isFinite else { return RoundedInterval(value) }
    if scaling.mean[input] == 0, scaling.deviation[input] == 1 { return RoundedInterval(value) }
    return (RoundedInterval<R>(value) - RoundedInterval(scaling.mean[input]))
      / RoundedInterval(scaling.deviation[input])
  }

  /// The point in physical units, inside the box, nearest to a standardised one of some inputs; the others stand at
  /// their mean, or as near to it as the box allows.
  func point(_ standardised: [Double], of inputs: [Int], _ scaling: Standardisation) -> [Double] {
    var point = scaling.mean
    for (place, input) in inputs.enumerated() {
      point[input] += scaling.deviation[input] * standardised[place]
    }
    return point.indices.map { min(sides[$0].upperBound, max(sides[$0].lowerBound, point[$0])) }
  }
}
