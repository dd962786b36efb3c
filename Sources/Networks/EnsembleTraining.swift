import Dynamics
import LinearAlgebra

/// A training of several members: what to do, on what, from which seed.
public struct EnsembleTraining: Sendable {
  public var recipe: Recipe
  public var members: Int
  public var seed: UInt64
  public var threads: Int

  public init(recipe: Recipe, members: Int, seed: UInt64, threads: Int) {
    self.recipe = recipe
    self.members = members
    self.seed = seed
    self.threads = threads
  }

  /// One independent problem: a member's trunk or one of its towers.
  public struct Problem: Hashable, Sendable {
    public var member: Int
    /// The output that the tower predicts; nil for a shared trunk.
    public var tower: Int?
  }

  /// What happened, problem by problem.
  public struct Progress: Sendable {
    public var problem: Problem
    public var record: EpochRecord
  }

  public struct History: Sendable {
    public var problem: Problem
    public var epochs: [EpochRecord]
  }

  public func problems(targets: Int) -> [Problem] {
    (0..<members).flatMap { member in
      recipe.towers == .shared
        ? [Problem(member: member)]
        : (0..<targets).map { Problem(member: member, tower: $0) }
    }
  }

  /// Trains all members. The models and histories are the same for any number of threads.
  ///
  /// - Parameters:
  ///   - data: the trajectories to learn from; part of them validates if the recipe says so.
  ///   - report: called after every epoch of every problem, from any thread.
  /// - Throws: `DataProblem`, or `TrainingFailure` when a loss is no longer finite.
  public func run(
    on data: Trajectories, report: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> (models: [Model], histories: [History]) {
    let (trainingData, validationData) = data.split(validationFraction: recipe.validation)
    let set = try TrainingSet(trainingData)
    // A held-out trajectory of a single sample holds no step and validates nothing.
    let validation = try validationData.flatMap { data throws(DataProblem) in
      data.samples.contains { $0.rows > 1 } ? try TrainingSet(data, scaledLike: set) : nil
    }
    let problems = problems(targets: set.targets.count)
    let trained = try await concurrentMap(problems.count, threads: threads) { index in
      try train(problems[index], set: set, validation: validation, report: report)
    }
    let perMember = problems.count / members
    let models = (0..<members).map { member in
      let towers = trained[(member * perMember)..<((member + 1) * perMember)].map(\.network)
      return Model(
        network: Network.joined(Array(towers)).cut(recipe.cut), inputs: set.features,
        outputs: set.targets, inputScaling: set.inputScaling, outputScaling: set.outputScaling,
        timeStep: set.timeStep, recipe: recipe.description)
    }
    return (models, trained.map(\.history))
  }

  private func train(
    _ problem: Problem, set: TrainingSet, validation: TrainingSet?,
    report: (Progress) -> Void
  ) throws -> (network: Network, history: History) {
    var stream = RandomStream(
      seed: seed, path: [UInt64(problem.member), UInt64((problem.tower ?? -1) + 1)])
    let initial = Network.initial(
      recipe: recipe, inputs: set.features.count,
      outputs: problem.tower == nil ? set.targets.count : 1,
      name: problem.tower.map { set.targets[$0].name } ?? "", stream: &stream)
    var trainer = Trainer(
      network: initial, recipe: recipe, set: set, firstTarget: problem.tower ?? 0, stream: stream)
    var history = History(problem: problem, epochs: [])
    for epoch in 1...recipe.epochs {
      try Task.checkCancellation()
      let record = trainer.runEpoch(epoch, validation: validation)
      guard record.trainingLoss.isFinite && record.penalty.isFinite else {
        throw TrainingFailure(
          member: problem.member, output: problem.tower.map { set.targets[$0].name }, epoch: epoch,
          loss: record.trainingLoss)
      }
      history.epochs.append(record)
      report(Progress(problem: problem, record: record))
    }
    return (trainer.result, history)
  }
}

/// A training whose loss left the finite numbers.
public struct TrainingFailure: Error, Equatable, CustomStringConvertible {
  public let member: Int
  public let output: String?
  public let epoch: Int
  public let loss: Double

  public var description: String {
    let place = output.map { ", tower \"\($0)\"" } ?? ""
    return
      "member \(member)\(place) diverged in epoch \(epoch) (loss \(loss)); a lower --learning-rate "
      + "usually helps"
  }
}
