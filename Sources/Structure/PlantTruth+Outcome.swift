extension PlantTruth {
  /// What a known plant says of a pair that is selected, or is not.
  public enum Outcome: Sendable, CaseIterable {
    case found
    case missed
    case spurious
    /// Too weak to count, selected or not.
    case weakFound
    case weakNotFound
    case rightlyAbsent

    /// Whether plant and selection differ, or the pair counts neither way.
    var isWorthTelling: Bool { self != .found && self != .rightlyAbsent }
  }

  public func outcome(_ output: Int, _ input: Int, isSelected: Bool) -> Outcome {
    switch (grade(output, input), isSelected) {
    case (.real, true): .found
    case (.real, false): .missed
    case (.absent, true): .spurious
    case (.absent, false): .rightlyAbsent
    case (.uncertain, true): .weakFound
    case (.uncertain, false): .weakNotFound
    }
  }
}
