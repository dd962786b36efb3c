import Dynamics
import LinearAlgebra
import Networks

/// A training of several members: what to do, on what, from which seed.
public struct EnsembleTraining: Sendable {
  /// What to do with a problem whose training left the finite numbers.
  public enum OnDivergence: String, Codable, CaseIterable, Sendable {
    /// Once more from other weights and in another order; if that diverges too, leave out the member.
    case restart
    case leaveOut = "leave-out"
    case stop
  }

  public var recipe: Recipe
  public var members: Int
  public var seed: UInt64
  public var threads: Int
  public var onDivergence: OnDivergence
  /// Whether each member learns from a random half of the trajectories, as stability selection asks for
  /// (Meinshausen & Bühlmann 2010), rather than all from all.
  public var usesHalves: Bool

  /// The fewest trajectories that can be halved: a half needs one to learn from and one to validate.
  public static let fewestForHalves = 4

  public init(
    recipe: Recipe, members: Int, seed: UInt64, threads: Int, onDivergence: OnDivergence = .restart,
    usesHalves: Bool = false
  ) {
    self.usesHalves = usesHalves
    self.recipe = recipe
    self.members = members
    self.seed = seed
    self.threads = threads
    self.onDivergence = onDivergence
  }

  /// One independent problem: a member's trunk or one of its towers.
  public struct Problem: Hashable, Codable, Sendable {
    public var member: Int
    /// The output that the tower predicts; nil for a shared trunk.
    public var tower: Int?

    public init(member: Int, tower: Int? = nil) {
      self.member = member
      self.tower = tower
    }
  }

  /// What happened, problem by problem.
  public struct Progress: Sendable {
    public var problem: Problem
    public var record: EpochRecord
    /// Epochs that will not be: the held-out trajectories have ended the problem.
    public var epochsLeftOut = 0
  }

  public struct History: Equatable, Sendable {
    public var problem: Problem
    /// Of the last attempt.
    public var epochs: [EpochRecord]
    /// Of each attempt that diverged: none, or one, or two if the problem was given up.
    public var divergences: [Divergence]
    /// What came after the stochastic training, if anything did.
    public var refinement: Refinement.Record?
  }

  public struct Outcome: Sendable {
    /// The members that were trained, by number.
    public var models: [(member: Int, model: Model)]
    /// Of all problems, those of members that were left out included.
    public var histories: [History]
  }

  public func problems(targets: Int) -> [Problem] {
    (0..<members).flatMap { member in
      recipe.towers == .shared && recipe.method == .gradient
        ? [Problem(member: member)]
        : (0..<targets).map { Problem(member: member, tower: $0) }
    }
  }

