/// A verdict on an input's effect on a rate, after equivalence testing (Schuirmann 1987).
public enum Verdict: String, Codable, CaseIterable, Sendable {
  /// A one-sided test at 5 % finds the effect above the threshold of relevance.
  case present
  /// A proven effect whose interval lies below the threshold.
  case weak
  /// The interval lies below the threshold, and neither effect nor cost can be told from zero.
  case absent
  /// The interval reaches from below the threshold to above it, or another input explains as much.
  case undecided
}

/// The evidence on one input's effect on one rate.
public struct PairEvidence: Equatable, Codable, Sendable {
  /// R = mean |∂f/∂z| in standardised units, corrected for what smoothing blurs and for what noise adds to a mean of
  /// magnitudes.
  public var effect: Double
  /// A 95 % interval for R; nil where there is no upper limit.
  public var low: Double
  public var high: Double?
  /// Mean ∂f/∂z, with its sign.
  public var signed: Double
  /// How much the mean squared error on held-out rows rises without the input, in units of the rate's variance,
  /// and its standard error.
  public var cost: Double
  public var costError: Double?
  /// Clark and West's statistic of that comparison.
  public var statistic: Double
  public var verdict: Verdict

  public init(
    effect: Double, low: Double, high: Double?, signed: Double, cost: Double, costError: Double?,
    statistic: Double, verdict: Verdict
  ) {
    self.effect = effect
    self.low = low
    self.high = high
    self.signed = signed
    self.cost = cost
    self.costError = costError
    self.statistic = statistic
    self.verdict = verdict
  }
}

/// The evidence of all members of an ensemble together, for every pair.
public struct EnsembleEvidence: Equatable, Codable, Sendable {
  public static let relevanceThreshold = 0.01

  public var outputs: [String]
  public var inputs: [String]
  /// outputs × inputs
  public var pairs: [[PairEvidence]]
  /// For each output, the share of its variance on held-out rows that the common structure explains; nil where
  /// nothing was held out.
  public var explained: [Double?]
  /// members × outputs × inputs: the pairs that each member finds alone, before anything is pooled.
  public var alone: [[[Bool]]]
  /// Inputs of a rate among which the data cannot decide: per output, lists of the inputs' numbers.
  public var groups: [[[Int]]]

  public init(
    outputs: [String], inputs: [String], pairs: [[PairEvidence]], explained: [Double?],
    alone: [[[Bool]]], groups: [[[Int]]]
  ) {
    self.outputs = outputs
    self.inputs = inputs
    self.pairs = pairs
    self.explained = explained
    self.alone = alone
    self.groups = groups
  }
}
