import Dynamics
import Evidence
import LinearAlgebra
import Networks

/// A training of several members: recipe, number of members and seed.
public struct EnsembleTraining: Sendable {
  public var recipe: Recipe
  public var members: Int
  public var seed: UInt64
  public var threads: Int
  public var onDivergence: OnDivergence
  /// Whether each member learns from a random half of the trajectories, as stability selection requires
  /// (Meinshausen & Bühlmann 2010), instead of all members from all of them.
  public var usesHalves: Bool

  /// The fewest trajectories that can be halved: a half needs one for training and one for validation.
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

  public struct Outcome: Sendable {
    /// The members that were trained, by number.
    public var models: [(member: Int, model: Model)]
    /// Of all problems, those of members that were left out included.
    public var histories: [TrainingHistory]
    /// The evidence on every pair, if the members decided together.
    public var evidence: EnsembleEvidence?
    /// How each member's networks were chosen by their free runs, if they were.
    public var freeRuns: [FreeRunChoice] = []
  }

  public func problems(targets: Int) -> [TrainingProblem] {
    (0..<members).flatMap { member in
      recipe.towers == .shared && recipe.method == .gradient
        ? [TrainingProblem(member: member)]
        : (0..<targets).map { TrainingProblem(member: member, tower: $0) }
    }
  }

  /// Trains all members. Models and histories are the same for any number of threads, and whether or not the
  /// training was interrupted and resumed.
  ///
  /// - Parameters:
  ///   - data: the trajectories to learn from; some of them validate if the recipe says so.
  ///   - checkpoints: where states are saved and from where they are resumed.
  ///   - report: called after every epoch of every problem, from any thread.
  /// - Throws: `DataProblem`; `TrainingFailure` if a training diverged and no member is left or `stop` was
  ///   requested; `CancellationError`, after the states were saved, if the task is cancelled; whatever the
  ///   checkpoints throw.
  public func run(
    on data: Trajectories, checkpoints: Checkpoints = .none,
    report: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
  ) async throws -> Outcome {
    try await run(
      on: recipe.smooth ? try await Smoother(threads: threads).run(data) : Smoothing(data),
      checkpoints: checkpoints, report: report)
  }

  /// Trains all members on data that have been smoothed, or need no smoothing.
  public func run(
    on data: Smoothing, checkpoints: Checkpoints = .none,
    report: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
  ) async throws -> Outcome {
    if usesHalves { return try await runOnHalves(data, checkpoints, report) }
    let materials = try materials(data)
    let states = try problems(targets: materials[0].set.targets.count).map {
      try checkpoints.load($0) ?? ProblemState($0)
    }
    let groups = groups(states)
    let trained = try await concurrentMap(groups.count, threads: threads) { index in
      let group = groups[index]
      return try train(
        group, on: materials[group[0].problem.member], checkpoints: checkpoints, report: report)
    }.flatMap { $0 }
    let towers = problems(targets: materials[0].set.targets.count).filter { $0.member == 0 }
    let grounds = try await concurrentMap(members, threads: threads) { member in
      try self.grounds(trained, of: member, materials[member])
    }
    let decided = try await concurrentMap(towers.count, threads: threads) { index in
      try decide(
        trained.filter { $0.history.problem.tower == towers[index].tower }, grounds, materials)
    }
    let delivered = try await concurrentMap(members, threads: threads) { member in
      try deliver(
        finish(decided.flatMap(\.trained), of: member, materials[member], grounds[member]),
        before: trained, of: member, materials[member])
    }
    let rehearsals = try await concurrentMap(rehearsing(decided), threads: threads) {
      try rehearse(delivered[$0], $0, materials[$0])
    }
    return try outcome(Array(0..<members), delivered, decided, rehearsals, materials[0].set)
  }

  /// One for each member, according to what it holds out, or the same for all.
  private func materials(_ data: Smoothing) throws(DataProblem) -> [Material] {
    guard recipe.isCrossFitted else {
      return Array(repeating: try Material(data, recipe: recipe), count: members)
    }
    let whole = try TrainingSet(data.data)
    var materials: [Material] = []
    for member in 0..<members {
      materials.append(
        try Material(data, recipe: recipe, scaledLike: whole, part: member, of: members))
    }
    return materials
  }

  /// The trajectories that each member learns from, out of `count`: half of them, rounded down, drawn without
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