  /// Trains all members. Models and histories are the same for any number of threads, and whether or
  /// not the training was interrupted and taken up again.
  ///
  /// - Parameters:
  ///   - data: the trajectories to learn from; part of them validates if the recipe says so.
  ///   - checkpoints: where states are kept and taken up from.
  ///   - report: called after every epoch of every problem, from any thread.
  /// - Throws: `DataProblem`; `TrainingFailure` when a training diverged and none is left or `stop` was
  ///   asked for; `CancellationError` after the states were kept, when the task is cancelled; what the
  ///   checkpoints throw.
  public func run(
    on data: Trajectories, checkpoints: Checkpoints = .none,
    report: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Outcome {
    try await run(
      on: recipe.smooth ? try await Smoother(threads: threads).run(data) : Smoothing(data),
      checkpoints: checkpoints, report: report)
  }

  /// The same for data that have been smoothed, or need not be.
  public func run(
    on data: Smoothing, checkpoints: Checkpoints = .none,
    report: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Outcome {
    if usesHalves { return try await runOnHalves(data, checkpoints, report) }
    let material = try Material(data, recipe: recipe)
    let states = try problems(targets: material.set.targets.count).map {
      try checkpoints.load($0) ?? ProblemState($0)
    }
    let groups = groups(states)
    let trained = try await concurrentMap(groups.count, threads: threads) { index in
      try train(groups[index], on: material, checkpoints: checkpoints, report: report)
    }.flatMap { $0 }
    let finished = try await concurrentMap(members, threads: threads) { member in
      try resmoothed(trained.filter { $0.history.problem.member == member }, material)
    }.flatMap { $0 }
    return try outcome(Array(0..<members), finished, material.set)
  }

  /// The trajectories that each member learns from, of so many: half of them, rounded down, drawn without
  /// replacement.
  public func halves(of count: Int) -> [[Int]] {
    var halves: [[Int]] = []
    for member in 0..<members {
      var stream = RandomStream(seed: seed, path: [UInt64.max, UInt64(member)])
      var half: [Int] = []
      // Another one than those before, as long as there are any: few trajectories have few halves.
      for _ in 0..<100 where half.isEmpty || halves.contains(half) {
        var order = Array(0..<count)
        stream.shuffle(&order)
        half = order.prefix(count / 2).sorted()
      }
      halves.append(half)
    }
    return halves
  }

  /// All members are in the standardisation of the whole data, so that their relevances compare.
  private func runOnHalves(
    _ data: Smoothing, _ checkpoints: Checkpoints, _ report: @escaping @Sendable (Progress) -> Void
  ) async throws -> Outcome {
    let whole = try TrainingSet(data.data)
    let halves = halves(of: data.data.samples.count)
    let trained = try await concurrentMap(members, threads: threads) { member in
      let material = try Material(data.choosing(halves[member]), recipe: recipe, scaledLike: whole)
      let states = try problems(targets: whole.targets.count).filter { $0.member == member }
        .map { try checkpoints.load($0) ?? ProblemState($0) }
      // Towers that were kept at different epochs do not go along with each other.
      let trained = try groups(states).flatMap {
        try train($0, on: material, checkpoints: checkpoints, report: report)
      }
      return try resmoothed(trained, material)
    }.flatMap { $0 }
    return try outcome(Array(0..<members), trained, whole)
  }

  /// Trains one member, alone; the result is that of `run`.
  public func run(
    member: Int, on material: Material, report: @escaping @Sendable (Progress) -> Void = { _ in }
  ) throws -> Outcome {
    let states = problems(targets: material.set.targets.count).filter { $0.member == member }
      .map { ProblemState($0) }
    let trained = try train(states, on: material, checkpoints: .none, report: report)
    return try outcome([member], try resmoothed(trained, material), material.set)
  }

  /// Data made ready for the trainings of a recipe.
  public struct Material: Sendable {
    let set: TrainingSet
    let validation: TrainingSet?
    let refinement: Refinement.Material?
    /// Where there are no networks to train: what was found for each target.
    let regressions: [LibraryRegression.Fit]?
    /// What was found in the data that a user must know.
    public let warnings: [String]

    /// What of a recipe decides the material.
    public static func identity(_ recipe: Recipe) -> String {
      recipe.method == .gradient
        ? "\(recipe.validation) \(recipe.isRefined) \(recipe.hidden) \(recipe.skip) \(recipe.inputSkip) "
          + recipe.towers.rawValue
        : "\(recipe.validation) \(recipe.method) \(recipe.degree)"
    }

    /// - Parameters:
    ///   - data: trajectories, smoothed or as they are.
    ///   - recipe: what decides how they are divided and scaled.
    ///   - whole: the data whose standardisation is used; by default that of `data`.
    /// - Throws: `DataProblem`.
    public init(_ data: Smoothing, recipe: Recipe, scaledLike whole: TrainingSet? = nil)
      throws(DataProblem)
    {
      warnings = data.warnings
      let (training, validation) = data.split(validationFraction: recipe.validation)
      let set =
        if let whole { try TrainingSet(training.data, scaledLike: whole) } else {
          try TrainingSet(training.data)
        }
      self.set = set
      // A held-out trajectory of a single sample holds no step and validates nothing.
      let held = validation.flatMap { held in
        held.data.samples.contains { $0.rows > 1 } ? held : nil
      }
      self.validation =
        if let held { try TrainingSet(held.data, scaledLike: set) } else { nil }
      refinement =
        recipe.isRefined
        ? try Refinement.Material(
          training: training, validation: held, all: data,
          parameters: recipe.parameters(inputs: set.features.count, outputs: set.targets.count),
          scaledLike: set) : nil
      guard recipe.method != .gradient else {
        regressions = nil
        return
      }
      let regression = try LibraryRegression(
        training: training, validation: held ?? training, scaledLike: set, degree: recipe.degree)
      regressions = set.targets.indices.map { target in
        regression.fit(recipe.method, target: target, name: set.targets[target].name)
      }
    }
  }

  private func train(
    _ states: [ProblemState], on material: Material, checkpoints: Checkpoints,
    report: @escaping @Sendable (Progress) -> Void
  ) throws -> [GroupTraining.Trained] {
    if let regressions = material.regressions {
      return states.map { state in
        take(regressions[state.problem.tower ?? 0], state.problem, material.set, report)
      }
    }
    var group = GroupTraining(
      self, set: material.set, validation: material.validation, refinement: material.refinement,
      checkpoints: checkpoints, states: states, report: report)
    return try group.run()
  }

  /// - Parameter trained: all problems of one member.
  private func resmoothed(_ trained: [GroupTraining.Trained], _ material: Material) throws
    -> [GroupTraining.Trained]
  {
    let networks = trained.compactMap(\.network)
    // A member that is left out, or too large to be fitted, stays as it is.
    guard let refinement = material.refinement, networks.count == trained.count,
      trained.allSatisfy({ $0.history.refinement?.sizeBeyondLimit == nil })
    else { return trained }
    let fitted = try Refinement(recipe: recipe, material: refinement).resmooth(networks)
    return zip(trained, fitted).map { problem, network in
      var problem = problem
      problem.network = network
      return problem
    }
  }

  /// A polynomial in place of a network: the same for every member.
  private func take(
    _ fit: LibraryRegression.Fit, _ problem: Problem, _ set: TrainingSet,
    _ report: @Sendable (Progress) -> Void
  ) -> GroupTraining.Trained {
    let record = EpochRecord(
      epoch: 1, learningRate: 0, trainingLoss: fit.chosen.loss, penalty: 0,
      validationLoss: fit.chosen.validation, survivingWeights: fit.network.survivingWeightCount)
    report(
      Progress(
        problem: problem, record: record, epochsLeftOut: recipe.epochs(rows: set.rows) - 1))
    return GroupTraining.Trained(
      network: fit.network,
      history: History(problem: problem, epochs: [record], divergences: []))
  }

  /// Problems that are trained side by side on the same minibatches: the towers of a member that have
  /// got equally far, in parts where there are more threads than members. How they are grouped changes
  /// no result.
  func groups(_ states: [ProblemState]) -> [[ProblemState]] {
    let parts = max(1, (threads + members - 1) / members)
    let largest = max(1, (states.count / members + parts - 1) / parts)
    var groups: [[ProblemState]] = []
    for state in states {
      if let last = groups.last?.last, groups[groups.count - 1].count < largest,
        last.goesAlong(with: state)
      {
        groups[groups.count - 1].append(state)
      } else {
        groups.append([state])
      }
    }
    return groups
  }

  private func outcome(
    _ members: [Int], _ trained: [GroupTraining.Trained], _ set: TrainingSet
  ) throws -> Outcome {
    var models: [(member: Int, model: Model)] = []
    for member in members {
      let towers = trained.filter { $0.history.problem.member == member }
      let networks = towers.compactMap(\.network)
      guard networks.count == towers.count else { continue }
      var model = Model(
        network: Network.joined(networks).cut(recipe.cut), inputs: set.features,
        outputs: set.targets, inputScaling: set.inputScaling, outputScaling: set.outputScaling,
        timeStep: set.timeStep, recipe: recipe.description)
      model.inputRanges = set.ranges
      models.append((member, model))
    }
    let histories = trained.map(\.history)
    if models.isEmpty, let failed = histories.first(where: { !$0.divergences.isEmpty }) {
      throw TrainingFailure(failed, outputs: set.targets.map(\.name))
    }
    return Outcome(models: models, histories: histories)
  }
}

/// A training whose loss or weights left the finite numbers.
public struct TrainingFailure: Error, Equatable, CustomStringConvertible {
  public let problem: EnsembleTraining.Problem
  public let output: String?
  public let divergences: [Divergence]

  init(_ history: EnsembleTraining.History, outputs: [String]) {
    problem = history.problem
    output = history.problem.tower.map { outputs[$0] }
    divergences = history.divergences
  }

  public var description: String {
    let place = "member \(problem.member)" + (output.map { ", tower \"\($0)\"," } ?? "")
    let again = divergences.count > 1 ? " twice, at last" : ""
    guard let last = divergences.last else { return "\(place) diverged" }
    return "\(place) diverged\(again) \(last); a lower --learning-rate usually helps"
  }
}

extension Divergence: CustomStringConvertible {
  public var description: String {
    let what =
      switch cause {
      case .loss: "the loss of a minibatch is no finite number"
      case .weights: "a weight is no finite number"
      }
    let before = lossBefore.map { ", a step before it was \(Float($0))" } ?? ""
    return "in epoch \(epoch), step \(step): \(what)\(before); learning rate \(Float(learningRate))"
  }
}
