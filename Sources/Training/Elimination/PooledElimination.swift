import Evidence
import LinearAlgebra
import Networks

/// Removes inputs from all members' networks of an output at once, the least needed first, while the data that the
/// members hold out do not contradict it.
///
/// An input is removed if, without it and with all members refitted, the pooled comparison on held-out rows (see
/// `NestedComparison`) shows no effect, or one that explains too little to matter; if a linear term in it would add
/// nothing to the remaining network (`TangentFit`), a test of one degree of freedom that detects effects hidden by
/// the noise of whole networks; and if the error does not rise by a share of itself, neither over all rows nor
/// where the input is far from its mean, which protects inputs that act in few rows. Clearly idle inputs are
/// removed together; if a group is refused, it is tried without those that are needed, or by halves. Collinear
/// inputs are thus resolved one at a time: of two that carry the same information one stays, and of several of which
/// one is the state whose rate is predicted that state, without which a free run drifts where no data are. Inputs
/// that prove to be missing at the end are restored, the most significant first.
package struct PooledElimination {
  /// The largest number of Levenberg-Marquardt attempts to refit the rest after a removal.
  var attempts: Int
  /// A statistic above this proves an effect.
  var proof = 3.0
  /// What an effect must explain, in units of the rate's variance, to matter: the square of an R of 0.002.
  var negligible = 4e-6
  /// A linear term is proven on the rows that are fitted where its slope is so many of its errors, and is more than this.
  var slopeProof = 4.0
  var material = 0.005
  /// By which share of itself, and by which amount, an error may rise.
  var tolerance = 0.3
  var slack = 1e-6
  /// The search ends after this many consecutive inputs that could not be removed.
  var mostRefusals = 4
  var kernels = Kernels.active
  /// The input that is the state whose rate is predicted, if one is.
  var own: Int?

  package init(attempts: Int, own: Int? = nil) {
    self.attempts = attempts
    self.own = own
  }

  /// One member's network of the output, with the rows that it was fitted to and those that it holds out.
  package struct Member: Sendable {
    package var network: Network
    var rows: RegressionRows
    /// Of the same trajectories, as recorded.
    var learnt: RegressionRows
    /// Of those that are held out, as recorded.
    var held: RegressionRows
    /// See `CollinearInputs`.
    var collinear: [[Int]]

    package init(
      network: Network, rows: RegressionRows, learnt: RegressionRows, held: RegressionRows,
      collinear: [[Int]] = []
    ) {
      self.collinear = collinear
      self.network = network
      self.rows = rows
      self.learnt = learnt
      self.held = held
    }
  }

  package struct Outcome: Sendable {
    package var members: [Member]
    /// In their order.
    package var removed: [Int]
    /// The cost of removing each of the inputs that stay.
    package var comparisons: [Int: NestedComparison]
    /// Those inputs that stay although removed inputs could replace them.
    var replaceable: Set<Int> = []
  }

  func isProven(_ comparison: NestedComparison) -> Bool {
    comparison.statistic >= proof && comparison.worth >= negligible
  }

  package func run(_ members: [Member]) -> Outcome {
    var outcome = Outcome(members: members, removed: [], comparisons: [:])
    var state = State(members, self)
    var kept: Set<Int> = []
    var refusals = 0
    let rivals = rivals(members[0])
    while true {
      let candidates = outcome.members.readInputs.subtracting(kept).sorted()
      guard !candidates.isEmpty else { break }
      let costs = candidates.map { cost(of: $0, outcome.members, state) }
      if refusals >= mostRefusals, costs.allSatisfy({ isProven($0.comparison) }) {
        // What is left is dearer than what could not be spared.
        for cost in costs { outcome.comparisons[cost.input] = cost.comparison }
        break
      }
      let isRivalLeft = candidates.contains { rivals.contains($0) }
      var batch = cheapest(isRivalLeft ? costs.filter { $0.input != own } : costs)
      while !batch.isEmpty {
        let trial = trial(without: batch, outcome.members, state)
        if let accepted = trial.accepted {
          outcome.members = accepted
          outcome.removed += batch
          state = State(accepted, self)
          refusals = 0
          break
        }
        guard batch.count > 1 else {
          outcome.comparisons[batch[0]] = trial.needed[batch[0]] ?? trial.comparison
          kept.insert(batch[0])
          refusals += 1
          break
        }
        let rest = batch.filter { trial.needed[$0] == nil }
        batch =
          rest.isEmpty || rest.count == batch.count
          ? Array(batch.prefix(batch.count / 2)) : rest
      }
    }
    takeBack(&outcome)
    return outcome
  }

  /// The inputs of which, with the own state, one follows from the others; they are removed before it.
  private func rivals(_ member: Member) -> Set<Int> {
    guard let own else { return [] }
    let group = member.collinear.first { $0.contains(own) } ?? []
    return Set(group).subtracting([own])
  }

  /// Restores inputs whose linear terms the remaining network proves to lack.
  private func takeBack(_ outcome: inout Outcome) {
    let count = outcome.members[0].network.inputCount
    guard outcome.members[0].network.outputCount == 1 else { return }
    for _ in 0..<4 {
      let read = outcome.members.readInputs
      let found = lacking((0..<count).filter { !read.contains($0) }, outcome.members)
      guard
        let best = found.max(by: { ($0.value.statistic, $1.key) < ($1.value.statistic, $0.key) })
      else { return }
      for index in outcome.members.indices {
        outcome.members[index].network =
          outcome.members[index].network.withLinearPartOpen(only: [best.key])
      }
      var damping = outcome.members.map { _ in 1e-2 }
      advance(&outcome.members, &damping)
      outcome.comparisons[best.key] = best.value
      outcome.removed.removeAll { $0 == best.key }
    }
  }

  /// What of these inputs the members' networks turn out to lack: linear terms in them would add something, be
  /// it on rows that are held out or, with a slope that matters, on those that are fitted.
  private func lacking(_ inputs: [Int], _ members: [Member]) -> [Int: NestedComparison] {
    guard members[0].network.outputCount == 1 else { return [:] }
    let found = members.map { member in
      TangentFit(member.network, member.learnt, kernels: kernels)
        .additions(of: inputs, held: member.held, kernels: kernels)
    }
    return inputs.reduce(into: [:]) { result, input in
      let additions = found.compactMap { $0[input] }
      let comparison = NestedComparison(additions.map(\.terms))
      let slope = abs(additions.map(\.slope).mean)
      // Members share most of their rows: their mean is known no better than each.
      let error = additions.map { $0.error * $0.error }.mean.squareRoot()
      if isProven(comparison) || (slope > material && slope > slopeProof * error) {
        result[input] = comparison
      }
    }
  }

  /// With what makes the errors of each output independent, by what the members hold out; where that is something,
  /// networks are fitted to the increments as recorded.
  package func whitened(_ members: [Member]) -> [Member] {
    guard let outputs = members.first?.network.outputCount else { return members }
    let errors = members.map { HeldOutErrors($0.network, $0.held, kernels: kernels) }
    let whitenings = (0..<outputs).map { output in
      Whitening(of: errors.map { ($0.plain.column(output), $0.rows.begins) })
    }
    return members.map { member in
      var result = member
      result.learnt.whitenings = whitenings
      result.held.whitenings = whitenings
      if whitenings.contains(where: { $0 != .none }), !result.learnt.begins.isEmpty {
        result.rows = result.learnt
      }
      return result
    }
  }

  /// The members' held-out errors at present.
  private struct State {
    let held: [HeldOutErrors]
    let heldMean: Double

    init(_ members: [Member], _ elimination: PooledElimination) {
      held = members.map { HeldOutErrors($0.network, $0.held, kernels: elimination.kernels) }
      heldMean = held.map(\.mean).mean
    }
  }

  /// An input with the cost of removing it before the hidden units have been refitted.
  private struct Cost {
    var input: Int
    var loss: Double
    var comparison: NestedComparison
  }

  private func cost(of input: Int, _ members: [Member], _ state: State) -> Cost {
    var loss = 0.0
    var terms: [[BlockTerm]] = []
    for (member, held) in zip(members, state.held) {
      let (network, without) = start(member, without: [input])
      loss += without / Double(members.count)
      terms.append(held.compared(with: HeldOutErrors(network, member.held, kernels: kernels)))
    }
    return Cost(input: input, loss: loss, comparison: NestedComparison(terms))
  }

  /// All clearly idle inputs, at most half of the candidates; otherwise the cheapest alone.
  private func cheapest(_ costs: [Cost]) -> [Int] {
    let ordered = costs.sorted { ($0.loss, $0.input) < ($1.loss, $1.input) }
    let idle = ordered.filter {
      $0.comparison.statistic < proof / 2 || $0.comparison.worth < negligible / 4
    }
    return (idle.isEmpty ? ordered.prefix(1) : idle.prefix(max(1, costs.count / 2))).map(\.input)
  }

  /// The network without these inputs, after its output's own parameters have been refitted, and the loss there.
  private func start(_ member: Member, without inputs: [Int]) -> (Network, loss: Double) {
    var problem = LeastSquares(
      member.network, member.rows, ridge: LevenbergMarquardt.smallRidge, kernels: kernels)
    let readers = problem.readers
    let group = inputs.flatMap { readers[$0] }
    var without = problem.parameters
    for index in group { without[index] = 0 }
    problem.move(to: without)
    let loss = problem.project(holding: Set(group))
    return (problem.network, loss)
  }

  private struct Trial {
    var comparison: NestedComparison
    var accepted: [Member]?
    /// The inputs that proved to be needed, with the cost of their removal.
    var needed: [Int: NestedComparison] = [:]
  }

  /// Refits all members without the inputs, a few attempts at a time, until the removal is allowed or hopeless.
  private func trial(without inputs: [Int], _ members: [Member], _ state: State) -> Trial {
    var reduced = members
    for index in members.indices {
      reduced[index].network = start(members[index], without: inputs).0
    }
    var damping = members.map { _ in 1e-2 }
    var left = attempts
    var before = Double.infinity
    while true {
      let errors = reduced.map { HeldOutErrors($0.network, $0.held, kernels: kernels) }
      let comparison = NestedComparison(zip(state.held, errors).map { $0.compared(with: $1) })
      if left < attempts, isAllowed(comparison, errors, inputs, reduced, state) {
        let needed = lacking(inputs, reduced)
        return Trial(
          comparison: comparison, accepted: needed.isEmpty ? reduced : nil, needed: needed)
      }
      guard left > 0, isHopeful(comparison, before, left) else {
        return Trial(comparison: comparison, accepted: nil)
      }
      before = comparison.worth
      left -= 4
      advance(&reduced, &damping)
    }
  }

  /// Four more attempts for each member.
  private func advance(_ members: inout [Member], _ damping: inout [Double]) {
    for index in members.indices {
      var problem = LeastSquares(
        members[index].network, members[index].rows, ridge: LevenbergMarquardt.smallRidge,
        kernels: kernels)
      var fit = LevenbergMarquardt.State(&problem, damping: damping[index])
      LevenbergMarquardt(attempts: min(4, attempts)).advance(&fit, &problem)
      damping[index] = fit.damping
      members[index].network = problem.network
    }
  }

  /// Whether the loss of the removal, if it keeps falling at this pace, will become negligible or no longer proven:
  /// the statistic goes with its root.
  private func isHopeful(_ now: NestedComparison, _ before: Double, _ left: Int) -> Bool {
    guard before.isFinite, now.worth > 0, now.statistic > proof else { return true }
    let pace = min(1, now.worth / before)
    let share = proof / now.statistic
    let wanted = max(negligible, now.worth * share * share)
    return (0..<(left / 4)).reduce(now.worth) { worth, _ in worth * pace } <= wanted
  }

  private func isAllowed(
    _ comparison: NestedComparison, _ errors: [HeldOutErrors], _ inputs: [Int],
    _ reduced: [Member], _ state: State
  ) -> Bool {
    guard !isProven(comparison),
      errors.map(\.mean).mean <= (1 + tolerance) * state.heldMean + slack
    else { return false }
    return inputs.allSatisfy { input in
      let rows = reduced.reduce(0) { $0 + $1.held.effectiveRows(input) }
      let share = max(tolerance, 2 / rows.squareRoot())
      let before = state.held.map { $0.leverage(input) }.mean
      return errors.map { $0.leverage(input) }.mean <= (1 + share) * before + slack
    }
  }
}

extension [PooledElimination.Member] {
  /// The inputs that any of the networks reads.
  var readInputs: Set<Int> {
    reduce(into: []) { read, member in read.formUnion(member.network.readInputs) }
  }
}
