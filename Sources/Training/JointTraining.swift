import Dynamics
import LinearAlgebra
import Networks

/// A training whose members decide together (`Recipe.isCrossFitted`), taken apart into steps that different processes
/// can make, on different machines and at different times.
///
/// Every member is fitted; one decision, which needs all fits, says what each input is for; every member is then
/// thinned and fitted again; and the outcome is put together. Each step is a pure function of the recipe, the seed,
/// the data and the steps before, whose results are written and read without the loss of a bit: the outcome is that
/// of `EnsembleTraining.run(on:)`.
public struct JointTraining: Sendable {
  private let training: EnsembleTraining
  private let data: Smoothing
  private let whole: TrainingSet

  /// - Parameters:
  ///   - training: of a recipe whose members decide together.
  ///   - data: smoothed if the recipe says so.
  /// - Throws: `DataProblem` for data without a step.
  public init(_ training: EnsembleTraining, on data: Smoothing) throws(DataProblem) {
    precondition(training.recipe.isCrossFitted && !training.usesHalves)
    self.training = training
    self.data = data
    whole = try TrainingSet(data.data)
  }

  /// What a user must know about the data.
  public var warnings: [String] { data.warnings }

  private func material(_ member: Int) throws(DataProblem) -> EnsembleTraining.Material {
    try EnsembleTraining.Material(
      data, recipe: training.recipe, scaledLike: whole, part: member, of: training.members)
  }

  // MARK: Steps

  /// The networks of one member with all inputs.
  public struct Fit: Equatable, Codable, Sendable {
    var trained: [GroupTraining.Trained]
  }

  /// - Parameters:
  ///   - member: its number.
  ///   - report: called after every epoch of every problem.
  /// - Throws: `DataProblem`, `CancellationError`.
  public func fit(
    _ member: Int, report: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
  ) throws -> Fit {
    let states = training.problems(targets: whole.targets.count)
      .filter { $0.member == member }.map { ProblemState($0) }
    let material = try material(member)
    return Fit(
      trained: try training.groups(states).flatMap {
        try training.train($0, on: material, checkpoints: .none, report: report)
      })
  }

  /// What the members together decided, output by output.
  public struct Decision: Equatable, Codable, Sendable {
    struct Output: Equatable, Codable, Sendable {
      /// Of each member, without the inputs that none needs.
      var trained: [GroupTraining.Trained]
      var evidence: PooledEvidence?
    }
    var outputs: [Output]
  }

  /// - Parameter fits: of all members, in their order.
  /// - Throws: `DataProblem`, `CancellationError`.
  public func decide(_ fits: [Fit]) throws -> Decision {
    let members = 0..<training.members
    let trained = fits.flatMap(\.trained)
    let materials = try members.map { try material($0) }
    let grounds = try members.map { try training.grounds(trained, of: $0, materials[$0]) }
    let towers = training.problems(targets: whole.targets.count).filter { $0.member == 0 }
    return Decision(
      outputs: try towers.map { tower in
        let decided = try training.decide(
          trained.filter { $0.history.problem.tower == tower.tower }, grounds, materials)
        return Decision.Output(trained: decided.trained, evidence: decided.evidence)
      })
  }

  /// A member as it is delivered.
  public struct Refit: Equatable, Codable, Sendable {
    var trained: [GroupTraining.Trained]
    var choice: FreeRunChoice?
    var rehearsal: Rehearsal?
  }

  /// - Parameters:
  ///   - member: its number.
  ///   - fit: of this member.
  ///   - decision: of all.
  /// - Throws: `DataProblem`, `CancellationError`.
  public func refit(_ member: Int, _ fit: Fit, _ decision: Decision) throws -> Refit {
    let material = try material(member)
    let decided = decided(decision)
    let grounds = try training.grounds(fit.trained, of: member, material)
    let finished = try training.finish(
      decided.flatMap(\.trained), of: member, material, grounds)
    let delivered = try training.deliver(finished, before: fit.trained, of: member, material)
    let isRehearsed = member < training.rehearsing(decided)
    return Refit(
      trained: delivered.trained, choice: delivered.choice,
      rehearsal: isRehearsed ? try training.rehearse(delivered, member, material) : nil)
  }

  /// - Parameters:
  ///   - decision: of all members.
  ///   - refits: of all members, in their order.
  /// - Throws: `TrainingFailure` where every member diverged, `DataProblem`.
  public func outcome(_ decision: Decision, _ refits: [Refit]) throws -> EnsembleTraining.Outcome {
    try training.outcome(
      Array(0..<training.members),
      refits.map { FreeRunDelivery(trained: $0.trained, choice: $0.choice) }, decided(decision),
      refits.map(\.rehearsal), material(0).set)
  }

  private func decided(_ decision: Decision) -> [EnsembleTraining.Decision] {
    decision.outputs.map { .init(trained: $0.trained, evidence: $0.evidence) }
  }

  // MARK: What was read

  /// Whether a fit read from a file is one of this member.
  public func fits(_ fit: Fit, of member: Int) -> Bool {
    fit.trained.map(\.history.problem) == problems(of: member)
      && fit.trained.allSatisfy { $0.history.isComplete && hasShape($0) }
  }

  public func fits(_ decision: Decision) -> Bool {
    let towers = problems(of: 0).map(\.tower)
    let (inputs, members) = (whole.features.count, training.members)
    return decision.outputs.count == towers.count
      && zip(decision.outputs, towers).allSatisfy { output, tower in
        output.trained.map(\.history.problem)
          == (0..<members).map { TrainingProblem(member: $0, tower: tower) }
          && output.trained.allSatisfy { hasShape($0) }
          && output.evidence.map { $0.hasShape(inputs: inputs) } ?? true
      }
  }

  public func fits(_ refit: Refit, of member: Int) -> Bool {
    let outputs = whole.targets.count
    return refit.trained.map(\.history.problem) == problems(of: member)
      && refit.trained.allSatisfy { hasShape($0) }
      && refit.rehearsal.map { rehearsal in
        rehearsal.spread.count == outputs
          && rehearsal.misses.map {
            $0.rows == outputs && $0.columns == whole.features.count
              && $0.elements.count == $0.rows * $0.columns
          } ?? true
      } ?? true
  }

  private func problems(of member: Int) -> [TrainingProblem] {
    training.problems(targets: whole.targets.count).filter { $0.member == member }
  }

  private func hasShape(_ trained: GroupTraining.Trained) -> Bool {
    guard let network = trained.network else { return true }
    return network.inputCount == whole.features.count
      && network.outputCount == (trained.history.problem.tower == nil ? whole.targets.count : 1)
  }
}

extension TrainingHistory {
  /// Whether there is an end, or a reason why there is none.
  fileprivate var isComplete: Bool { !epochs.isEmpty || !divergences.isEmpty }
}

extension PooledEvidence {
  fileprivate func hasShape(inputs: Int) -> Bool {
    [
      effects.count, signed.count, deviations.count, comparisons.count, isIn.count,
      isReplaceable.count,
    ].allSatisfy { $0 == inputs } && alone.allSatisfy { $0.count == inputs }
      && collinear.joined().allSatisfy { (0..<inputs).contains($0) }
  }
}

// MARK: - Files

extension GroupTraining.Trained: Codable {
  private enum Key: String, CodingKey { case network, history }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    network = try values.decodeIfPresent(NetworkRecord.self, forKey: .network)?.network()
    history = try values.decode(TrainingHistory.self, forKey: .history)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encodeIfPresent(network.map(NetworkRecord.init), forKey: .network)
    try values.encode(history, forKey: .history)
  }
}
