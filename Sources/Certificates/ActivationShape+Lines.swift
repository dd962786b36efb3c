import LinearAlgebra

/// Lines below and above an activation or its slope over an interval (Zhang et al. 2018, CROWN; Shi et al. 2022 for
/// slopes). Slopes are chosen as is best in the middle of the interval; offsets are rounded so that the lines hold
/// whatever the slopes.
extension ActivationShape {
  /// - Parameters:
  ///   - order: 0 for φ, 1 for φ′.
  ///   - isAbove: whether the line is to lie above the function, else below.
  ///   - low: the values at the lower end.
  ///   - high: those at the upper end.
  ///   - range: the function's, over the interval.
  package func line(_ order: Int, above isAbove: Bool, _ low: Values, _ high: Values, range: Bound)
    -> Line
  {
    // Where rounding would decide the slope a line gains nothing.
    guard low.place.isFinite, high.place.isFinite, range.isFinite,
      high.place - low.place > 1e-9 * (1 + abs(low.place))
    else { return Line(offset: isAbove ? range.upper : range.lower) }
    // A line below h is minus one above −h.
    let sign = isAbove ? 1.0 : -1
    let line: Line
    if let pieces {
      line = piecewiseLine(order, sign, low.place, high.place, pieces)
    } else {
      line = smoothLine(order, sign, low, high)
    }
    return Line(slope: line.slope, offset: sign * line.offset)
  }

  // MARK: Piecewise linear functions

