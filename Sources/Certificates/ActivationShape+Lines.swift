import LinearAlgebra

/// Lines below and above an activation or its slope over an interval (Zhang et al. 2018, CROWN; Shi et al. 2022 for
/// slopes). Slopes are chosen as is best in the middle of the interval; offsets are rounded so that the lines hold
/// whatever the slopes.
extension ActivationShape {
  /// - Parameters:
  ///   - order: 0 for φ, 1 for φ′.
  ///   - low: the values at the lower end.
  ///   - high: those at the upper end.
  ///   - range: the function's, over the interval.
  func lines(_ order: Int, _ low: Values, _ high: Values, range: Bound) -> Lines {
    let constant = Lines(lowOffset: range.lower, highOffset: range.upper)
    // Where rounding would decide the slope a line gains nothing.
    guard low.place.isFinite, high.place.isFinite, range.isFinite,
      high.place - low.place > 1e-9 * (1 + abs(low.place))
    else { return constant }
    if let pieces { return piecewiseLines(order, low.place, high.place, pieces) }
    return smoothLines(order, low, high)
  }

  // MARK: Piecewise linear functions

  /// The graph's corners span it: lines above all corners are above the graph.
  private func piecewiseLines(
    _ order: Int, _ low: Double, _ high: Double, _ pieces: Pieces
  ) -> Lines {
    let corners = corners(order, low, high, pieces)
    let middle = low / 2 + high / 2
    var lines = Lines()
    var (bestLow, bestHigh) = (-Double.infinity, Double.infinity)
    func consider(_ slope: Double) {
      guard slope.isFinite else { return }
      var (lowest, highest) = (Double.infinity, -Double.infinity)
      for corner in corners {
        let rest = corner.value - slope * Bound(corner.place)
        lowest = min(lowest, rest.lower)
        highest = max(highest, rest.upper)
      }
      if lowest + slope * middle > bestLow {
        bestLow = lowest + slope * middle
        (lines.lowSlope, lines.lowOffset) = (slope, lowest)
      }
      if highest + slope * middle < bestHigh {
        bestHigh = highest + slope * middle
        (lines.highSlope, lines.highOffset) = (slope, highest)
      }
    }
    consider(0)
    for first in corners.indices {
      for second in corners.indices.dropFirst(first + 1)
      where corners[second].place > corners[first].place {
        consider(
          (corners[second].value.middle - corners[first].value.middle)
            / (corners[second].place - corners[first].place))
      }
    }
    return lines
  }

  private func corners(
    _ order: Int, _ low: Double, _ high: Double, _ pieces: Pieces
  ) -> [(place: Double, value: Bound)] {
    func end(_ z: Double) -> (place: Double, value: Bound) {
      let values = values(at: z)
      return (z, range(order, values, values))
    }
    var result = [end(low)]
    for (index, kink) in pieces.kinks.enumerated() where low < kink.place && kink.place < high {
      if order == 0 {
        result.append((kink.place, Bound(kink.value)))
      } else {
        result.append((kink.place, Bound(pieces.slopes[index])))
        result.append((kink.place, Bound(pieces.slopes[index + 1])))
      }
    }
    result.append(end(high))
    return result
  }

  // MARK: Smooth functions

