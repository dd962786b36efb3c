import Evidence
import Reporting
import Structure

/// Verdicts held against a known plant, for programs. Pairs that are too weak to count in the plant are left aside.
struct EvidenceScore: Encodable {
  /// Pairs of the plant by verdict, and pairs that are not there.
  var real: [String: Int]
  var absent: [String: Int]
  /// Share of what is called present that is there.
  var precision: Double?
  /// Of present, over the decided pairs.
  var f1Decided: Double?
  /// Share of all pairs.
  var undecided: Double?

  init(_ score: VerdictScore) {
    func counts(_ found: [Verdict: Int]) -> [String: Int] {
      Dictionary(
        uniqueKeysWithValues: Verdict.allCases.map { ($0.rawValue, found[$0, default: 0]) })
    }
    real = counts(score.real)
    absent = counts(score.absent)
    precision = score.precision
    f1Decided = score.f1
    undecided = score.undecided
  }
}

extension AgreementReport {
  /// The verdicts of each ensemble against the plant; nil where none has any.
  var verdictScoreTable: Table? {
    let scored = reports.compactMap { report in
      report.agreement.verdictScore.map { (report.result.name, $0) }
    }
    guard !scored.isEmpty else { return nil }
    func cell(_ value: Double?) -> Cell { value.map(Cell.number) ?? .missing }
    return Table(
      title: "Verdicts against the plant \(options.plant)", corner: "ensemble",
      columns: [
        "real: present", "weak", "absent", "undec.", "not there: present", "weak", "absent",
        "undec.", "precision", "F1 decided", "% undec.",
      ],
      rows: scored.map { name, score in
        (
          name,
          [score.real, score.absent].flatMap { found in
            [Verdict.present, .weak, .absent, .undecided].map {
              Cell.integer(found[$0, default: 0])
            }
          } + [
            cell(score.precision), cell(score.f1), cell(score.undecided.map { 100 * $0 }),
          ]
        )
      },
      notes: [
        "Of the plant's pairs, and of those that are not there, how many have each verdict. F1 decided: of "
          + "present, over the pairs that are not undecided."
      ])
  }
}
