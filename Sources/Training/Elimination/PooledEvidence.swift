import Evidence
import LinearAlgebra
import Networks

/// The members' common evidence on the inputs of one output, once these are decided.
struct PooledEvidence: Equatable, Codable, Sendable {
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
  /// The 95 % quantile: what a one-sided test at 5 % needs (Schuirmann 1987).
  private static let oneSided = 1.645
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
    let slopes = members.map { $0.network.meanSlopes($0.rows.points(Self.pointCount)) }
    effects = (0..<inputs).map { input in slopes.map { $0.magnitude[0, input] }.mean }
    signed = (0..<inputs).map { input in slopes.map { $0.signed[0, input] }.mean }
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
      let between = slopes.map { $0.magnitude[0, input] }.standardDeviation
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

  /// - Parameters:
  ///   - relevance: of the final networks, members × inputs.
  ///   - signs: likewise, with signs.
  ///   - rehearsals: of some members.
  ///   - output: its number.
  func pairs(
    _ relevance: [[Double]], _ signs: [[Double]], _ rehearsals: [Rehearsal], _ output: Int,
    proof: Double, negligible: Double
  ) -> [PairEvidence] {
    let misses = rehearsals.compactMap { $0.misses?.row(output) }.map { Array($0) }
    let scale = spreadScale(rehearsals.map { $0.spread[output] })
    return effects.indices.map { input in
      let comparison = comparisons[input]
      let estimate = estimate(input, relevance.map { $0[input] }, misses.map { $0[input] })
        .divided(by: scale)
      let slope = (isIn[input] ? signs.map { $0[input] }.mean : signed[input]) / scale
      let high = estimate.effect + Self.reach * estimate.deviation
      return PairEvidence(
        effect: estimate.effect,
        low: max(0, estimate.effect - Self.reach * estimate.deviation),
        high: high.isFinite ? high : nil, signed: slope, cost: comparison.cost,
        costError: comparison.costError.isFinite ? comparison.costError : nil,
        statistic: comparison.statistic,
        verdict: verdict(input, estimate, slope, proof: proof, negligible: negligible))
    }
  }

  /// An effect R and how precisely it is known.
  private struct Estimate {
    var effect: Double
    /// Its standard error.
    var deviation: Double
    /// The standard error of the mean slope, which noise and curves do not bias.
    var slopeDeviation: Double

    func divided(by scale: Double) -> Estimate {
      Estimate(
        effect: effect / scale, deviation: deviation / scale, slopeDeviation: slopeDeviation / scale
      )
    }
  }

  /// - Parameters:
  ///   - found: R in the members' final networks.
  ///   - misses: by how much rehearsals missed it.
  private func estimate(_ input: Int, _ found: [Double], _ misses: [Double]) -> Estimate {
    let own = deviations[input]
    guard isIn[input] else {
      return Estimate(effect: effects[input], deviation: own, slopeDeviation: own)
    }
    let bias = misses.isEmpty ? 0 : misses.mean
    let between = found.standardDeviation
    return Estimate(
      effect: max(0, found.mean - bias),
      deviation: Self.deviation(
        own: own, between: between, bias: bias,
        missed: misses.isEmpty ? 0 : misses.standardDeviation),
      slopeDeviation: max(own, between / Double(found.count).squareRoot()))
  }

  /// What the spread of the predicted rates says of σ of the rates, in units of that of the smoothed increments. Where
  /// the networks explain a part of the rates, the rest belongs to them, too.
  private func spreadScale(_ spreads: [Double]) -> Double {
    guard !spreads.isEmpty, let explained, explained > 0.5 else { return 1 }
    return spreads.mean / min(1, explained).squareRoot()
  }

  /// The standard error of an effect R of final networks, from what a linear term says, from the differences of
  /// members, which share most of their rows and all of their kind's limits, and from rehearsals, whose bias is known
  /// but for a third. At these factors intervals hold the truth in nine of ten cases and more on
  /// three plants without noise and at two levels of it (`Scripts/bench coverage`).
  private static func deviation(own: Double, between: Double, bias: Double, missed: Double)
    -> Double
  {
    let parts = [1.75 * own, 2 * between, 0.6 * missed, 0.3 * bias]
    return parts.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// Noise bends the networks, and what it bends counts in a mean of |J|: an effect whose sign is not clear is present
  /// only if held-out rows are predicted better with it. That an input acts is concluded at 5 %, that it does not only
  /// where the whole interval lies below the threshold.
  private func verdict(
    _ input: Int, _ estimate: Estimate, _ slope: Double, proof: Double, negligible: Double
  ) -> Verdict {
    let threshold = EnsembleEvidence.relevanceThreshold
    let comparison = comparisons[input]
    let isBelow = estimate.effect + Self.reach * estimate.deviation <= threshold
    guard isIn[input] else {
      guard isBelow else { return .undecided }
      return comparison.statistic > proof && comparison.worth > negligible ? .weak : .absent
    }
    if isReplaceable[input] { return .undecided }
    guard estimate.effect - Self.oneSided * estimate.deviation > threshold else {
      return isBelow ? .weak : .undecided
    }
    let isClear = abs(slope) - Self.oneSided * estimate.slopeDeviation > threshold
    let helps = comparison.cost > Self.oneSided * comparison.costError
    return isClear || helps ? .present : .undecided
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
