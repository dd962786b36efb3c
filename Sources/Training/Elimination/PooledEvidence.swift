import Evidence
import LinearAlgebra
import Networks

/// The members' common evidence on the inputs of one output, once these are decided.
struct PooledEvidence: Sendable {
  /// For each input R in the fits with all inputs, less the members' noise; for those that stayed it is later
  /// replaced by R of the final networks.
  var effects: [Double]
  var signed: [Double]
  /// Standard errors of the effects.
  var deviations: [Double]
  var comparisons: [NestedComparison]
  /// The inputs that stayed.
  var isIn: [Bool]
  /// Those that others can replace.
  var isReplaceable: [Bool]
  var explained: Double?
  /// members × inputs: the inputs that each member finds alone.
  var alone: [[Bool]]

  /// Sets of inputs that follow from each other.
  var collinear: [[Int]]

  /// The 97.5 % quantile of the normal distribution.
  static let reach = 1.96
  private static let pointCount = 500

  /// - Parameters:
  ///   - free: the members before any input was removed.
  ///   - outcome: after elimination.
  init(
    free: [PooledElimination.Member], _ outcome: PooledElimination.Outcome,
    _ elimination: PooledElimination
  ) {
    let members = outcome.members
    let inputs = members[0].network.inputCount
    let read = members.readInputs
    let nothing = NestedComparison([])
    isIn = (0..<inputs).map(read.contains)
    isReplaceable = (0..<inputs).map(outcome.replaceable.contains)
    comparisons = (0..<inputs).map { outcome.comparisons[$0] ?? nothing }
    let relevances = members.map { $0.network.relevance($0.rows.points(Self.pointCount)) }
    effects = (0..<inputs).map { input in relevances.map { $0[input] }.mean }
    let signs = members.map { $0.network.signedRelevance($0.rows.points(Self.pointCount)) }
    signed = (0..<inputs).map { input in signs.map { $0[input] }.mean }
    var errors: [[Double]] = []
    var additions: [[Int: TangentFit.Addition]] = []
    let others = (0..<inputs).filter { !read.contains($0) }
    for member in members {
      let fit = TangentFit(member.network, member.learnt, kernels: elimination.kernels)
      errors.append(fit.standardErrors(of: read))
      additions.append(
        fit.additions(of: others, held: member.held, kernels: elimination.kernels))
    }
    deviations = (0..<inputs).map { input in
      let own = errors.map { $0[input] * $0[input] }.mean
      let between = relevances.map { $0[input] }.standardDeviation
      return (own + between * between / Double(max(1, members.count - 1))).squareRoot()
    }
    for input in others {
      let found = additions.compactMap { $0[input] }
      let slope = found.map(\.slope).mean
      let between = found.map(\.slope).standardDeviation
      let own = found.map { $0.error * $0.error }.mean
      signed[input] = slope
      effects[input] = abs(slope)
      deviations[input] =
        found.isEmpty
        ? .infinity
        : (own + between * between / Double(max(1, found.count - 1))).squareRoot()
      comparisons[input] = NestedComparison(found.map(\.terms))
    }
    explained = nil
    collinear = members[0].collinear
    alone = free.map { member in
      let relevance = member.network.relevance(member.rows.points(Self.pointCount))
      let fit = TangentFit(member.network, member.learnt, kernels: elimination.kernels)
      return zip(relevance, fit.standardErrors(of: member.network.readInputs)).map {
        effect, error in
        effect > EnsembleEvidence.relevanceThreshold
          && effect - Self.reach * error > EnsembleEvidence.relevanceThreshold
      }
    }
  }

  /// - Parameter relevance: of the final networks, members × inputs.
  func pairs(_ relevance: [[Double]], _ signs: [[Double]], proof: Double, negligible: Double)
    -> [PairEvidence]
  {
    effects.indices.map { input in
      let final = relevance.map { $0[input] }.mean
      let effect = isIn[input] ? final : effects[input]
      let between = relevance.map { $0[input] }.standardDeviation
      let deviation = max(deviations[input], between / Double(max(1, relevance.count)).squareRoot())
      let low = max(0, effect - Self.reach * deviation)
      let high = effect + Self.reach * deviation
      let comparison = comparisons[input]
      let slope = isIn[input] ? signs.map { $0[input] }.mean : signed[input]
      let isClear = abs(slope) - Self.reach * deviation > EnsembleEvidence.relevanceThreshold
      return PairEvidence(
        effect: effect, low: low, high: high.isFinite ? high : nil, signed: slope,
        cost: comparison.cost,
        costError: comparison.costError.isFinite ? comparison.costError : nil,
        statistic: comparison.statistic,
        verdict: verdict(
          input, low: low, high: high, isClear: isClear, proof: proof, negligible: negligible))
    }
  }

  /// Noise bends the networks, and what it bends counts in a mean of |J|: an effect whose sign is not clear is present
  /// only if held-out rows are predicted better with it.
  private func verdict(
    _ input: Int, low: Double, high: Double, isClear: Bool, proof: Double, negligible: Double
  ) -> Verdict {
    let threshold = EnsembleEvidence.relevanceThreshold
    if isIn[input] {
      if isReplaceable[input] { return .undecided }
      let comparison = comparisons[input]
      let helps = comparison.cost > Self.reach * comparison.costError
      if low > threshold { return isClear || helps ? .present : .undecided }
      return high <= threshold ? .weak : .undecided
    }
    guard high <= threshold else { return .undecided }
    let comparison = comparisons[input]
    return comparison.statistic > proof && comparison.worth > negligible ? .weak : .absent
  }
}

extension RegressionRows {
  /// The weighted variance of the targets, mean over the outputs.
  var targetVariance: Double {
    (0..<targets.columns).map { column in
      var (weight, sum, squares) = (0.0, 0.0, 0.0)
      for row in 0..<targets.rows {
        let w = weights?[row, column] ?? 1
        weight += w
        sum += w * targets[row, column]
        squares += w * targets[row, column] * targets[row, column]
      }
      let mean = sum / weight
      return squares / weight - mean * mean
    }.mean
  }
}
