import LinearAlgebra
import Networks

/// What the members of an ensemble select, how far they agree on it, and how it compares with a plant.
public struct EnsembleAgreement: Sendable {
  public let ensemble: Ensemble
  /// "structural": connected by a path; over data also "relevant": and of a relevance above a threshold.
  public let selections: [(kind: String, selection: Selection)]
  /// Each selection's consensus against the plant; empty without one.
  public let scores: [(kind: String, score: StructureScore)]
  /// Mean over the members of R over the data.
  public let meanRelevance: Matrix?
  /// Kendall's W of the members' relevances over all pairs.
  public let concordance: Double?
  /// Median over the plant's pairs of the relative error of mean |J|, mean of the members.
  public let jacobianError: Double?
  /// Spearman's, of the members' mean relevance with the plant's, over all pairs.
  public let rankCorrelation: Double?
  public let curve: PrecisionRecallCurve?
  /// What consensus and plant differ about; nil without a plant.
  public let judged: [JudgedPair]?

  /// The ensemble's verdicts against the plant; nil without either.
  public let verdictScore: VerdictScore?

  /// A pair about which consensus and plant differ, or which counts neither way.
  public struct JudgedPair: Sendable {
    public var output: Int
    public var input: Int
    public var outcome: PlantTruth.Outcome
    /// R of the plant and mean R of the members.
    public var plant: Double
    public var model: Double
    /// Members that connect the pair, and in which it is relevant.
    public var connected: Int
    public var relevant: Int
  }

  /// - Parameters:
  ///   - ensemble: whose members are compared.
  ///   - points: samples × inputs in physical units over which relevance is taken; nil for none.
  ///   - truth: the plant that judges, over the same samples.
  ///   - threshold: of relevance.
  ///   - threads: that may work at once.
  public init(
    _ ensemble: Ensemble, over points: Matrix?, truth: PlantTruth?, threshold: Double, threads: Int
  ) async throws {
    self.ensemble = ensemble
    let connected = Selection(connectedPairsOf: ensemble)
    var selections = [(kind: "structural", selection: connected)]
    var relevance: EnsembleRelevance?
    if let points {
      let computed = try await EnsembleRelevance(ensemble, over: points, threads: threads)
      selections.append(
        (
          kind: "relevant",
          selection: PairSelection.relevant(above: threshold).selection(of: ensemble, computed)
        ))
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
    concordance = relevance.flatMap {
      Ranking.concordance($0.members.map(\.meanMagnitude.elements))
    }
    rankCorrelation = truth.flatMap { truth in
      mean.flatMap { Ranking.correlation($0.elements, truth.relevance.elements) }
    }
    verdictScore = truth.flatMap { truth in
      ensemble.evidence.map { VerdictScore($0, truth: truth) }
    }
    let strictest = selections[selections.count - 1].selection
    judged = truth.flatMap { truth in
      mean.map { Self.judged(connected: connected, relevant: strictest, relevance: $0, truth) }
    }
  }

  /// The strictest selection at hand.
  public var strictest: Selection { selections[selections.count - 1].selection }

  public var pairCount: Int { ensemble.inputs.count * ensemble.outputs.count }

  /// What is missed, then what is spurious, then what counts neither way; the strongest of each first.
  private static func judged(
    connected: Selection, relevant: Selection, relevance: Matrix, _ truth: PlantTruth
  ) -> [JudgedPair] {
    let consensus = relevant.consensus
    let columns = relevance.columns
    let pairs = consensus.indices.compactMap { index -> JudgedPair? in
      let (row, column) = (index / columns, index % columns)
      let outcome = truth.outcome(row, column, isSelected: consensus[index])
      guard outcome.isWorthTelling else { return nil }
      return JudgedPair(
        output: row, input: column, outcome: outcome, plant: truth.relevance[row, column],
        model: relevance[row, column], connected: connected.chosen.count { $0[index] },
        relevant: relevant.chosen.count { $0[index] })
    }
    func order(_ pair: JudgedPair) -> (Int, Double) {
      switch pair.outcome {
      case .missed: (0, -pair.plant)
      case .spurious: (1, -pair.model)
      default: (2, -pair.plant)
      }
    }
    return pairs.sorted { order($0) < order($1) }
  }
}
