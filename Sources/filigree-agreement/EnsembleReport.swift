import ArgumentParser
import CommandSupport
import Dynamics
import Evidence
import LinearAlgebra
import Networks
import Reporting
import Structure

/// One ensemble's selections, agreement and scores.
struct EnsembleReport {
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
    var pairs: [PairVerdict]?
    /// The members' common evidence on every pair from their training; null for ensembles trained one by one.
    var verdicts: [EvidenceVerdict]?
    /// Φ of what each member found alone, before they decided together.
    var stabilityAlone: Double?
    /// Share of each rate's variance that is explained on held-out rows.
    var explained: [Double?]?
  }

  /// A pair about which consensus and plant differ, or which counts neither way.
  struct PairVerdict: Encodable {
    var output: String
    var input: String
    /// missed, spurious, weak and found, weak and not found.
    var verdict: String
    /// R of the plant and mean R of the members.
    var plant: Double
    var model: Double
    /// Members that connect the pair, and in which it is relevant.
    var connected: Int
    var relevant: Int
  }

  let selections: [(kind: String, selection: Selection)]
  let scores: [(kind: String, score: StructureScore)]
  let jacobianError: Double?
  let curve: PrecisionRecallCurve?
  let result: Result
  private let ensemble: Ensemble
  private let points: Matrix?
  let meanRelevance: Matrix?
  var evidence: EnsembleEvidence? { ensemble.evidence }

  init(
    _ ensemble: Ensemble, points: Matrix?, truth: PlantTruth?, threshold: Double,
    interval: IntervalMethod, bound share: Double?, threads: Int
  ) async throws {
    self.ensemble = ensemble
    self.points = points
    let connected = Selection(connectedPairsOf: ensemble)
    var selections = [(kind: "structural", selection: connected)]
    var relevance: EnsembleRelevance?
    if let points {
      let computed = try await EnsembleRelevance(ensemble, over: points, threads: threads)
      let chosen = zip(connected.chosen, computed.members).map { connected, member in
        zip(connected, member.meanMagnitude.elements).map { $0 && $1 > threshold }
      }
      selections.append((kind: "relevant", selection: Selection(chosen: chosen)))
      relevance = computed
    }
    self.selections = selections
    scores =
      truth.map { truth in
        selections.map { ($0.kind, StructureScore(selected: $0.selection.consensus, truth: truth)) }
      } ?? []
    jacobianError = truth.flatMap { truth in
      relevance.map { relevance in
        zip(ensemble.members, relevance.members).map { model, member in
          truth.medianJacobianError(model.physical(member.meanMagnitude))
        }.mean
      }
    }
    let mean = relevance?.mean
    meanRelevance = mean
    curve = truth.flatMap { truth in mean.map(truth.curve) }
    let scores = scores
    result = Result(
      name: ensemble.name, members: ensemble.members.count, inputs: ensemble.inputs.map(\.name),
      outputs: ensemble.outputs.map(\.name),
      selections: selections.enumerated().map { index, item in
        Self.result(
          item.kind, item.selection, ensemble, interval, share,
          score: scores.isEmpty ? nil : Score(scores[index].score))
      },
      concordance: relevance.flatMap {
        Ranking.concordance($0.members.map(\.meanMagnitude.elements))
      },
      jacobianError: jacobianError,
      rankCorrelation: truth.flatMap { truth in
        mean.flatMap { Ranking.correlation($0.elements, truth.relevance.elements) }
      },
      averagePrecision: curve?.averagePrecision, curve: curve?.points,
      pairs: truth.flatMap { truth in
        mean.map {
          Self.verdicts(
            ensemble, connected: selections[0].selection,
            relevant: selections[selections.count - 1].selection, relevance: $0, truth)
        }
      }, verdicts: ensemble.evidence.map(EvidenceVerdict.all),
      stabilityAlone: ensemble.evidence.flatMap { evidence in
        Selection(chosen: evidence.alone.map { Array($0.joined()) }).stability
      },
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
      meanJaccard: selection.meanJaccard, allAgree: selection.isUnanimous,
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

  /// The largest root mean square change of a rate, in standard deviations, between a consensus and the member
  /// from which it is made, with that output. Nil without data.
  func consensusChange(_ consensus: Consensus) -> (size: Double, output: String)? {
    guard let points else { return nil }
    let original = ensemble.members[consensus.member]
    var squares = [Double](repeating: 0, count: original.outputs.count)
    let step = max(1, points.rows / 2000)
    let rows = Array(stride(from: 0, to: points.rows, by: step))
    for row in rows {
      let z = original.inputScaling.standardise(points.row(row))
      let values = zip(original.network.evaluate(z), consensus.model.network.evaluate(z))
      for (output, pair) in values.enumerated() {
        squares[output] += (pair.0 - pair.1) * (pair.0 - pair.1) / Double(rows.count)
      }
    }
    guard let most = squares.indices.max(by: { squares[$0] < squares[$1] }) else { return nil }
    return (squares[most].squareRoot(), original.label(ofOutput: most))
  }

  /// The ensemble's consensus as a model, by the strictest selection at hand.
  var consensus: Consensus { Consensus(ensemble, selections[selections.count - 1].selection) }

  /// What is missed, then what is spurious, then what counts neither way; the strongest of each first.
  private static func verdicts(
    _ ensemble: Ensemble, connected: Selection, relevant: Selection, relevance: Matrix,
    _ truth: PlantTruth
  ) -> [PairVerdict] {
    let consensus = relevant.consensus
    let columns = relevance.columns
    let pairs = consensus.indices.compactMap { index -> PairVerdict? in
      let (row, column) = (index / columns, index % columns)
      let verdict: String
      switch (truth.grade(row, column), consensus[index]) {
      case (.real, false): verdict = "missed"
      case (.absent, true): verdict = "spurious"
      case (.uncertain, true): verdict = "weak, found"
      case (.uncertain, false): verdict = "weak, not found"
      default: return nil
      }
      return PairVerdict(
        output: ensemble.outputs[row].name, input: ensemble.inputs[column].name, verdict: verdict,
        plant: truth.relevance[row, column], model: relevance[row, column],
        connected: connected.chosen.count { $0[index] },
        relevant: relevant.chosen.count { $0[index] })
    }
    func order(_ pair: PairVerdict) -> (Int, Double) {
      switch pair.verdict {
      case "missed": (0, -pair.plant)
      case "spurious": (1, -pair.model)
      default: (2, -pair.plant)
      }
    }
    return pairs.sorted { order($0) < order($1) }
  }

  var pairCount: Int { ensemble.inputs.count * ensemble.outputs.count }

  private static let shownPairs = 20

  /// What consensus and plant differ about, or nil without a plant.
  var verdictTable: Table? {
    guard let pairs = result.pairs, !pairs.isEmpty else { return nil }
    return Table(
      title:
        "\(result.name): pairs that are missed, spurious, or too weak to count",
      corner: "rate of change, input",
      columns: ["verdict", "plant R", "model R", "connected", "relevant"],
      rows: pairs.prefix(Self.shownPairs).map { pair in
        (
          "\(pair.output), \(pair.input)",
          [
            .text(pair.verdict), .number(pair.plant), .number(pair.model),
            .integer(pair.connected), .integer(pair.relevant),
          ]
        )
      },
      notes: pairs.count > Self.shownPairs
        ? ["And \(pairs.count - Self.shownPairs) more; --format json has all."] : [])
  }

  /// |A ∩ B|/|A ∪ B| of all members, by the strictest selection at hand.
  var pairwiseTable: Table {
    let kind = result.selections[result.selections.count - 1]
    return Table(
      title: "\(result.name): Jaccard index of the pairs that two members select (\(kind.kind))",
      corner: "member", columns: kind.jaccard.indices.map(String.init),
      rows: kind.jaccard.enumerated().map { member, row in
        (String(member), row.map { .number($0) })
      })
  }

  /// How many members select each pair, by the strictest selection at hand.
  var frequencyTable: Table {
    let kind = result.selections[result.selections.count - 1]
    let members = ensemble.members.count
    return Table(
      title: "\(result.name): members of \(members) that select each pair (\(kind.kind)); rows are "
        + ensemble.members[0].wordForOutputs,
      columns: ensemble.inputs.map(\.name),
      rows: zip(ensemble.outputs, kind.frequency).map { output, row in
        (
          output.name,
          row.map { $0 == 0 ? .trueZero : .integer(Int(($0 * Double(members)).rounded())) }
        )
      })
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

/// How the interval of Φ is found.
enum IntervalMethod: String, CaseIterable, ExpressibleByArgument {
  case jackknife, bootstrap, asymptotic

  func interval(of selection: Selection) -> ClosedRange<Double>? {
    switch self {
    case .jackknife: return selection.jackknifeInterval()
    case .bootstrap: return selection.bootstrapInterval()
    case .asymptotic:
      guard let stability = selection.stability, let variance = selection.asymptoticVariance else {
        return nil
      }
      // The normal distribution's 97.5 % quantile.
      let reach = 1.959964 * variance.squareRoot()
      return (stability - reach)...max(stability - reach, min(1, stability + reach))
    }
  }
}
