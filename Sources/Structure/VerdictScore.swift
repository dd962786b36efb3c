import Evidence

/// Verdicts on pairs held against a known plant. Pairs that are too weak to count in the plant are left aside.
public struct VerdictScore: Equatable, Sendable {
  /// How many of the plant's pairs, and how many that are not there, have each verdict.
  public private(set) var real: [Verdict: Int] = [:]
  public private(set) var absent: [Verdict: Int] = [:]

  /// - Parameters:
  ///   - evidence: outputs × inputs, in the plant's order.
  ///   - truth: the plant that judges.
  public init(_ evidence: EnsembleEvidence, truth: PlantTruth) {
    for (output, row) in evidence.pairs.enumerated() {
      for (input, pair) in row.enumerated() {
        switch truth.grade(output, input) {
        case .real: real[pair.verdict, default: 0] += 1
        case .absent: absent[pair.verdict, default: 0] += 1
        case .uncertain: break
        }
      }
    }
  }

  private var found: Int { real[.present, default: 0] }
  private var spurious: Int { absent[.present, default: 0] }
  private var all: Int { (real.values.reduce(0, +)) + absent.values.reduce(0, +) }

  /// Of the pairs called present, the share that is there; nil where none is.
  public var precision: Double? { ratio(found, found + spurious) }

  /// F1 of present over the pairs that were decided: 2 found/(2 found + spurious + missed).
  public var f1: Double? {
    let missed = real[.weak, default: 0] + real[.absent, default: 0]
    return ratio(2 * found, 2 * found + spurious + missed)
  }

  /// Share of the pairs of which the data cannot tell.
  public var undecided: Double? {
    ratio(real[.undecided, default: 0] + absent[.undecided, default: 0], all)
  }

  /// Pairs of the plant that are called absent.
  public var calledAbsent: Int { real[.absent, default: 0] }

  private func ratio(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }
}
