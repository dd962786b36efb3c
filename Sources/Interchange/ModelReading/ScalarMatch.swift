import LinearAlgebra

/// What a function of one number is made of: constant + linear · z + Σ factor · φ(scale · z + shift).
///
/// A match is claimed only where both agree to what rounding an exporter's constants to 32 bits leaves, at a few
/// hundred points: close to every kink on both sides, over the whole bend, and far out.
struct ScalarMatch {
  struct Part {
    var activation: Activation
    var scale = 1.0
    var shift = 0.0
    var factor = 1.0
  }
  var constant = 0.0
  var linear = 0.0
  var parts: [Part] = []

  static let tolerance = 3e-7
  /// Found by two points; piecewise linear functions, and ELUs of other scales, come by ways of their own.
  private static let smooth = Activation.allCases.filter { !$0.isPiecewiseLinear }

  /// How the arguments of activations and of what they are spelled in differ: erf z/√2, tanh z/2.
  private static let scalings = [1, 2.0.squareRoot(), 2, 0.5].flatMap { [$0, -$0] }

  func value(_ z: Double) -> Double {
    parts.reduce(constant + linear * z) {
      $0 + $1.factor * $1.activation.value($1.scale * z + $1.shift)
    }
  }

  /// Nil where the function is none that is made of the library's activations.
  static func of(_ function: ScalarFunction) -> ScalarMatch? {
    let kinks = function.kinks
    let samples = Samples(function, kinks)
    guard samples.isFinite else { return nil }
    if let lines = piecewiseLinear(function, kinks), samples.agree(with: lines) { return lines }
    for argument in function.arguments {
      for times in scalings {
        let inner = (scale: times * argument.a, shift: times * argument.b)
        // The function of the activation's argument.
        func along(_ y: Double) -> Double { function.value((y - inner.shift) / inner.scale) }
        for activation in smooth + [elu(along)].compactMap({ $0 }) {
          let match = fitted(activation, along, inner)
          if samples.agree(with: match) { return match }
        }
      }
    }
    return nil
  }

  /// factor · φ + constant through two points.
  private static func fitted(
    _ activation: Activation, _ along: (Double) -> Double, _ inner: (scale: Double, shift: Double)
  ) -> ScalarMatch {
    let (low, high) = (0.5, 2.0)
    let factor = rounded(
      (along(high) - along(low)) / (activation.value(high) - activation.value(low)))
    var constant = along(low) - factor * activation.value(low)
    if abs(constant) < 1e-6 * abs(factor) { constant = 0 }
    return ScalarMatch(
      constant: constant,
      parts: [
        Part(activation: activation, scale: inner.scale, shift: inner.shift, factor: factor)
      ])
  }

  /// A number of few digits (1, 2, ½) where it is one but for what rounding leaves of it.
  private static func rounded(_ x: Double) -> Double {
    guard x.isFinite, x != 0 else { return x }
    let unit = Double(sign: .plus, exponent: x.exponent - 8, significand: 1)
    let round = (x / unit).rounded() * unit
    return abs(x - round) <= 2e-7 * abs(x) ? round : x
  }

  /// The ELU that has this function's ratio of both sides.
  private static func elu(_ along: (Double) -> Double) -> Activation? {
    let slope = along(2) - along(1)
    let rise = along(-1) - (along(1) - slope)
    let scale = rise / (slope * (Double.exp(-1) - 1))
    guard scale.isFinite, scale != 0 else { return nil }
    return .elu(scale: rounded(scale))
  }

  // MARK: Piecewise linear functions

  /// By the slopes between its kinks; of the function itself only if that is piecewise linear and continuous.
  private static func piecewiseLinear(_ function: ScalarFunction, _ kinks: [Double])
    -> ScalarMatch?
  {
    func slope(_ low: Double, _ high: Double) -> Double {
      (function.value(high) - function.value(low)) / (high - low)
    }
    guard let first = kinks.first, let last = kinks.last else {
      return ScalarMatch(constant: function.value(0), linear: slope(-1, 1))
    }
    var slopes = [slope(first - 3, first - 1)]
    for (low, high) in zip(kinks, kinks.dropFirst()) {
      slopes.append(slope(0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high))
    }
    slopes.append(slope(last + 1, last + 3))
    guard slopes.allSatisfy(\.isFinite) else { return nil }
    let size = slopes.map(abs).max() ?? 0
    slopes = slopes.map { abs($0) <= 1e-12 * size ? 0 : $0 }
    let bends = kinks.indices.filter { abs(slopes[$0 + 1] - slopes[$0]) > 1e-11 * size }
    guard let bend = bends.first else {
      return ScalarMatch(
        constant: function.value(last + 1) - slopes[0] * (last + 1), linear: slopes[0])
    }
    let before = slopes[bend]
    let start = function.value(first - 1) + before * (kinks[bend] - (first - 1))
    return bent(bends.map { (kinks[$0], slopes[$0 + 1]) }, before, start)
  }

