import Evidence
import Reporting
import Structure

/// What the data say of one pair, as `ensemble.json` keeps it.
struct EvidenceVerdict: Encodable {
  var output: String
  var input: String
  /// R = mean |∂f/∂z| in standardised units, and an interval of 95 %; `high` is null where nothing limits it.
  var effect: Double
  var low: Double
  var high: Double?
  /// Mean ∂f/∂z.
  var signed: Double
  /// Rise of the squared error on held-out rows without the input, in units of the rate's variance.
  var cost: Double
  var costError: Double?
  /// Clark and West's.
  var statistic: Double
  var verdict: Verdict

  static func all(_ evidence: EnsembleEvidence) -> [EvidenceVerdict] {
    evidence.outputs.indices.flatMap { output in
      evidence.inputs.indices.map { input in
        let pair = evidence.pairs[output][input]
        return EvidenceVerdict(
          output: evidence.outputs[output], input: evidence.inputs[input], effect: pair.effect,
          low: pair.low, high: pair.high, signed: pair.signed, cost: pair.cost,
          costError: pair.costError, statistic: pair.statistic, verdict: pair.verdict)
      }
    }
  }
}

/// Inputs that the data cannot tell apart.
struct CollinearSet: Encodable {
  var inputs: [String]
  /// The rates of which the data therefore cannot say which of the inputs acts.
  var outputs: [String]

  static func all(_ evidence: EnsembleEvidence) -> [CollinearSet] {
    var sets: [CollinearSet] = []
    for (output, groups) in zip(evidence.outputs, evidence.groups) {
      for group in groups {
        let names = group.map { evidence.inputs[$0] }
        if let known = sets.firstIndex(where: { $0.inputs == names }) {
          sets[known].outputs.append(output)
        } else {
          sets.append(CollinearSet(inputs: names, outputs: [output]))
        }
      }
    }
    return sets
  }

  var words: String {
    let list = inputs.joined(separator: ", ")
    let rates = outputs.prefix(6).joined(separator: ", ") + (outputs.count > 6 ? ", …" : "")
    return (inputs.count == 2 ? "\(list) move together" : "\(list) follow from each other")
      + ": the data cannot tell which of them drives \(rates)."
  }
}

extension EnsembleReport {
  /// The verdicts, rates by inputs, or nil where there are none.
  var evidenceTable: Table? {
    guard let evidence else { return nil }
    let undecided = evidence.pairs.joined().count { $0.verdict == .undecided }
    let all = evidence.pairs.reduce(0) { $0 + $1.count }
    let explained = ensemble.explained
    let table = Table(
      title: "\(result.name): what the data say of each pair; rows are rates of change",
      columns: evidence.inputs,
      rows: zip(evidence.outputs, evidence.pairs).enumerated().map { output, found in
        let isNothing = explained?.isNothing(output) ?? false
        return (found.0, found.1.map { isNothing ? .trueZero : Self.cell($0) })
      },
      notes: [
        "The number: present, its R = mean |J|. (In brackets): weak, a proven effect of R below "
          + "\(EnsembleEvidence.relevanceThreshold). ?: undecided, the interval reaches from below that to above, or "
          + "another input explains as much. ·: absent, its interval lies below and no effect was found.",
        "\(undecided) of \(all) pairs are undecided.",
      ] + CollinearSet.all(evidence).map(\.words))
    return table.saying(explained)
  }

  private static func cell(_ pair: PairEvidence) -> Cell {
    switch pair.verdict {
    case .present: .number(pair.effect)
    case .weak: .text("(\(Cell.number(pair.effect).short))")
    case .absent: .trueZero
    case .undecided: .text("?")
    }
  }
}
