import LinearAlgebra
import Networks

/// Trains problems that share their minibatches, from their states to the end, saving states on the way.
package struct GroupTraining {
  package struct Trained: Equatable, Sendable {
    /// nil when the problem was given up.
    package var network: Network?
    package var history: TrainingHistory
  }

  private let recipe: Recipe
  private let seed: UInt64
  private let onDivergence: OnDivergence
  private let set: TrainingSet
  private let validation: TrainingSet?
  private let refinement: Refinement.Material?
  private let checkpoints: Checkpoints
  private let report: @Sendable (TrainingProgress) -> Void
  private var states: [ProblemState]

  /// - Parameter states: one, or those of neighbouring towers of one member that have reached the same epoch.
  package init(
    recipe: Recipe, seed: UInt64, onDivergence: OnDivergence, set: TrainingSet,
    validation: TrainingSet?,
    checkpoints: Checkpoints, states: [ProblemState],
    report: @escaping @Sendable (TrainingProgress) -> Void
  ) {
    self.init(
      recipe: recipe, seed: seed, onDivergence: onDivergence, set: set, validation: validation,
      refinement: nil, checkpoints: checkpoints,
      states: states, report: report)
  }

  init(
    recipe: Recipe, seed: UInt64, onDivergence: OnDivergence, set: TrainingSet,
    validation: TrainingSet?,
    refinement: Refinement.Material?, checkpoints: Checkpoints, states: [ProblemState],
    report: @escaping @Sendable (TrainingProgress) -> Void
  ) {
    self.recipe = recipe
    self.seed = seed
    self.onDivergence = onDivergence
    self.set = set
    self.validation = validation
    self.refinement = refinement
    self.checkpoints = checkpoints
    self.states = states
    self.report = report
  }

  private var epochs: Int { recipe.epochs(rows: self.set.rows) }

  package mutating func run() throws -> [Trained] {
    var networks = try attempt(states.indices.filter { !states[$0].isAbandoned })
    // What diverged goes again on its own, in an order of its own.
    while let index = states.indices.first(where: { !states[$0].isAbandoned && networks[$0] == nil }
    ) {
      networks.merge(try attempt([index])) { $1 }
    }
    return try states.indices.map { index in
      var trained = Trained(
        network: networks[index],
        history: .init(
          problem: states[index].problem, epochs: states[index].epochs,
          divergences: states[index].divergences))
      if let refinement, let network = trained.network {
        try Task.checkCancellation()
        let problem = states[index].problem
        let fitted = try Refinement(recipe: recipe, material: refinement).fit(
          network, firstTarget: problem.tower ?? 0,
          stream: RandomStream(
            seed: seed,
            path: [2, UInt64(problem.member), UInt64((problem.tower ?? -1) + 1)]))
        trained.network = fitted.network
        trained.history.refinement = fitted.record
      }
      return trained
    }
  }

  /// Trains the states of these indices together.
  /// - Returns: the networks of those that reached the end; the others' states say what comes next.
  private mutating func attempt(_ indices: [Int]) throws -> [Int: Network] {
    guard let first = indices.first else { return [:] }
    var trainer = try makeTrainer(indices)
    let done = states[first].epochs.count
    var running = indices.indices.filter { !hasEnded(states[indices[$0]].epochs) }
    var stopped = indices.indices.filter { hasEnded(states[indices[$0]].epochs) }
    var savedAt = ContinuousClock.now
    for epoch in stride(from: done + 1, through: epochs, by: 1) where !running.isEmpty {
      guard !Task.isCancelled else {
        try save(trainer, indices, running)
        throw CancellationError()
      }
      let results = trainer.runEpoch(epoch, validation: validation)
      for place in running {
        try note(results[place], of: indices[place])
        keepBest(of: trainer[state: place], indices[place])
      }
      running.removeAll { states[indices[$0]].epochs.count != epoch }
      let ended = running.filter { hasEnded(states[indices[$0]].epochs) }
      try save(trainer, indices, ended)
      for place in ended { trainer.stop(place) }
      stopped += ended
      running.removeAll(where: ended.contains)
      if ContinuousClock.now - savedAt >= checkpoints.interval && epoch < epochs {
        try save(trainer, indices, running)
        savedAt = .now
      }
    }
    if done < epochs { try save(trainer, indices, running) }
    return (running + stopped).reduce(into: [:]) { networks, place in
      let best = states[indices[place]].best
      networks[indices[place]] =
        best.isEmpty ? trainer.result(place) : trainer.result(place, parameters: best)
    }
  }

  /// The number of the eligible epoch with the smallest error on held-out data.
  private func bestEpoch(_ records: [EpochRecord]) -> Int? {
    records.dropFirst(recipe.firstEligibleEpoch(of: epochs) - 1)
      .filter { $0.validationLoss?.isFinite == true }
      .min { ($0.validationLoss ?? 0, $0.epoch) < ($1.validationLoss ?? 0, $1.epoch) }?.epoch
  }

  /// Whether `Recipe.patience` epochs in turn have brought no improvement, so that the rest is skipped.
  private func hasEnded(_ records: [EpochRecord]) -> Bool {
    guard recipe.patience > 0, records.count < epochs, let best = bestEpoch(records) else {
      return false
    }
    return records.count - best >= recipe.patience
  }

  private mutating func keepBest(of state: TowerState, _ index: Int) {
    guard recipe.patience > 0, let last = states[index].epochs.last,
      bestEpoch(states[index].epochs) == last.epoch
    else { return }
    states[index].best = state.parameters
  }

  private mutating func note(_ result: Result<EpochRecord, Divergence>, of index: Int) throws {
    switch result {
    case .success(let record):
      states[index].epochs.append(record)
      let rest = hasEnded(states[index].epochs) ? epochs - record.epoch : 0
      report(.init(problem: states[index].problem, record: record, epochsLeftOut: rest))
    case .failure(let divergence):
      let isLast = onDivergence != .restart || states[index].attempt > 0
      states[index].restart(after: divergence)
      states[index].isAbandoned = isLast
      if onDivergence == .stop {
        throw TrainingFailure(
          .init(
            problem: states[index].problem, epochs: [], divergences: states[index].divergences),
          outputs: set.targets.map(\.name))
      }
      try checkpoints.save(states[index])
    }
  }

  private mutating func save(_ trainer: borrowing Trainer, _ indices: [Int], _ running: [Int])
    throws
  {
    for place in running where !states[indices[place]].epochs.isEmpty {
      states[indices[place]].tower = trainer[state: place]
      try checkpoints.save(states[indices[place]])
    }
  }

  /// Initial weights depend on seed, member, tower and attempt; the orders on seed, member and attempt, so that
  /// towers trained together see what each would see alone.
  private func makeTrainer(_ indices: [Int]) throws -> Trainer {
    let group = indices.map { states[$0] }
    let member = UInt64(group[0].problem.member)
    let attempt = UInt64(group[0].attempt)
    let initial = group.map { state in
      let tower = state.problem.tower
      var stream = RandomStream(
        seed: seed, path: [0, member, UInt64((tower ?? -1) + 1), attempt])
      return Network.initial(
        recipe: recipe, inputs: set.features.count,
        outputs: tower == nil ? set.targets.count : 1,
        name: tower.map { set.targets[$0].name } ?? "", stream: &stream)
    }
    var trainer = Trainer(
      networks: initial, recipe: recipe, set: set, firstTarget: group[0].problem.tower ?? 0,
      orders: SampleOrders(seed: seed, path: [1, member, attempt]))
    for (place, state) in group.enumerated() where !state.epochs.isEmpty {
      let count = trainer[state: place].parameters.count
      let fits =
        [state.tower.parameters, state.tower.moment1, state.tower.moment2]
        .allSatisfy { $0.count == count }
        && state.tower.latent.count == trainer[state: place].latent.count
        && [state.tower.average, state.best].allSatisfy { $0.isEmpty || $0.count == count }
      guard fits, state.epochs.count <= epochs else {
        throw StateMismatch(problem: state.problem)
      }
      trainer[state: place] = state.tower
    }
    return trainer
  }
}
