import LinearAlgebra

/// How similarly several raters order the same items.
public enum Ranking {
  /// Ranks from 1; equal values share the mean of their ranks. Also the sum of t³ − t over the groups of equal
  /// values, t their sizes.
  package static func ranks(_ values: [Double]) -> (ranks: [Double], ties: Double) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var ties = 0.0
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
      let size = Double(last - first + 1)
      ties += size * size * size - size
      first = last + 1
    }
    return (ranks, ties)
  }

  /// Kendall's coefficient of concordance with correction for ties: W = 12 S/(M²(n³ − n) − M T), S the sum of
  /// squared distances of the items' rank sums from their mean, T the sum over raters of t³ − t: 1 if all raters
  /// have one order, about 1/M for random orders (Kendall & Smith 1939).
  ///
  /// - Parameter ratings: M raters of n values each.
  /// - Returns: nil for fewer than two raters or items, or if no rater distinguishes any items.
  public static func concordance(_ ratings: [[Double]]) -> Double? {
    guard ratings.count > 1, let count = ratings.first?.count, count > 1 else { return nil }
    let ranked = ratings.map(ranks)
    let sums = (0..<count).map { item in ranked.reduce(0) { $0 + $1.ranks[item] } }
    let centre = sums.mean
    let squares = sums.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    let (m, n) = (Double(ratings.count), Double(count))
    let most = m * m * (n * n * n - n) - m * ranked.reduce(0) { $0 + $1.ties }
    return most > 0 ? 12 * squares / most : nil
  }

  /// Spearman's rank correlation: Pearson's correlation of the ranks. Nil if either list is constant.
  public static func correlation(_ a: [Double], _ b: [Double]) -> Double? {
    precondition(a.count == b.count)
    let (x, y) = (ranks(a).ranks, ranks(b).ranks)
    guard let centre = x.isEmpty ? nil : x.mean else { return nil }
    let product = zip(x, y).reduce(0) { $0 + ($1.0 - centre) * ($1.1 - centre) }
    let squares =
      x.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
      * y.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    return squares > 0 ? product / squares.squareRoot() : nil
  }
}

/// Precision and recall of pairs selected by a score, over all thresholds.
public struct PrecisionRecallCurve: Equatable, Sendable {
  public struct Point: Equatable, Codable, Sendable {
    /// Pairs with at least this score are selected.
    public var threshold: Double
    public var precision: Double
    public var recall: Double

    /// Harmonic mean of both.
    public var f1: Double {
      precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }
  }

  /// By falling threshold, one for each score that occurs.
  public let points: [Point]

  /// - Parameters:
  ///   - scores: −∞ for what can never be selected.
  ///   - isReal: nil for pairs that count neither way.
  public init(scores: [Double], isReal: [Bool?]) {
    precondition(scores.count == isReal.count)
    let counted = zip(scores, isReal).compactMap { score, real in real.map { (score, $0) } }
      .sorted { $0.0 > $1.0 }
    let total = counted.count { $0.1 }
    var points: [Point] = []
    var found = 0
    for (index, item) in counted.enumerated() {
      if item.1 { found += 1 }
      guard item.0 > -.infinity else { break }
      let isLastOfEquals = index + 1 == counted.count || counted[index + 1].0 < item.0
      guard isLastOfEquals else { continue }
      points.append(
        Point(
          threshold: item.0, precision: Double(found) / Double(index + 1),
          recall: total > 0 ? Double(found) / Double(total) : 0))
    }
    self.points = points
  }

  /// Σ (recall_k − recall_{k−1}) precision_k: the area under the steps of the curve.
  public var averagePrecision: Double {
    zip(points, [0] + points.map(\.recall)).reduce(0) { $0 + ($1.0.recall - $1.1) * $1.0.precision }
  }

  /// The point of highest F1; of equal points that of the highest threshold.
  public var best: Point? {
    points.max { ($0.f1, $0.threshold) < ($1.f1, $1.threshold) }
  }
}
