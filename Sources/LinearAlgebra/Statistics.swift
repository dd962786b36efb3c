extension Collection where Element == Double {
  /// Arithmetic mean; NaN when empty.
  public var mean: Double { reduce(0, +) / Double(count) }

  /// Population standard deviation √(Σ(x − x̄)²/n), in two passes.
  public var standardDeviation: Double {
    let centre = mean
    return (reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(count)).squareRoot()
  }

  /// The middle value, or the mean of the two middle ones; NaN when empty.
  public var median: Double {
    guard !isEmpty else { return .nan }
    let ordered = sorted()
    let half = ordered.count / 2
    return ordered.count % 2 == 1 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2
  }
}

/// Two-sided quantile t with P(|T| ≤ t) = `confidence` for Student's distribution with an integer
/// number of degrees of freedom, by bisection on its exact finite series
/// (Abramowitz & Stegun 1964, 26.7.3–4).
///
/// - Precondition: `degrees ≥ 1`, `0 < confidence < 1`.
public func studentQuantile(confidence: Double, degrees: Int) -> Double {
  precondition(degrees >= 1 && confidence > 0 && confidence < 1)
  var low = 0.0
  var high = 1.0
  while studentCoverage(high, degrees: degrees) < confidence { high *= 2 }
  for _ in 0..<200 where high - low > 1e-14 * high {
    let middle = (low + high) / 2
    if studentCoverage(middle, degrees: degrees) < confidence {
      low = middle
    } else {
      high = middle
    }
  }
  return (low + high) / 2
}

/// P(|T| ≤ t) for Student's distribution.
private func studentCoverage(_ t: Double, degrees: Int) -> Double {
  let angle = Double.atan(t / Double(degrees).squareRoot())
  let cosine = Double.cos(angle)
  var term = degrees % 2 == 1 ? cosine : 1.0
  var sum = degrees == 1 ? 0.0 : term
  // The series ends at cos^(ν−2) θ.
  var power = degrees % 2 == 1 ? 1 : 0
  while power + 2 <= degrees - 2 {
    term *= cosine * cosine * Double(power + 1) / Double(power + 2)
    sum += term
    power += 2
  }
  return degrees % 2 == 1 ? 2 / .pi * (angle + Double.sin(angle) * sum) : Double.sin(angle) * sum
}

extension [Double] {
  /// The value below which this share of these ordered values lies, linear between neighbours; NaN for none.
  public func quantile(_ share: Double) -> Double {
    guard !isEmpty else { return .nan }
    let place = share * Double(count - 1)
    let low = Int(place)
    let high = Swift.min(low + 1, count - 1)
    return self[low] + (place - Double(low)) * (self[high] - self[low])
  }
}

/// How far the means of two samples differ, second minus first, with an interval by Welch's degrees of freedom
/// (Biometrika 34, 1947; rounded down). Nil for fewer than two values, or where neither sample varies.
public func meanDifference(_ first: [Double], _ second: [Double], confidence: Double = 0.95) -> (
  change: Double, interval: ClosedRange<Double>
)? {
  guard first.count > 1, second.count > 1 else { return nil }
  func squaredError(_ values: [Double]) -> Double {
    let deviation = values.standardDeviation
    return deviation * deviation / Double(values.count - 1)
  }
  let (a, b) = (squaredError(first), squaredError(second))
  guard a + b > 1e-15 else { return nil }
  let degrees =
    (a + b) * (a + b) / (a * a / Double(first.count - 1) + b * b / Double(second.count - 1))
  let change = second.mean - first.mean
  let reach =
    studentQuantile(confidence: confidence, degrees: max(1, Int(degrees))) * (a + b).squareRoot()
  return (change, (change - reach)...(change + reach))
}
