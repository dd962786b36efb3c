/// The state from which a network's training continues: one number per parameter in each array, in the order of
/// `Wiring` (last unit first, each unit's bias before its weights).
public struct TowerState: Equatable, Sendable {
  public var parameters: [Float]
  /// Adam's.
  public var moment1: [Float]
  public var moment2: [Float]
  /// What the sparsifier keeps besides these; its length may differ, and it may be empty.
  public var latent: [Float]
  /// The mean over the frozen steps so far; empty before them.
  public var average: [Float]

  public init(
    parameters: [Float] = [], moment1: [Float] = [], moment2: [Float] = [], latent: [Float] = [],
    average: [Float] = []
  ) {
    self.parameters = parameters
    self.moment1 = moment1
    self.moment2 = moment2
    self.latent = latent
    self.average = average
  }
}

/// The progress of the training of one problem: enough to continue as if it had never stopped.
public struct ProblemState: Equatable, Sendable {
  public var problem: TrainingProblem
  /// Of earlier attempts; as many as there were.
  public var divergences: [Divergence]
  /// Whether the problem was given up: no further attempt is made.
  public var isAbandoned: Bool
  /// The finished epochs of the present attempt.
  public var epochs: [EpochRecord]
  /// Empty before the first epoch.
  public var tower: TowerState
  /// The parameters of the epoch with the smallest error on the held-out trajectories, if these may end the
  /// training.
  public var best: [Float]

  public init(
    _ problem: TrainingProblem, divergences: [Divergence] = [], isAbandoned: Bool = false,
    epochs: [EpochRecord] = [], tower: TowerState = TowerState(), best: [Float] = []
  ) {
    self.problem = problem
    self.divergences = divergences
    self.isAbandoned = isAbandoned
    self.epochs = epochs
    self.tower = tower
    self.best = best
  }

  var attempt: Int { divergences.count }

  /// Whether both are towers of one member that can be trained on the same minibatches.
  func goesAlong(with next: ProblemState) -> Bool {
    guard let tower = problem.tower else { return false }
    return next.problem == .init(member: problem.member, tower: tower + 1)
      && attempt == 0 && next.attempt == 0 && epochs.count == next.epochs.count
  }

  /// - Precondition: not abandoned.
  mutating func restart(after divergence: Divergence) {
    self = ProblemState(problem, divergences: divergences + [divergence])
  }
}

/// Where a training saves the states of its problems.
public struct Checkpoints: Sendable {
  /// The least time between two states of a problem.
  public var interval: Duration
  public var load: @Sendable (TrainingProblem) throws -> ProblemState?
  /// Called from any thread, but never concurrently for one problem.
  public var save: @Sendable (ProblemState) throws -> Void

  public init(
    interval: Duration,
    load: @escaping @Sendable (TrainingProblem) throws -> ProblemState?,
    save: @escaping @Sendable (ProblemState) throws -> Void
  ) {
    self.interval = interval
    self.load = load
    self.save = save
  }

  /// Saves nothing.
  public static let none = Checkpoints(
    interval: .seconds(Int64.max), load: { _ in nil }, save: { _ in })
}
