import Evidence
import LinearAlgebra
import Networks
import Reporting
import Structure

/// One ensemble's selections, agreement and scores, as a value for programs and as tables.
public struct EnsembleReport {
  struct SelectionResult: Encodable {
    var kind: String
    var meanPairs: Double
    /// Φ; null where it is undefined.
    var stability: Double?
    /// 95 %, by `intervalMethod`.
    var interval: [Double]?
    var intervalMethod: String
    var asymptoticVariance: Double?
    var meanJaccard: Double?
    /// Whether all members select the same pairs, and any.
    var allAgree: Bool
    /// members × members
    var jaccard: [[Double]]
    /// Members, counted from 0, that have little in common with the others.
    var membersApart: [Int]
    /// The member that has most.
    var mostTypicalMember: Int
    /// outputs × inputs
    var frequency: [[Double]]
    /// With --error-bound: pairs that at least --share of the members select, and how many of them, at most,
    /// are expected by chance.
    var selectedByShare: Int?
    var expectedByChance: Double?
    var score: Score?
  }

  struct Score: Encodable {
    var found: Int
    var missed: Int
    var spurious: Int
    var uncertainSelected: Int
    var precision: Double?
    var recall: Double?
    var f1: Double?
  }

  struct Result: Encodable {
    var name: String
    var members: Int
    var inputs: [String]
    var outputs: [String]
    var selections: [SelectionResult]
    /// Kendall's W of the members' relevances over all pairs.
    var concordance: Double?
    var jacobianError: Double?
    /// Of the members' mean relevance with the plant's, over all pairs.
    var rankCorrelation: Double?
    var averagePrecision: Double?
    /// By falling threshold of relevance.
    var curve: [PrecisionRecallCurve.Point]?
    var pairs: [JudgedPair]?
    /// What the members together said of every pair when they were trained; null for ensembles that were trained
    /// one by one.
    var verdicts: [EvidenceVerdict]?
    /// Inputs that the data cannot tell apart, with the rates concerned.
    var collinear: [CollinearSet]?
    /// The verdicts against the plant; absent without either.
    var evidenceScore: EvidenceScore?
    /// Φ of what each member found alone, before they decided together.
    var stabilityAlone: Double?
    /// Share of each rate's variance that is explained on held-out rows.
    var explained: [Double?]?
  }

  /// A pair about which consensus and plant differ, or which counts neither way.
  struct JudgedPair: Encodable {
    var output: String
    var input: String
    /// What the plant says of it: missed, spurious, weak and found, weak and not found.
    var verdict: String
    /// R of the plant and mean R of the members.
    var plant: Double
    var model: Double
    /// Members that connect the pair, and in which it is relevant.
    var connected: Int
    var relevant: Int
  }

  public let agreement: EnsembleAgreement
  let result: Result

  var ensemble: Ensemble { agreement.ensemble }
  var selections: [(kind: String, selection: Selection)] { agreement.selections }
  var evidence: EnsembleEvidence? { ensemble.evidence }

  init(_ agreement: EnsembleAgreement, interval: IntervalMethod, share: Double?) {
    self.agreement = agreement
    let ensemble = agreement.ensemble
    let scores = agreement.scores
    result = Result(
      name: ensemble.name, members: ensemble.members.count, inputs: ensemble.inputs.map(\.name),
      outputs: ensemble.outputs.map(\.name),
      selections: agreement.selections.enumerated().map { index, item in
        Self.result(
          item.kind, item.selection, ensemble, interval, share,
          score: scores.isEmpty ? nil : Score(scores[index].score))
      },
      concordance: agreement.concordance, jacobianError: agreement.jacobianError,
      rankCorrelation: agreement.rankCorrelation,
      averagePrecision: agreement.curve?.averagePrecision, curve: agreement.curve?.points,
      pairs: agreement.judged?.map { JudgedPair($0, of: ensemble) },
      verdicts: ensemble.evidence.map(EvidenceVerdict.all),
      collinear: ensemble.evidence.map(CollinearSet.all),
      evidenceScore: agreement.verdictScore.map(EvidenceScore.init),
      stabilityAlone: ensemble.selectionAlone?.stability,
      explained: ensemble.evidence?.explained)
  }

  private static func result(
    _ kind: String, _ selection: Selection, _ ensemble: Ensemble, _ method: IntervalMethod,
    _ share: Double?, score: Score?
  ) -> SelectionResult {
    let interval = method.interval(of: selection)
    let frequency = selection.frequency
    let columns = ensemble.inputs.count
    let jaccard = selection.jaccard
    return SelectionResult(
      kind: kind, meanPairs: selection.chosen.map { Double($0.count { $0 }) }.mean,
      stability: selection.stability, interval: interval.map { [$0.lowerBound, $0.upperBound] },
      intervalMethod: method.rawValue, asymptoticVariance: selection.asymptoticVariance,
      meanJaccard: selection.meanJaccard, allAgree: selection.isUnanimous && !selection.isEmpty,
      jaccard: (0..<jaccard.rows).map { Array(jaccard.row($0)) },
      membersApart: selection.membersApart,
      mostTypicalMember: selection.mostTypicalMember,
      frequency: ensemble.outputs.indices.map {
        Array(frequency[($0 * columns)..<(($0 + 1) * columns)])
      },
      selectedByShare: share.map(selection.selected),
      expectedByChance: share.map(selection.expectedByChance),
      score: score)
  }
}

extension EnsembleReport.Score {
  init(_ score: StructureScore) {
    found = score.found
    missed = score.missed
    spurious = score.spurious
    uncertainSelected = score.uncertainSelected
    precision = score.precision
    recall = score.recall
    f1 = score.f1
  }
}

extension EnsembleReport.JudgedPair {
  init(_ pair: EnsembleAgreement.JudgedPair, of ensemble: Ensemble) {
    self.init(
      output: ensemble.outputs[pair.output].name, input: ensemble.inputs[pair.input].name,
      verdict: pair.outcome.words, plant: pair.plant, model: pair.model,
      connected: pair.connected, relevant: pair.relevant)
  }
}

extension PlantTruth.Outcome {
  /// As tables and files call it.
  var words: String {
    switch self {
    case .found: "found"
    case .missed: "missed"
    case .spurious: "spurious"
    case .weakFound: "weak, found"
    case .weakNotFound: "weak, not found"
    case .rightlyAbsent: "absent"
    }
  }
}