  /// The graph's corners span it: a line above all corners is above the graph. The slope is of the function, the
  /// offset of the function times the sign.
  private func piecewiseLine(
    _ order: Int, _ sign: Double, _ low: Double, _ high: Double, _ pieces: Pieces
  ) -> Line {
    let corners = corners(order, low, high, pieces)
    let middle = low / 2 + high / 2
    var best = Line(offset: .infinity)
    func consider(_ slope: Double) {
      guard slope.isFinite else { return }
      var highest = -Double.infinity
      for corner in corners {
        highest = max(highest, (sign * (corner.value - slope * Bound(corner.place))).upper)
      }
      if highest + sign * slope * middle < best.offset + sign * best.slope * middle {
        best = Line(slope: slope, offset: highest)
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
    return best
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

  private func smoothLine(_ order: Int, _ sign: Double, _ low: Values, _ high: Values) -> Line {
    let zeros = zeros[order + 1]
    // The turns inside, as far as they are known.
    var (first, end) = (0, 0)
    for place in zeros.places {
      if place + Zeros.error <= low.place { first += 1 }
      if place - Zeros.error < high.place { end += 1 }
    }
    if first == end {
      let isConcave = zeros.isPositive(first) == (sign < 0)
      return isConcave ? tangent(order, sign, low, high) : chord(order, sign, low, high)
    }
    let span = Span(
      shape: self, order: order, sign: sign, low: low, high: high,
      turns: first..<end, startsConvex: zeros.isPositive(first))
    let middle = low.place / 2 + high.place / 2
    var best = Line(offset: .infinity)
    /// What the line touches, as far right and left of the middle as is known.
    var sides: (left: Span.Touch?, right: Span.Touch?) = (nil, nil)
    func consider(_ slope: Double) {
      let touch = span.highest(slope: slope)
      if touch.offset + sign * slope * middle < best.offset + sign * best.slope * middle {
        best = Line(slope: slope, offset: touch.offset)
      }
      if touch.place < middle { sides.left = touch } else { sides.right = touch }
    }
    consider((high[order].middle - low[order].middle) / (high.place - low.place))
    consider(slope(order, at: middle))
    // The height in the middle is convex in the slope: cutting planes, each through two touched points (Kelley 1960).
    for _ in 0..<2 {
      guard let left = sides.left, let right = sides.right, right.place > left.place else { break }
      consider((right.value - left.value) / (right.place - left.place))
    }
    return best
  }

  /// φ′ or φ″, to nearest.
  private func slope(_ order: Int, at z: Double) -> Double {
    order == 0 ? activation.slope(z) : activation.curvature(z)
  }

  /// Above what is concave, times the sign: a tangent whose slope was rounded is off by no more than that times the
  /// width.
  private func tangent(_ order: Int, _ sign: Double, _ low: Values, _ high: Values) -> Line {
    let centre = values(at: low.place / 2 + high.place / 2)
    let slope = centre[order + 1].middle
    let touch = sign * (centre[order] - slope * Bound(centre.place))
    let width = Bound(high.place) - Bound(low.place)
    let off = (centre[order + 1] - Bound(slope)).magnitude * width
    return Line(slope: slope, offset: R.up(touch.upper + off.upper))
  }

  /// Above what is convex, times the sign.
  private func chord(_ order: Int, _ sign: Double, _ low: Values, _ high: Values) -> Line {
    let slope = (high[order].middle - low[order].middle) / (high.place - low.place)
    let ends = (
      sign * (low[order] - slope * Bound(low.place)),
      sign * (high[order] - slope * Bound(high.place))
    )
    return Line(slope: slope, offset: max(ends.0.upper, ends.1.upper))
  }

  /// A function over an interval in which it turns from convex to concave or back.
  private struct Span {
    let shape: ActivationShape
    let order: Int
    let sign: Double
    let low: Values
    let high: Values
    /// By number, at least one.
    let turns: Range<Int>
    let startsConvex: Bool

    /// An upper bound of ±(h(z) − slope · z), and where about it is reached.
    struct Touch {
      var offset: Double
      var place: Double
      /// h(z)
      var value: Double
    }

    /// Over the interval, h being φ or φ′.
    func highest(slope: Double) -> Touch {
      func rest(_ at: Values) -> Double { (sign * (at[order] - slope * Bound(at.place))).upper }
      var result = Touch(offset: -.infinity, place: low.place, value: low[order].middle)
      func consider(_ offset: Double, _ at: Values) {
        if offset > result.offset {
          result = Touch(offset: offset, place: at.place, value: at[order].middle)
        }
      }
      consider(rest(low), low)
      consider(rest(high), high)
      // The turn itself is known to within an error; no slope of these functions exceeds 2.
      let reach = R.up(R.up(2 + abs(slope)) * (2 * Zeros.error))
      for turn in turns {
        let values = shape.turns[order][turn]
        consider(R.up(rest(values) + reach), values)
      }
      for piece in 0...turns.count {
        let isConvex = startsConvex == (piece % 2 == 0)
        guard isConvex == (sign < 0) else { continue }
        // The function times the sign is concave there: it stays below every tangent.
        let number = turns.lowerBound + piece
        let a = piece == 0 ? low : shape.turns[order][number - 1]
        let b = piece == turns.count ? high : shape.turns[order][number]
        let touch = touch(from: a, to: b, slope: slope)
        let tilt = sign * (touch[order + 1] - Bound(slope))
        let forward = tilt.upper * max(0, R.up(b.place - touch.place))
        let backward = -tilt.lower * max(0, R.up(touch.place - a.place))
        consider(R.up(rest(touch) + R.up(max(0, max(forward, backward)))), touch)
      }
      return result
    }

    /// Where the slope is about that given, or the end towards which it would be. However far off, the tangent there
    /// bounds the function.
    private func touch(from a: Values, to b: Values, slope: Double) -> Values {
      if sign * (a[order + 1].middle - slope) <= 0 { return a }
      if sign * (b[order + 1].middle - slope) >= 0 { return b }
      let samples = shape.samples[order]
      func number(_ z: Double) -> Double {
        min(
          Double(samples.count - 1),
          max(0, (z - ActivationShape.firstSample) / ActivationShape.step))
      }
      var low = Int(number(a.place).rounded(.up))
      var high = Int(number(b.place).rounded(.down))
      guard low < high else { return shape.values(at: a.place / 2 + b.place / 2) }
      // Between these the slope falls, times the sign.
      while high - low > 1 {
        let middle = (low + high) / 2
        if sign * (samples[middle] - slope) > 0 { low = middle } else { high = middle }
      }
      let (x, y) = (samples[low], samples[high])
      let share = x == y ? 0.5 : min(1, max(0, (slope - x) / (y - x)))
      let z = ActivationShape.firstSample + (Double(low) + share) * ActivationShape.step
      return shape.values(at: min(b.place, max(a.place, z)))
    }
  }
}
