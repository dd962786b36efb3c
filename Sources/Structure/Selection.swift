import Evidence
import Foundation
import LinearAlgebra
import Networks

/// Which pairs of output and input count: the one rule of all tables, drawings and studies.
///
/// A pair is *connected* where a path of weights leads from the input to the output. Over data it is *relevant* where
/// its R = mean |∂f/∂z| in standardised units lies above a threshold, zero or more. R is zero exactly where no path is
/// left, so that every relevant pair is connected.
public struct PairSelection: Equatable, Sendable {
  /// R above which a pair counts; nil where every connected pair does.
  public let threshold: Double?

  /// Every connected pair.
  public static let connected = PairSelection(threshold: nil)

  /// The threshold of relevance where nobody says another.
  public static let usualThreshold = EnsembleEvidence.relevanceThreshold

  /// - Precondition: the threshold is not negative.
  public static func relevant(above threshold: Double = usualThreshold) -> PairSelection {
    precondition(threshold >= 0)
    return PairSelection(threshold: threshold)
  }

  private init(threshold: Double?) { self.threshold = threshold }

  /// Whether a pair of this R counts; without a threshold, whether any path carries it.
  public func selects(_ relevance: Double) -> Bool { relevance > threshold ?? 0 }

  /// What each member of an ensemble selects by its own relevances.
  /// - Parameter relevances: members × pairs.
  public func selection(of relevances: [[Double]]) -> Selection {
    Selection(chosen: relevances.map { $0.map(selects) })
  }

  /// - Parameters:
  ///   - ensemble: whose members choose.
  ///   - relevance: of its members over data; where there is none, paths decide.
  public func selection(of ensemble: Ensemble, _ relevance: EnsembleRelevance?) -> Selection {
    guard threshold != nil, let relevance else { return Selection(connectedPairsOf: ensemble) }
    return selection(of: relevance.members.map(\.meanMagnitude.elements))
  }

  /// "connected by a path", "mean |J| above 0.01"
  public var words: String {
    threshold.map { String(format: "mean |J| above %.3g", $0) } ?? "connected by a path"
  }
}

/// Which input-output pairs each member of an ensemble selects, and how far the members agree.
///
/// The statistics of Nogueira, Sechidis & Brown, *On the stability of feature selection algorithms*
/// (JMLR 18, 2018), with M members and d pairs.
public struct Selection: Equatable, Sendable {
  /// M rows of d choices.
  public let chosen: [[Bool]]

  /// - Precondition: at least one member, all with the same number of pairs.
  public init(chosen: [[Bool]]) {
    precondition(!chosen.isEmpty && chosen.allSatisfy { $0.count == chosen[0].count })
    self.chosen = chosen
  }

  public var memberCount: Int { chosen.count }
  public var pairCount: Int { chosen[0].count }

  /// p_f: share of the members that select each pair.
  public var frequency: [Double] {
    (0..<pairCount).map { pair in
      Double(chosen.count { $0[pair] }) / Double(memberCount)
    }
  }

  /// Pairs that more than half of the members select.
  public var consensus: [Bool] {
    (0..<pairCount).map { pair in 2 * chosen.count { $0[pair] } > memberCount }
  }

  /// Whether all members select the same pairs.
  public var isUnanimous: Bool { chosen.allSatisfy { $0 == chosen[0] } }

  /// Φ = 1 − M/(M−1) · mean_f[p_f (1 − p_f)] / [(k̄/d)(1 − k̄/d)] (their equation 4): 1 if all members agree, 0 for
  /// random choices. Nil where it is undefined: one member, or members that all select all pairs or no pair.
  public var stability: Double? {
    guard memberCount > 1 else { return nil }
    let m = Double(memberCount)
    let share = meanShare
    let random = share * (1 - share)
    let selected = chosen.reduce(0) { $0 + $1.count { $0 } }
    guard selected > 0 && selected < memberCount * pairCount else { return nil }
    let variance = frequency.map { $0 * (1 - $0) }.mean
    return 1 - m / (m - 1) * variance / random
  }

  /// k̄/d
  private var meanShare: Double { frequency.mean }

  /// Var Φ by their theorem 7 (asymptotic in M); nil where Φ is.
  public var asymptoticVariance: Double? {
    guard let stability else { return nil }
    let d = Double(pairCount)
    let m = Double(memberCount)
    let p = frequency
    let mean = meanShare * d
    let random = meanShare * (1 - meanShare)
    let influence = chosen.map { row -> Double in
      let size = Double(row.count { $0 })
      let overlap = zip(row, p).reduce(0) { $0 + ($1.0 ? $1.1 : 0) } / d
      let correction = 2 * size * mean / (d * d) - size / d - mean / d + 1
      return (overlap - size * mean / (d * d) + stability / 2 * correction) / random
    }
    let centre = influence.mean
    return 4 / (m * m) * influence.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
  }

  /// An interval for Φ at the given confidence by the jackknife over members: pseudo-values M Φ − (M − 1) Φ₍₋ᵢ₎,
  /// their mean ± t_{M−1} times its standard error, clipped at 1. Unlike the asymptotic interval it keeps its level
  /// with as few as four members. Nil below three members, or where leaving one out makes Φ undefined.
  public func jackknifeInterval(confidence: Double = 0.95) -> ClosedRange<Double>? {
    guard let values = pseudoValues else { return nil }
    let centre = values.mean
    let error = values.standardDeviation / Double(memberCount - 1).squareRoot()
    let reach = studentQuantile(confidence: confidence, degrees: memberCount - 1) * error
    return (centre - reach)...max(centre - reach, min(1, centre + reach))
  }

