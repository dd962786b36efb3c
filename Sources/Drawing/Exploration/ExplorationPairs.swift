import Dynamics
import Evidence
import LinearAlgebra
import Networks
import Structure

/// Which pairs of input and output a page shows, and what is known of each.
struct ExplorationPairs {
  /// Of one member: the sums over the paths of each pair, outputs × inputs.
  struct Member: Sendable {
    var strength: Matrix
    /// Positive minus negative products.
    var net: Matrix
    var counts: [[UInt64?]]

    init(_ model: Model) {
      let paths = PathAnalysis(LiveStructure(model.network).network)
      strength = paths.strength
      net = paths.positive - paths.negative
      counts = paths.counts
    }
  }

  private(set) var written: [ExplorationContent.Pair] = []
  /// Numbers of those with curves, values of each member and paths, the strongest first, output by output and input.
  private(set) var detailed: [(output: Int, input: Int)] = []
  /// How many pairs are connected or undecided.
  let count: Int

  private let ensemble: Ensemble
  private let members: [Member]
  private let relevance: EnsembleRelevance?
  private let effects: [PartialEffects]
  private let selection: Selection

  /// - Parameters:
  ///   - ensemble: whose pairs are shown.
  ///   - members: the sums over paths of each.
  ///   - relevance: over data; nil without.
  ///   - effects: the curves of each member; none without data.
  ///   - selection: which pairs each member has.
  ///   - limits: how many are shown, and of how many more is.
  init(
    _ ensemble: Ensemble, _ members: [Member], relevance: EnsembleRelevance?,
    effects: [PartialEffects], selection: Selection, limits: ExplorationLimits
  ) {
    self.ensemble = ensemble
    self.members = members
    self.relevance = relevance
    self.effects = effects
    self.selection = selection
    let columns = ensemble.inputs.count
    let strength = Self.mean(members.map(\.strength))
    let sizes = relevance?.mean ?? strength
    let all = (0..<(columns * ensemble.outputs.count)).filter { pair in
      strength.elements[pair] > 0 || sizes.elements[pair] > 0
        || ensemble.evidence(pair / columns, pair % columns)?.verdict == .undecided
    }
    count = all.count
    let order = all.sorted {
      let (a, b) = (sizes.elements[$0], sizes.elements[$1])
      return a != b ? a > b : $0 < $1
    }.prefix(limits.pairs)
    let details = Set(order.prefix(limits.detailedPairs))
    detailed = order.prefix(limits.detailedPairs).map { ($0 / columns, $0 % columns) }
    let curves = effects.count <= limits.memberCurves
    let votes = selection.frequency.map { Int(($0 * Double(selection.memberCount)).rounded()) }
    written = order.sorted().map { pair in
      self.pair(
        pair / columns, pair % columns, votes: votes[pair], strength: strength.elements[pair],
        isDetailed: details.contains(pair), hasAllCurves: curves)
    }
  }

  private static func mean(_ matrices: [Matrix]) -> Matrix {
    let sum = matrices.dropFirst().reduce(matrices[0]) { $0 + $1 }
    return sum.map { $0 / Double(matrices.count) }
  }

  private func pair(
    _ output: Int, _ input: Int, votes: Int, strength: Double, isDetailed: Bool, hasAllCurves: Bool
  ) -> ExplorationContent.Pair {
    let net = members.map { $0.net[output, input] }
    var pair = ExplorationContent.Pair(
      output: output, input: input, votes: votes, weight: strength.significant(),
      net: net.mean.significant(),
      paths: members.lazy.map { $0.counts[output][input] }.first { $0 != 0 }
        .map { $0.map(DrawingStyle.grouped) ?? "more than 2⁶⁴" } ?? "0")
    if let relevance {
      let means = relevance.members.map { $0.signedMean[output, input] }
      pair.effect = means.mean.significant()
      pair.magnitude = relevance.members.map { $0.meanMagnitude[output, input] }.mean.significant()
      pair.slope = zip(means, ensemble.members).map { mean, model in
        mean * model.outputScaling.deviation[output] / model.inputScaling.deviation[input]
      }.mean.significant()
      if isDetailed { pair.members = means.map { $0.significant() } }
    } else if isDetailed {
      pair.members = net.map { $0.significant() }
    }
    pair.said = ensemble.evidence(output, input).map(Self.said)
    if isDetailed { addCurves(to: &pair, hasAllCurves) }
    return pair
  }

  private static func said(_ evidence: PairEvidence) -> ExplorationContent.Said {
    ExplorationContent.Said(
      verdict: evidence.verdict.rawValue, effect: evidence.effect.significant(),
      low: evidence.low.significant(), high: evidence.high?.significant(),
      cost: evidence.cost.significant(),
      costError: evidence.costError.flatMap { $0.isFinite ? $0.significant() : nil })
  }

  private func addCurves(to pair: inout ExplorationContent.Pair, _ hasAllCurves: Bool) {
    let curves = effects.map { $0.curves[pair.output][pair.input] }
    guard let first = curves.first else { return }
    pair.curve = first.indices.map { place in curves.map { $0[place] }.mean.significant() }
    guard curves.count > 1 else { return }
    let shown =
      hasAllCurves
      ? curves
      : [
        first.indices.map { place in curves.map { $0[place] }.min() ?? 0 },
        first.indices.map { place in curves.map { $0[place] }.max() ?? 0 },
      ]
    pair.curves = shown.map { $0.map { $0.significant() } }
  }

  // MARK: As a drawing

  /// Inputs on the left, outputs on the right, an edge for each pair.
  var drawing: PairDrawing {
    PairDrawing(
      inputs: ensemble.inputs, outputs: ensemble.outputs,
      links: written.map { pair in
        PairLink(
          output: pair.output, input: pair.input, strength: pair.magnitude ?? pair.weight,
          attributes: ["class": "dependency"], label: nil, tooltip: "",
          data: [
            "weight": .number(pair.net), "effect": .number(pair.effect ?? 0),
          ])
      }, captions: Captions(title: "", counts: ""), explained: ensemble.explained)
  }
}