  /// All members use the standardisation of the whole data, so that their relevances are comparable.
  private func runOnHalves(
    _ data: Smoothing, _ checkpoints: Checkpoints,
    _ report: @escaping @Sendable (TrainingProgress) -> Void
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
      return try alone(trained, member, material)
    }.flatMap { $0 }
    return try outcome(
      Array(0..<members), [FreeRunDelivery(trained: trained)], [], [], whole)
  }

  /// Decides a member's structure by what that member alone holds out.
  private func alone(_ trained: [GroupTraining.Trained], _ member: Int, _ material: Material) throws
    -> [GroupTraining.Trained]
  {
    var grounds = [Refinement.Grounds?](repeating: nil, count: members)
    grounds[member] = try self.grounds(trained, of: member, material)
    let materials = Array(repeating: material, count: members)
    let decided = try trained.flatMap { try decide([$0], grounds, materials).trained }
    return try finish(decided, of: member, material, grounds[member])
  }

  /// Trains one member, alone; if members normally decide together (`Recipe.isCrossFitted`), it decides by what it
  /// holds out itself.
  public func run(
    member: Int, on material: Material,
    report: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
  ) throws -> Outcome {
    let states = problems(targets: material.set.targets.count).filter { $0.member == member }
      .map { ProblemState($0) }
    let trained = try train(states, on: material, checkpoints: .none, report: report)
    let finished = try alone(trained, member, material)
    return try outcome(
      [member], [try deliver(finished, before: trained, of: member, material)], [], [],
      material.set)
  }

  /// Data prepared for the trainings of a recipe.
  public struct Material: Sendable {
    let set: TrainingSet
    let validation: TrainingSet?
    let refinement: Refinement.Material?
    /// Where there are no networks to train: the fits for each target.
    let regressions: [LibraryRegression.Fit]?
    /// What a user must know about the data.
    public let warnings: [String]

    /// The part of a recipe that decides the material.
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
    ///   - part: the number of this one among `parts`.
    ///   - parts: which hold out different trajectories.
    /// - Throws: `DataProblem`.
    public init(
      _ data: Smoothing, recipe: Recipe, scaledLike whole: TrainingSet? = nil, part: Int = 0,
      of parts: Int = 1
    ) throws(DataProblem) {
      warnings = data.warnings
      let fold = Fold(data, part: part, of: parts, fraction: recipe.validation)
      let (training, validation) = (fold.training.smoothing, fold.held?.smoothing)
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
          fold: fold,
          cut: .init(part: part, parts: parts, fraction: recipe.validation), all: data,
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

  func train(
    _ states: [ProblemState], on material: Material, checkpoints: Checkpoints,
    report: @escaping @Sendable (TrainingProgress) -> Void
  ) throws -> [GroupTraining.Trained] {
    if let regressions = material.regressions {
      return states.map { state in
        take(regressions[state.problem.tower ?? 0], state.problem, material.set, report)
      }
    }
    var group = GroupTraining(
      recipe: recipe, seed: seed, onDivergence: onDivergence, set: material.set,
      validation: material.validation, refinement: material.refinement,
      checkpoints: checkpoints, states: states, report: report)
    return try group.run()
  }

  /// What was decided of an output, or of all where they share a trunk.
  struct Decision: Sendable {
    var trained: [GroupTraining.Trained]
    var evidence: PooledEvidence?
  }

  /// The rows by which the networks of a member are judged; nil if they are not to be, or cannot be, judged.
  func grounds(_ all: [GroupTraining.Trained], of member: Int, _ material: Material) throws
    -> Refinement.Grounds?
  {
    let trained = all.filter { $0.history.problem.member == member }
    let networks = trained.compactMap(\.network)
    guard recipe.isCrossFitted, let refinement = material.refinement,
      networks.count == trained.count,
      trained.allSatisfy({ $0.history.refinement?.sizeBeyondLimit == nil })
    else { return nil }
    return try Refinement(recipe: recipe, material: refinement).grounds(networks)
  }

  /// Removes the inputs that no member needs.
  ///
  /// - Parameters:
  ///   - trained: the same problem of several members.
  ///   - grounds: of all members, by number.
  func decide(
    _ trained: [GroupTraining.Trained], _ grounds: [Refinement.Grounds?], _ materials: [Material]
  ) throws -> Decision {
    var trained = trained
    let isFree = trained.indices.filter { grounds[trained[$0].history.problem.member] != nil }
    let members = isFree.compactMap { index -> PooledElimination.Member? in
      let problem = trained[index].history.problem
      let first = problem.tower ?? 0
      let count = trained[index].network?.outputCount ?? 0
      return grounds[problem.member]?.member(first, targets: first..<(first + count))
    }
    guard !members.isEmpty else { return Decision(trained: trained) }
    try Task.checkCancellation()
    let elimination = PooledElimination(
      attempts: recipe.eliminate,
      own: trained[0].history.problem.tower.flatMap { ownState($0, materials) })
    let free = elimination.whitened(members)
    let outcome = elimination.run(free)
    try Task.checkCancellation()
    for (index, member) in zip(isFree, outcome.members) {
      trained[index].network = member.network
      trained[index].history.refinement?.removed = outcome.removed
    }
    // The pairs of a trunk that outputs share are not decided one by one.
    guard let tower = trained[0].history.problem.tower else { return Decision(trained: trained) }
    var evidence = PooledEvidence(free: free, outcome, elimination)
    evidence.explained = explained(trained, tower, materials)
    return Decision(trained: trained, evidence: evidence)
  }

  /// The feature that is the state whose rate an output is.
  private func ownState(_ output: Int, _ materials: [Material]) -> Int? {
    guard let set = materials.first?.set else { return nil }
    return set.features.firstIndex { $0.name == set.targets[output].name }
  }

  /// R² of an output on what the members hold out.
  private func explained(
    _ trained: [GroupTraining.Trained], _ tower: Int, _ materials: [Material]
  ) -> Double? {
    var shares: [Double] = []
    for one in trained {
      guard let network = one.network,
        let held = materials[one.history.problem.member].refinement?.validation
      else { continue }
      let rows = held.targets(tower..<(tower + 1))
      let error = HeldOutErrors(network, rows, kernels: .active).mean
      let variance = rows.targetVariance
      if variance > 0 { shares.append(1 - error / variance) }
    }
    return shares.isEmpty ? nil : shares.mean
  }

  /// Thins and fits to all data the networks of one member.
  func finish(
    _ all: [GroupTraining.Trained], of member: Int, _ material: Material,
    _ grounds: Refinement.Grounds?
  ) throws -> [GroupTraining.Trained] {
    var trained = all.filter { $0.history.problem.member == member }
    guard let material = material.refinement else { return trained }
    let refinement = Refinement(recipe: recipe, material: material)
    for index in trained.indices {
      guard let network = trained[index].network, let record = trained[index].history.refinement
      else { continue }
      let finished = try refinement.finish(
        network, firstTarget: trained[index].history.problem.tower ?? 0, record: record, grounds)
      (trained[index].network, trained[index].history.refinement) = (
        finished.network, finished.record
      )
    }
    let networks = trained.compactMap(\.network)
    // A member that is left out, or too large to be fitted, stays as it is.
    guard networks.count == trained.count,
      trained.allSatisfy({ $0.history.refinement?.sizeBeyondLimit == nil })
    else { return trained }
    for (index, network) in try refinement.resmooth(networks).enumerated() {
      trained[index].network = network
    }
    return trained
  }

  /// A polynomial in place of a network: the same for every member.
  private func take(
    _ fit: LibraryRegression.Fit, _ problem: TrainingProblem, _ set: TrainingSet,
    _ report: @Sendable (TrainingProgress) -> Void
  ) -> GroupTraining.Trained {
    let record = EpochRecord(
      epoch: 1, learningRate: 0, trainingLoss: fit.chosen.loss, penalty: 0,
      validationLoss: fit.chosen.validation, survivingWeights: fit.network.survivingWeightCount)
    report(
      TrainingProgress(
        problem: problem, record: record, epochsLeftOut: recipe.epochs(rows: set.rows) - 1))
    return GroupTraining.Trained(
      network: fit.network,
      history: TrainingHistory(problem: problem, epochs: [record], divergences: []))
  }

  /// Problems that are trained side by side on the same minibatches: the towers of a member that have reached the
  /// same epoch, split up where there are more threads than members. The grouping changes no result.
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

  func outcome(
    _ members: [Int], _ delivered: [FreeRunDelivery], _ decided: [Decision],
    _ rehearsals: [Rehearsal?], _ set: TrainingSet
  ) throws -> Outcome {
    let trained = delivered.flatMap(\.trained)
    var models: [(member: Int, model: Model)] = []
    for member in members {
      let towers = trained.filter { $0.history.problem.member == member }
      let networks = towers.compactMap(\.network)
      guard networks.count == towers.count else { continue }
      models.append((member, model(networks, set)))
    }
    let histories = trained.map(\.history)
    if models.isEmpty, let failed = histories.first(where: { !$0.divergences.isEmpty }) {
      throw TrainingFailure(failed, outputs: set.targets.map(\.name))
    }
    return Outcome(
      models: models, histories: histories,
      evidence: evidence(decided, rehearsals.compactMap(\.self), models.map(\.model), set),
      freeRuns: delivered.compactMap(\.choice))
  }

  /// - Parameter networks: of all outputs, in their order.
  func model(_ networks: [Network], _ set: TrainingSet) -> Model {
    var model = Model(
      network: Network.joined(networks).cut(recipe.cut), inputs: set.features,
      outputs: set.targets, inputScaling: set.inputScaling, outputScaling: set.outputScaling,
      timeStep: set.timeStep, recipe: RecipeField.texts(of: recipe))
    model.inputRanges = set.ranges
    return model
  }
}
