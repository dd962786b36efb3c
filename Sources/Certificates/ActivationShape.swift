import LinearAlgebra

/// What bounds need to know of an activation φ: enclosures of φ, φ′ and φ″ at a number, where they have extremes, and
/// where φ and φ′ change from convex to concave.
///
/// A class, because one is shared by all nodes that have the function.
package final class ActivationShape<R: Rounding>: Sendable {
  package typealias Bound = RoundedInterval<R>

  /// φ, φ′ and φ″ at one number.
  package struct Values {
    package var place: Double
    var derivatives: (Bound, Bound, Bound)

    package subscript(order: Int) -> Bound {
      order == 0 ? derivatives.0 : order == 1 ? derivatives.1 : derivatives.2
    }
  }

  /// A line below or above a function over an interval.
  package struct Line {
    package var slope = 0.0
    package var offset: Double
  }

  /// Where a derivative vanishes, to within `Zeros.error`, and whether it is positive below the first of these.
  package struct Zeros: Sendable {
    package var places: [Double]
    var startsPositive: Bool
    package static var error: Double { 1e-12 }

    /// Whether the derivative is positive between the zeros before and after `index`.
    package func isPositive(_ index: Int) -> Bool { startsPositive == (index % 2 == 0) }
  }

  /// A piecewise linear function: slopes left of each kink and right of the last, and kinks with the value there. All of
  /// it is exact.
  struct Pieces {
    var slopes: [Double]
    var kinks: [(place: Double, value: Double)]
  }

  /// Of a smooth function zeros of φ′, φ″ and φ‴.
  enum Form {
    case piecewise(Pieces)
    case smooth([Zeros])
  }

  let activation: Activation
  /// Nil for a smooth function.
  let pieces: Pieces?
  /// Of a smooth function zeros of φ′, φ″ and φ‴.
  package let zeros: [Zeros]
  /// By order: places and enclosures of the extremes of φ, φ′ and φ″.
  private let extremes: [[(place: Double, value: Bound)]]
  /// By order: where φ and φ′ turn from convex to concave or back.
  let turns: [[Values]]
  /// By order: φ′ and φ″ at places `step` apart, to find where they have a given value.
  let samples: [[Double]]
  static var firstSample: Double { -16 }
  static var step: Double { 1.0 / 64 }

  /// Nil for functions of which no sound bounds are known here.
  package init?(_ activation: Activation) {
    guard let form = Self.form(of: activation) else { return nil }
    self.activation = activation
    guard case .smooth(let zeros) = form else {
      if case .piecewise(let pieces) = form { self.pieces = pieces } else { pieces = nil }
      zeros = []
      extremes = []
      turns = []
      samples = []
      return
    }
    pieces = nil
    self.zeros = zeros
    turns = [1, 2].map { order in zeros[order].places.map { Self.values(activation, at: $0) } }
    let count = Int(-2 * Self.firstSample / Self.step)
    samples = [0, 1].map { order in
      (0...count).map { number in
        let z = Self.firstSample + Double(number) * Self.step
        return order == 0 ? activation.slope(z) : activation.curvature(z)
      }
    }
    extremes = zeros.indices.map { order in
      zeros[order].places.map { place in
        // The extreme lies within the error of the zero, where the function is flat: second order is below 1e-22.
        let value = Self.values(activation, at: place)[order]
        return (place, Bound(lower: value.lower - 1e-20, upper: value.upper + 1e-20))
      }
    }
  }

  /// The names of the functions that have bounds.
  package static var supported: [String] {
    Activation.allCases.filter { form(of: $0) != nil }.map(\.rawValue)
  }

  private static func form(of activation: Activation) -> Form? {
    func smooth(_ zeros: ([Double], Bool)...) -> Form {
      .smooth(zeros.map { Zeros(places: $0.0, startsPositive: $0.1) })
    }
    switch activation {
    case .identity: return .piecewise(Pieces(slopes: [1], kinks: []))
    case .relu: return .piecewise(Pieces(slopes: [0, 1], kinks: [(0, 0)]))
    case .leakyRelu(let slope):
      return .piecewise(Pieces(slopes: [slope, 1], kinks: [(0, 0)]))
    case .clip: return .piecewise(Pieces(slopes: [0, 1, 0], kinks: [(0, 0), (1, 1)]))
    // With s = 1/(1 + e⁻ᶻ): s + z s′ = 0, 2 + z (1 − 2s) = 0, 3 (1 − 2s) + z (1 − 6s′) = 0.
    case .silu:
      return smooth(
        ([-1.278464542761073795], false), ([-2.399357280515467668, 2.399357280515467668], false),
        ([-3.435840993535110689, 0, 3.435840993535110689], false))
    // tanh² = 1/3
    case .tanh:
      return smooth(
        ([], true), ([0], true), ([-0.658478948462408354, 0.658478948462408354], true))
    // ln(2 ± √3)
    case .sigmoid:
      return smooth(
        ([], true), ([0], true), ([-1.316957896924816709, 1.316957896924816709], true))
    case .softplus: return smooth(([], true), ([], true), ([0], true))
    case .exponential: return smooth(([], true), ([], true), ([], true))
    case .square: return smooth(([0], false), ([], true), ([], true))
    default: return nil
    }
  }

  // MARK: Values

  /// φ, φ′ and φ″; of piecewise linear functions only the place.
  package func values(at z: Double) -> Values {
    if pieces != nil { return Values(place: z, derivatives: (.zero, .zero, .zero)) }
    return Self.values(activation, at: z)
  }

  /// Enclosures from the product's exponential (0.6 ulp), logarithm (0.6 ulp) and hyperbolic tangent (4 ulp) with at
  /// least one unit more each.
  private static func values(_ activation: Activation, at z: Double) -> Values {
    func result(_ a: Bound, _ b: Bound, _ c: Bound) -> Values {
      Values(place: z, derivatives: (a, b, c))
    }
    guard z.isFinite else { return limit(activation, z) }
    switch activation {
    case .square: return result(z * Bound(z), Bound(2 * z), Bound(2))
    case .exponential:
      let power = positive(.around(.exp(z), ulps: 2))
      return result(power, power, power)
    case .tanh:
      let t = within(.around(.tanh(z), ulps: 5), -1, 1)
      let slope = (1 - t) * (t + 1)
      return result(t, slope, (-2 * t) * slope)
    default: break
    }
    // e^−|z| does not overflow.
    let power = within(.around(.exp(-abs(z)), ulps: 2), 0, 1)
    let divisor = power + 1
    let (large, small) = (Bound(1) / divisor, power / divisor)
    let slope = large * small
    let (s, tilt) = z >= 0 ? (large, small - large) : (small, large - small)
    switch activation {
    case .sigmoid: return result(s, slope, slope * tilt)
    case .softplus:
      let logarithm = positive(.around(.log(onePlus: .exp(-abs(z))), ulps: 4))
      return result(logarithm + max(z, 0), s, slope)
    default:
      return result(z * s, s + z * slope, slope * (z * tilt + 2))
    }
  }

  private static func positive(_ range: Bound) -> Bound {
    Bound(lower: max(0, range.lower), upper: range.upper)
  }

  private static func within(_ range: Bound, _ low: Double, _ high: Double) -> Bound {
    Bound(lower: max(low, range.lower), upper: min(high, range.upper))
  }

  /// At an infinite end of an interval.
  private static func limit(_ activation: Activation, _ z: Double) -> Values {
    let (value, slope, curvature): (Double, Double, Double) =
      switch activation {
      case .square: (.infinity, z, 2)
      case .exponential: z > 0 ? (.infinity, .infinity, .infinity) : (0, 0, 0)
      case .tanh: (z > 0 ? 1 : -1, 0, 0)
      case .sigmoid: (z > 0 ? 1 : 0, 0, 0)
      default: z > 0 ? (.infinity, 1, 0) : (0, 0, 0)
      }
    return Values(place: z, derivatives: (Bound(value), Bound(slope), Bound(curvature)))
  }

  // MARK: Ranges

  /// All values that a derivative takes over an interval.
  ///
  /// - Parameters:
  ///   - order: 0 for φ, 1 for φ′, 2 for φ″; of piecewise linear functions φ′ at a kink is everything between its
  ///     sides, and φ″ there is anything.
  ///   - low: the values at the lower end.
  ///   - high: those at the upper end.
  package func range(_ order: Int, _ low: Values, _ high: Values) -> Bound {
    if let pieces { return piecewiseRange(order, from: low.place, to: high.place, pieces) }
    var result = low[order].hull(high[order])
    for extreme in extremes[order]
    where extreme.place >= low.place - Zeros.error && extreme.place <= high.place + Zeros.error {
      result = result.hull(extreme.value)
    }
    return result
  }

  private func piecewiseRange(
    _ order: Int, from low: Double, to high: Double, _ pieces: Pieces
  ) -> Bound {
    let (slopes, kinks) = (pieces.slopes, pieces.kinks)
    let first = kinks.firstIndex { $0.place >= low } ?? kinks.count
    let last = kinks.lastIndex { $0.place <= high }.map { $0 + 1 } ?? 0
    if order == 2 { return first >= last ? .zero : .everything }
    if order == 1 {
      var result = Bound(slopes[first])
      for piece in first...max(first, last) { result = result.hull(Bound(slopes[piece])) }
      return result
    }
    var result = piecewise(low, pieces).hull(piecewise(high, pieces))
    for kink in kinks where low < kink.place && kink.place < high {
      result = result.hull(Bound(kink.value))
    }
    return result
  }

  private func piecewise(_ z: Double, _ pieces: Pieces) -> Bound {
    let (slopes, kinks) = (pieces.slopes, pieces.kinks)
    guard let index = kinks.firstIndex(where: { z <= $0.place }) else {
      guard let last = kinks.last else { return exact(slopes[0], z) }
      if last.place == 0 { return exact(slopes[kinks.count], z) }
      return Bound(last.value) + slopes[kinks.count] * (Bound(z) - Bound(last.place))
    }
    let kink = kinks[index]
    if kink.place == 0 { return exact(slopes[index], z) }
    return Bound(kink.value) + slopes[index] * (Bound(z) - Bound(kink.place))
  }

  private func exact(_ slope: Double, _ z: Double) -> Bound {
    slope == 0 ? .zero : slope == 1 ? Bound(z) : slope == -1 ? Bound(-z) : slope * Bound(z)
  }
}