  /// From kinks with the slope after each, the slope before the first, and the value there; in as few activations
  /// as may be.
  private static func bent(
    _ bends: [(at: Double, slope: Double)], _ before: Double, _ start: Double
  ) -> ScalarMatch {
    let at = bends[0].at
    let after = bends[0].slope
    if bends.count == 1 {
      // −relu(−y) where it is level after the kink.
      let isLevelAfter = after == 0
      let (steep, flat) = isLevelAfter ? (-before, 0) : (after, before / after)
      let sign = isLevelAfter ? -1.0 : 1
      return ScalarMatch(
        constant: start,
        parts: [
          Part(
            activation: flat == 0 ? .relu : .leakyRelu(slope: flat), scale: sign,
            shift: -sign * at, factor: steep)
        ])
    }
    if bends.count == 2, before == 0, bends[1].slope == 0 {
      let width = bends[1].at - at
      return ScalarMatch(
        constant: start,
        parts: [
          Part(activation: .clip, scale: 1 / width, shift: -at / width, factor: after * width)
        ])
    }
    var match = ScalarMatch(constant: start - before * at, linear: before)
    var slope = before
    for bend in bends {
      match.parts.append(
        Part(activation: .relu, scale: 1, shift: -bend.at, factor: bend.slope - slope))
      slope = bend.slope
    }
    return match
  }

  /// With leaky ReLUs as ReLUs and lines, so that units with different slopes are one layer.
  var withoutSlopes: ScalarMatch {
    var result = self
    for index in parts.indices {
      guard case .leakyRelu(let slope) = parts[index].activation else { continue }
      let part = parts[index]
      result.linear += part.factor * slope * part.scale
      result.constant += part.factor * slope * part.shift
      result.parts[index].activation = .relu
      result.parts[index].factor *= 1 - slope
    }
    return result
  }

  // MARK: Agreement

  /// The function at the points that a match is held against.
  private struct Samples {
    var points: [Double]
    var values: [Double]
    /// What the function is like about 0: the unit in which errors are small.
    var size: Double

    init(_ function: ScalarFunction, _ kinks: [Double]) {
      var points = ScalarFunction.grid + [0]
      for kink in kinks {
        for distance in [1e-8, 1e-5, 1e-2, 0.3] {
          let step = distance * max(1, abs(kink))
          points += [kink - step, kink + step]
        }
      }
      for argument in function.arguments {
        for y in [-6, -3, -1.5, -0.5, 0.5, 1.5, 3, 6] {
          points.append((y - argument.b) / argument.a)
        }
      }
      self.points = points
      let values = points.map(function.value)
      func range(within reach: Double) -> Double {
        let near = zip(points, values).filter { $1.isFinite && abs($0) <= reach }.map(\.1)
        return (near.max() ?? 0) - (near.min() ?? 0)
      }
      let near = range(within: 3)
      size = near > 0 ? near : range(within: .infinity)
      self.values = values
    }

    /// Whether it has values, wherever e to that power is one.
    var isFinite: Bool {
      zip(points, values).allSatisfy { abs($0) > 50 || $1.isFinite } && size > 0
    }

    func agree(with match: ScalarMatch) -> Bool {
      guard match.constant.isFinite, match.linear.isFinite,
        match.parts.allSatisfy({ $0.factor.isFinite && $0.scale.isFinite && $0.shift.isFinite })
      else { return false }
      for (z, value) in zip(points, values) where value.isFinite {
        let other = match.value(z)
        let allowed = tolerance * (size + abs(value))
        guard abs(other - value) <= allowed else { return false }
      }
      return true
    }
  }
}
