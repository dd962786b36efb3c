import Evidence
import Foundation
import LinearAlgebra

/// Takes inputs out of all members' networks of an output at once, the least needed first, as long as what
/// the members hold out does not speak against it.
///
/// An input goes if without it, all members fitted anew, the pooled comparison on held-out rows (see
/// `NestedComparison`) shows no effect, or one whose cost is beneath notice; and if the error does not rise
/// by a share of itself, neither in all nor where the input is far from its mean, so that what acts in few rows
/// is not lost for them. Inputs that are clearly idle go together; a group that is refused goes by halves.
/// Collinear inputs are thus resolved one at a time: of two that say the same one stays.
struct PooledElimination {
  /// Attempts of Levenberg-Marquardt at most to fit the rest after a removal.
  var attempts: Int
  /// Above it an effect is proven.
  var proof = Tuning.proof
  /// A rise of the mean squared error, in units of the rate's variance, that does not matter.
  var negligible = Tuning.negligible
  /// By which share of itself, and by which amount, an error may rise.
  var tolerance = 0.3
  var slack = 1e-6
  var kernels = Kernels.active

  /// One member's network of the output, with what it was fitted to and what it holds out.
  struct Member: Sendable {
    var network: Network
    var rows: RegressionRows
    /// Of the same trajectories, as recorded.
    var learnt: RegressionRows
    /// Of those that are held out, as recorded.
    var held: RegressionRows
  }

  struct Outcome: Sendable {
    var members: [Member]
    /// In their order.
    var removed: [Int]
    /// What doing without each of the inputs that stay, or without each that went when it went, costs.
    var comparisons: [Int: NestedComparison]
    /// Of those that stay, what others that went could do as well.
    var replaceable: Set<Int> = []
  }

  func run(_ members: [Member]) -> Outcome {
    var outcome = Outcome(members: members, removed: [], comparisons: [:])
    var state = State(members, self)
    var kept: Set<Int> = []
    while true {
      let candidates = outcome.members.readInputs.subtracting(kept).sorted()
      guard !candidates.isEmpty else { return outcome }
      let costs = candidates.map { cost(of: $0, outcome.members, state) }
      var batch = idle(costs).map(\.input)
      while !batch.isEmpty {
        let (comparison, accepted) = trial(without: batch, outcome.members, state)
        for input in batch { outcome.comparisons[input] = comparison }
        if Tuning.verbose { print("  trial", batch, comparison.cost, comparison.statistic, accepted != nil) }
        if let accepted {
          outcome.members = accepted
          outcome.removed += batch
          var damping = accepted.map { _ in 1e-2 }
          advance(&outcome.members, &damping)
          state = State(outcome.members, self)
          break
        }
        if batch.count == 1 { kept.insert(batch[0]) }
        batch = Array(batch.prefix(batch.count / 2))
      }
    }
  }

  /// What the members are like at present.
  private struct State {
    let held: [HeldOutErrors]
    let fitted: [HeldOutErrors]
    let heldMean: Double
    let fittedMean: [Double]

    init(_ members: [Member], _ elimination: PooledElimination) {
      held = members.map { HeldOutErrors($0.network, $0.held, kernels: elimination.kernels) }
      fitted = members.map { HeldOutErrors($0.network, $0.rows, kernels: elimination.kernels) }
      heldMean = held.map(\.mean).mean
      fittedMean = fitted.map(\.mean)
    }
  }

