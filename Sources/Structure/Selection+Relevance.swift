import Networks

extension Selection {
  /// The pairs that each member of an ensemble connects by some remaining path, and whose relevance exceeds a
  /// threshold.
  ///
  /// - Parameters:
  ///   - ensemble: whose members select.
  ///   - relevance: of the members, over data.
  ///   - threshold: of mean |J| in standardised units.
  /// - Precondition: `relevance` is that of `ensemble`.
  public init(
    relevantPairsOf ensemble: Ensemble, _ relevance: EnsembleRelevance,
    above threshold: Double = PairSelection.usualThreshold
  ) {
    self = PairSelection.relevant(above: threshold).selection(of: ensemble, relevance)
  }
}
