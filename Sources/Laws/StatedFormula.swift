import Foundation
import LinearAlgebra

/// A constant of a formula as it is told: with its interval over the members, rounded to what that supports.
public struct StatedConstant: Equatable, Sendable {
  /// As told.
  public var value: Double
  /// Of the fit to the mean of the members.
  public var fitted: Double
  /// The mean over the members with its 95 % interval by Student's t; nil for a single member.
  public var interval: ClosedRange<Double>?
  /// Significant digits of `value`.
  public var digits: Int
  /// Whether `value` is a simple number inside the interval rather than the fitted one.
  public var isSnapped: Bool

  /// Digits of a constant without an interval, and the most that are told.
  static let usualDigits = 4
  static let mostDigits = 5
  /// How narrow an interval must be, of the constant, for a simple number inside it to mean something.
  static let narrow = 0.01

  /// - Parameters:
  ///   - fitted: to the mean of the members.
  ///   - members: the constant fitted to each of them.
  ///   - snaps: whether a simple number inside the interval is told instead.
  package init(_ fitted: Double, members: [Double], snaps: Bool = true) {
    self.fitted = fitted
    digits = Self.usualDigits
    isSnapped = false
    value = Self.rounded(fitted, digits)
    guard members.count > 1, fitted != 0 else { return }
    let reach =
      studentQuantile(confidence: 0.95, degrees: members.count - 1) * members.standardDeviation
      / Double(members.count - 1).squareRoot()
    let centre = members.mean
    let range = min(centre - reach, fitted)...max(centre + reach, fitted)
    interval = range
    let half = (range.upperBound - range.lowerBound) / 2
    let relative = half / abs(fitted)
    digits = relative > 0 ? Int((-Double.log10(relative)).rounded(.down)) + 2 : Self.mostDigits
    digits = max(1, min(Self.mostDigits, digits))
    value = Self.rounded(fitted, digits)
    if snaps, relative < Self.narrow, let simple = Self.simple(near: fitted, in: range) {
      value = simple
      digits = min(digits, Self.usualDigits)
      isSnapped = true
    }
  }

  static func rounded(_ value: Double, _ digits: Int) -> Double {
    Double(String(format: "%.\(digits - 1)e", value)) ?? value
  }

  /// A number of one digit, a whole number up to 12, or a half or quarter up to 3, inside the interval.
  private static func simple(near value: Double, in interval: ClosedRange<Double>) -> Double? {
    [rounded(value, 1), value.rounded(), (4 * value).rounded() / 4].first { candidate in
      let isSmall = abs(candidate) <= 12 && candidate == candidate.rounded() || abs(candidate) <= 3
      return candidate != 0 && interval.contains(candidate)
        && (isSmall || candidate == rounded(candidate, 1))
    }
  }
}

/// A formula with every constant as it is told.
public struct StatedFormula: Sendable {
  /// With the constants as told.
  public var formula: Formula
  public var constant: StatedConstant?
  /// Per term.
  public var coefficients: [StatedConstant]
  /// Per term, the constants inside its functions in their order.
  public var parameters: [[StatedConstant]]

  /// A formula as it is, without intervals.
  public init(_ formula: Formula) { self.init(formula, members: []) }

  /// - Parameters:
  ///   - fitted: to the mean of the members.
  ///   - members: each member's steps of the output, to which the constants are fitted again.
  init(_ fitted: Formula, members: [OutputSteps]) {
    let own = members.compactMap { steps in
      steps.refined(fitted.scaled(by: 1 / steps.deviation))?.scaled(by: steps.deviation)
    }
    // The others' intervals would be too narrow.
    let known = own.count == members.count ? own : []
    constant =
      fitted.hasConstant ? StatedConstant(fitted.constant, members: known.map(\.constant)) : nil
    coefficients = fitted.coefficients.indices.map { place in
      StatedConstant(fitted.coefficients[place], members: known.map { $0.coefficients[place] })
    }
    parameters = fitted.terms.indices.map { term in
      fitted.terms[term].factors.indices.filter { fitted.terms[term].factors[$0].hasParameter }
        .map { factor in
          StatedConstant(
            fitted.terms[term].factors[factor].parameter,
            members: known.map { $0.terms[term].factors[factor].parameter }, snaps: false)
        }
    }
    formula = fitted
    formula.constant = constant?.value ?? 0
    formula.coefficients = coefficients.map(\.value)
    for term in formula.terms.indices {
      var stated = parameters[term].makeIterator()
      for factor in formula.terms[term].factors.indices
      where formula.terms[term].factors[factor].hasParameter {
        if let next = stated.next() { formula.terms[term].factors[factor].parameter = next.value }
      }
    }
  }
}