  /// The difference between the Φ of two ensembles.
  public struct Difference: Equatable, Sendable {
    public var stability: Double
    public var interval: ClosedRange<Double>

    /// Whether the interval excludes zero.
    public var isClear: Bool { !interval.contains(0) }
  }

  /// Second Φ minus first, with an interval by the jackknife over the members of both and Welch's degrees of
  /// freedom. Nil where a Φ is undefined, an ensemble has fewer than three members, or neither varies.
  public static func jackknifeDifference(
    _ first: Selection, _ second: Selection, confidence: Double = 0.95
  ) -> Difference? {
    guard let a = first.pseudoValues, let b = second.pseudoValues,
      let found = meanDifference(a, b, confidence: confidence)
    else { return nil }
    return Difference(stability: found.change, interval: found.interval)
  }

  /// M Φ − (M − 1) Φ₍₋ᵢ₎ for each member i; nil below three members, or where a Φ is undefined.
  private var pseudoValues: [Double]? {
    guard let stability, memberCount >= 3 else { return nil }
    let m = Double(memberCount)
    var values: [Double] = []
    for left in chosen.indices {
      var others = chosen
      others.remove(at: left)
      guard let without = Selection(chosen: others).stability else { return nil }
      values.append(m * stability - (m - 1) * without)
    }
    return values
  }

  /// Stability selection's bound on the expected number of pairs that at least a share π of members trained on
  /// random halves selects by chance: E[V] ≤ q²/((2π − 1) d) with q the mean number selected (Meinshausen &
  /// Bühlmann, J. R. Stat. Soc. B 72, 2010, theorem 1; it assumes that pairs without effect are all equally likely
  /// to be selected, and that the selection is no worse than random).
  ///
  /// - Parameter share: π, above ½.
  public func expectedByChance(share: Double) -> Double {
    let selected = chosen.map { Double($0.count { $0 }) }.mean
    return selected * selected / ((2 * share - 1) * Double(pairCount))
  }

  /// Pairs that at least this share of the members selects.
  public func selected(byShare share: Double) -> Int {
    frequency.count { $0 >= share - 1e-12 }
  }

  /// An interval for Φ by the bootstrap: quantiles of Φ over members drawn with replacement. With few members it is
  /// too short (a member drawn twice agrees with itself); nil where most draws leave Φ undefined.
  public func bootstrapInterval(
    draws: Int = 2000, confidence: Double = 0.95, seed: UInt64 = 0
  ) -> ClosedRange<Double>? {
    guard memberCount >= 3 else { return nil }
    var stream = RandomStream(seed: seed, path: [4])
    var values = (0..<draws).compactMap { _ in
      Selection(
        chosen: chosen.map { _ in chosen[stream.integer(in: 0...(memberCount - 1))] }
      ).stability
    }
    guard 2 * values.count > draws else { return nil }
    values.sort()
    return values.quantile((1 - confidence) / 2)...values.quantile((1 + confidence) / 2)
  }

  /// |A ∩ B|/|A ∪ B| of each pair of members, 1 for two empty selections; members × members.
  public var jaccard: Matrix {
    Matrix(rows: memberCount, columns: memberCount) { a, b in
      let both = zip(chosen[a], chosen[b]).count { $0 && $1 }
      let either = zip(chosen[a], chosen[b]).count { $0 || $1 }
      return either == 0 ? 1 : Double(both) / Double(either)
    }
  }

  /// The members whose mean Jaccard index with the others lies below the median by more than four times the usual
  /// spread (the median absolute deviation, scaled to a normal distribution's) and by at least 0.05. Empty below
  /// four members.
  public var membersApart: [Int] {
    guard memberCount >= 4 else { return [] }
    let jaccard = jaccard
    let closeness = (0..<memberCount).map { member in
      (jaccard.row(member).reduce(0, +) - 1) / Double(memberCount - 1)
    }
    let middle = closeness.median
    let usual = 1.4826 * closeness.map { abs($0 - middle) }.median
    return closeness.indices.filter { closeness[$0] < middle - max(4 * usual, 0.05) }
  }

  /// The member that agrees most with the others by mean Jaccard; the first of equals.
  public var mostTypicalMember: Int {
    let jaccard = jaccard
    let closeness = (0..<memberCount).map { jaccard.row($0).reduce(0, +) }
    return closeness.indices.max { (closeness[$0], -$0) < (closeness[$1], -$1) } ?? 0
  }

  /// Mean over pairs of members of |A ∩ B|/|A ∪ B|; two empty selections count as 1. Nil for one member. Not
  /// corrected for chance: large selections agree by chance alone.
  public var meanJaccard: Double? {
    guard memberCount > 1 else { return nil }
    let all = Double(memberCount)
    return (jaccard.elements.reduce(0, +) - all) / (all * (all - 1))
  }

  /// T = (Φ₂ − Φ₁)/√(Var₁ + Var₂), their section 5.3, to compare two ensembles; nil where either Φ is
  /// undefined or neither varies.
  public static func difference(_ first: Selection, _ second: Selection) -> Double? {
    guard let phi1 = first.stability, let phi2 = second.stability,
      let variance1 = first.asymptoticVariance, let variance2 = second.asymptoticVariance,
      variance1 + variance2 > 1e-15
    else { return nil }
    return (phi2 - phi1) / (variance1 + variance2).squareRoot()
  }
}

extension Selection {
  /// The pairs that each member of an ensemble connects by some remaining path.
  public init(connectedPairsOf ensemble: Ensemble) {
    self.init(
      chosen: ensemble.members.map { member in
        PathAnalysis(member.network).counts.flatMap { row in row.map { $0 != 0 } }
      })
  }
}