  private func smoothLines(_ order: Int, _ low: Values, _ high: Values) -> Lines {
    let zeros = zeros[order + 1]
    let centre = values(at: low.place / 2 + high.place / 2)
    let width = Bound(high.place) - Bound(low.place)
    let chord = (high[order].middle - low[order].middle) / (high.place - low.place)
    let tangent = centre[order + 1].middle
    // The turns inside, as far as they are known.
    var (first, end) = (0, 0)
    for place in zeros.places {
      if place + Zeros.error <= low.place { first += 1 }
      if place - Zeros.error < high.place { end += 1 }
    }
    var lines = Lines()
    if first == end {
      let isConvex = zeros.isPositive(first)
      // A tangent whose slope was rounded is off by no more than that times the width.
      let touch = centre[order] - tangent * Bound(centre.place)
      let off = (centre[order + 1] - Bound(tangent)).magnitude * width
      let ends = (low[order] - chord * Bound(low.place), high[order] - chord * Bound(high.place))
      if isConvex {
        (lines.lowSlope, lines.lowOffset) = (tangent, R.down(touch.lower - off.upper))
        (lines.highSlope, lines.highOffset) = (chord, max(ends.0.upper, ends.1.upper))
      } else {
        (lines.highSlope, lines.highOffset) = (tangent, R.up(touch.upper + off.upper))
        (lines.lowSlope, lines.lowOffset) = (chord, min(ends.0.lower, ends.1.lower))
      }
      return lines
    }
    let span = Span(
      shape: self, order: order, low: low, high: high,
      turns: first..<end, startsConvex: zeros.isPositive(first))
    var (bestLow, bestHigh) = (-Double.infinity, Double.infinity)
    for slope in [chord, tangent] {
      let highest = span.highest(sign: 1, slope: slope)
      if highest + slope * centre.place < bestHigh {
        bestHigh = highest + slope * centre.place
        (lines.highSlope, lines.highOffset) = (slope, highest)
      }
      let lowest = -span.highest(sign: -1, slope: slope)
      if lowest + slope * centre.place > bestLow {
        bestLow = lowest + slope * centre.place
        (lines.lowSlope, lines.lowOffset) = (slope, lowest)
      }
    }
    return lines
  }

  /// A function over an interval in which it turns from convex to concave or back.
  private struct Span {
    let shape: ActivationShape
    let order: Int
    let low: Values
    let high: Values
    /// By number, at least one.
    let turns: Range<Int>
    let startsConvex: Bool

    /// An upper bound of ±(h(z) − slope · z) over the interval, h being φ or φ′.
    func highest(sign: Double, slope: Double) -> Double {
      func rest(_ at: Values) -> Double {
        (sign * (at[order] - slope * Bound(at.place))).upper
      }
      var result = max(rest(low), rest(high))
      // The turn itself is known to within an error; no slope of these functions exceeds 2.
      let reach = R.up(R.up(2 + abs(slope)) * (2 * Zeros.error))
      for turn in turns {
        result = max(result, R.up(rest(shape.turns[order][turn]) + reach))
      }
      for piece in 0...turns.count {
        let isConvex = startsConvex == (piece % 2 == 0)
        guard isConvex == (sign < 0) else { continue }
        // The function times the sign is concave there: it stays below every tangent.
        let number = turns.lowerBound + piece
        let a = piece == 0 ? low : shape.turns[order][number - 1]
        let b = piece == turns.count ? high : shape.turns[order][number]
        let touch = touch(from: a, to: b, slope: slope, sign: sign)
        let tilt = sign * (touch[order + 1] - Bound(slope))
        let forward = tilt.upper * max(0, R.up(b.place - touch.place))
        let backward = -tilt.lower * max(0, R.up(touch.place - a.place))
        result = max(result, R.up(rest(touch) + R.up(max(0, max(forward, backward)))))
      }
      return result
    }

    /// Where the slope is about that given, or the end towards which it would be; regula falsi with halving
    /// (Illinois). However far off, the tangent there bounds the function.
    private func touch(from a: Values, to b: Values, slope: Double, sign: Double) -> Values {
      var (x, y) = (a.place, b.place)
      var fx = sign * (a[order + 1].middle - slope)
      var fy = sign * (b[order + 1].middle - slope)
      if fx <= 0 { return a }
      if fy >= 0 { return b }
      var z = x
      for _ in 0..<8 {
        z = min(y, max(x, (x * fy - y * fx) / (fy - fx)))
        let derivative =
          order == 0 ? shape.activation.slope(z) : shape.activation.curvature(z)
        let f = sign * (derivative - slope)
        if abs(f) < 1e-4 { break }
        if f > 0 {
          (x, fx) = (z, f)
          fy /= 2
        } else {
          (y, fy) = (z, f)
          fx /= 2
        }
      }
      return shape.values(at: z)
    }
  }
}
