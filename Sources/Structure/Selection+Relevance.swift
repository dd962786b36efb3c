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
    above threshold: Double = PlantTruth.realAbove
  ) {
    let connected = Selection(connectedPairsOf: ensemble)
    self.init(
      chosen: zip(connected.chosen, relevance.members).map { connected, member in
        zip(connected, member.meanMagnitude.elements).map { $0 && $1 > threshold }
      })
  }
}