  /// An input with what doing without it costs before the hidden units have answered.
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
      terms.append(
        held.compared(with: HeldOutErrors(network, member.held, kernels: kernels)))
    }
    return Cost(input: input, loss: loss, comparison: NestedComparison(terms))
  }

  /// The cheapest first: all that are clearly idle, at most half of the candidates; else the cheapest alone.
  private func idle(_ costs: [Cost]) -> [Cost] {
    let ordered = costs.sorted { ($0.loss, $0.input) < ($1.loss, $1.input) }
    let idle = ordered.filter {
      $0.comparison.statistic < proof / 2 || $0.comparison.cost < negligible / 4
    }
    return Array((idle.isEmpty ? ordered.prefix(1) : idle.prefix(max(1, costs.count / 2)))[...])
  }

  /// Without these inputs, the outputs' own parameters having answered, and the loss there.
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

  /// Fits all members without the inputs, a few attempts at a time, until nothing speaks against it or hope is
  /// lost.
  private func trial(without inputs: [Int], _ members: [Member], _ state: State) -> (
    comparison: NestedComparison, accepted: [Member]?
  ) {
    var reduced = members
    for index in members.indices {
      reduced[index].network = start(members[index], without: inputs).0
    }
    var damping = members.map { _ in 1e-2 }
    var left = attempts
    var costBefore = Double.infinity
    while true {
      let errors = reduced.map { HeldOutErrors($0.network, $0.held, kernels: kernels) }
      let comparison = NestedComparison(
        zip(state.held, errors).map { $0.compared(with: $1) })
      if isAllowed(comparison, errors, inputs, reduced, state) { return (comparison, reduced) }
      guard left > 0, isHopeful(comparison, costBefore, left) else { return (comparison, nil) }
      costBefore = comparison.cost
      left -= 4
      advance(&reduced, &damping)
    }
  }

  /// Four attempts more for each member.
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

  /// Whether the cost, falling at this pace, will come to where it is beneath notice or not proven any more: the
  /// statistic goes with its root.
  private func isHopeful(_ now: NestedComparison, _ costBefore: Double, _ left: Int) -> Bool {
    guard costBefore.isFinite, now.cost > 0, now.statistic > proof else { return true }
    let pace = now.cost / costBefore
    let wanted = max(negligible, now.cost * (proof / now.statistic) * (proof / now.statistic))
    return now.cost * pow(min(1, pace), Double(left) / 4) <= wanted
  }

  private func isAllowed(
    _ comparison: NestedComparison, _ errors: [HeldOutErrors], _ inputs: [Int],
    _ reduced: [Member], _ state: State
  ) -> Bool {
    guard comparison.statistic < proof || comparison.cost < negligible else { return false }
    guard errors.map(\.mean).mean <= (1 + tolerance) * state.heldMean + slack else { return false }
    for input in inputs {
      let rows = reduced.reduce(0) { $0 + $1.held.effectiveRows(input) }
      let share = max(tolerance, 2 / rows.squareRoot())
      let before = state.held.map { $0.leverage(input) }.mean
      guard errors.map({ $0.leverage(input) }).mean <= (1 + share) * before + slack else {
        return false
      }
    }
    return true
  }
}

extension [PooledElimination.Member] {
  /// The inputs that any of the networks reads.
  var readInputs: Set<Int> {
    reduce(into: []) { read, member in read.formUnion(member.network.readInputs) }
  }
}

extension Network {
  /// The inputs from which a path of weights leads to an output.
  var readInputs: Set<Int> {
    var live = Set(outputLayers.flatMap { layer in
      (0..<layers[layer].unitCount).map { Unit(layer: layer, unit: $0) }
    })
    var read: Set<Int> = []
    for layer in layers.indices.reversed() {
      for unit in 0..<layers[layer].unitCount where live.contains(Unit(layer: layer, unit: unit)) {
        for connection in layers[layer].connections {
          for (column, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
            switch connection.source {
            case .inputs: read.insert(column)
            case .layer(let source): live.insert(Unit(layer: source, unit: column))
            }
          }
        }
      }
    }
    return read
  }

  private struct Unit: Hashable {
    var layer: Int
    var unit: Int
  }

  /// With a weight straight from every input to every output that it may have and lacks, so small that
  /// it changes nothing: a fit can give it any size.
  func withLinearPartOpen(_ size: Double = 1e-9) -> Network {
    var result = self
    for layer in outputLayers {
      for index in layers[layer].connections.indices
      where layers[layer].connections[index].source == .inputs {
        result.layers[layer].connections[index].weight =
          layers[layer].connections[index].weight.map { $0 == 0 ? size : $0 }
      }
    }
    return result
  }
}

enum Tuning {
  static func value(_ name: String, _ usual: Double) -> Double { ProcessInfo.processInfo.environment[name].flatMap(Double.init) ?? usual }
  static let proof = value("EV_PROOF", 3)
  static let negligible = value("EV_NEG", 4e-6)
  static let rows = Int(value("EV_ROWS", 10_000))
  static let blocks = Int(value("EV_BLOCKS", 60))
  static let floor = value("EV_FLOOR", 0.005)
  static let verbose = value("EV_VERBOSE", 0) > 0
}
