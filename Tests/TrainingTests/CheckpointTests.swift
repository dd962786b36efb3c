import Dynamics
import LinearAlgebra
import Networks
import Synchronization
import Testing
import Training

/// Trainings that are stopped, taken up again, or diverge.
@Suite struct CheckpointTests {
  /// States in memory, which can refuse to be saved.
  final class Shelf: Sendable {
    struct Full: Error {}
    private let states = Mutex<[TrainingProblem: ProblemState]>([:])
    private let capacity: Int
    private let saved = Mutex(0)

    init(capacity: Int = .max) { self.capacity = capacity }

    var all: [ProblemState] { states.withLock { Array($0.values) } }

    func checkpoints(saving: Bool = true, counting: Bool = true) -> Checkpoints {
      Checkpoints(
        interval: .zero, load: { problem in self.states.withLock { $0[problem] } },
        save: { state in
          let count = self.saved.withLock { count in
            count += 1
            return count
          }
          guard count <= self.capacity || !counting else { throw Full() }
          if saving { self.states.withLock { $0[state.problem] = state } }
        })
    }
  }

  private func data() async throws -> Trajectories {
    try await Simulation(plant: DuffingOscillator(), trajectories: 3, samples: 150)
      .run(threads: 2).data
  }

  private func training(_ threads: Int, _ change: (inout Recipe) -> Void = { _ in })
    -> EnsembleTraining
  {
    var recipe = Recipe()
    recipe.hidden = [7]
    recipe.length = .epochs(9)
    recipe.batch = 32
    recipe.strength = 2e-2
    change(&recipe)
    return EnsembleTraining(recipe: recipe, members: 2, seed: 3, threads: threads)
  }

  /// Each member has its own half, whatever the number of threads, and takes up its own states.
  @Test func halvesAreTakenUpWithTheSameBits() async throws {
    let data = try await Simulation(plant: DuffingOscillator(), trajectories: 8, samples: 150)
      .run(threads: 2).data
    var first = training(1)
    first.usesHalves = true
    let halves = first.halves(of: data.samples.count)
    #expect(halves.allSatisfy { Set($0).count == data.samples.count / 2 } && halves[0] != halves[1])
    // All six halves of four before one comes twice.
    var many = first
    many.members = 6
    #expect(Set(many.halves(of: 4)).count == 6)
    let whole = try await first.run(on: data)
    var second = training(3)
    second.usesHalves = true
    let shelf = Shelf(capacity: 3)
    let stopped = second
    await #expect(throws: Shelf.Full.self) {
      try await stopped.run(on: data, checkpoints: shelf.checkpoints())
    }
    let kept = Checkpoints(
      interval: .zero, load: { problem in shelf.all.first { $0.problem == problem } },
      save: { _ in })
    let again = try await stopped.run(on: data, checkpoints: kept)
    #expect(again.models.map(\.model) == whole.models.map(\.model))
    let plain = try await training(1).run(on: data)
    #expect(plain.models.map(\.model) != whole.models.map(\.model))
    // Relevances compare: all members have the standardisation of the whole.
    #expect(whole.models[0].model.inputScaling == whole.models[1].model.inputScaling)
  }

  /// Stopped by a shelf that is full after so many states, then taken up with other threads: the same
  /// bits as without a stop.
  @Test(arguments: [1, 2, 5, 9, 14, 23], [1, 3])
  func aStoppedTrainingEndsWithTheSameBits(capacity: Int, threads: Int) async throws {
    let data = try await data()
    let whole = try await training(2).run(on: data)
    let shelf = Shelf(capacity: capacity)
    await #expect(throws: Shelf.Full.self) {
      try await training(threads).run(on: data, checkpoints: shelf.checkpoints())
    }
    let again = Checkpoints(
      interval: .zero, load: { problem in shelf.all.first { $0.problem == problem } },
      save: { _ in })
    let resumed = try await training(4 - threads).run(on: data, checkpoints: again)
    #expect(resumed.models.map(\.model) == whole.models.map(\.model))
    #expect(resumed.histories == whole.histories)
  }

  /// Units that the penalty leaves without a way to an output must not change what comes after: on the cell
  /// they once did, through what an optimiser's step left behind the last parameter. Twelve stops, some of them
  /// taken up twice.
  @Test(arguments: [3, 7, 12, 19, 26, 38, 45, 57, 66, 81, 97, 118])
  func unitsThatReachNoOutputDoNotTellATrainingApart(capacity: Int) async throws {
    let data = try await Simulation(plant: ElectrolysisCell(), trajectories: 8, samples: 500)
      .run(threads: 2).data
    let training = training(1) {
      ($0.hidden, $0.activation, $0.skip, $0.towers) = ([20], .silu, true, .perOutput)
      ($0.length, $0.batch, $0.strength, $0.revisit) = (.epochs(16), 128, 1e-2, 4)
    }
    let whole = try await training.run(on: data)
    let shelf = Shelf(capacity: capacity)
    await #expect(throws: Shelf.Full.self) {
      try await training.run(on: data, checkpoints: shelf.checkpoints())
    }
    if capacity % 2 == 1 {
      // Once more, and stopped again.
      let second = Shelf(capacity: 9)
      let first = shelf.all
      await #expect(throws: Shelf.Full.self) {
        try await training.run(
          on: data,
          checkpoints: Checkpoints(
            interval: .zero, load: { problem in first.first { $0.problem == problem } },
            save: { state in
              try second.checkpoints().save(state)
              try shelf.checkpoints(saving: true, counting: false).save(state)
            }))
      }
    }
    let again = Checkpoints(
      interval: .zero, load: { problem in shelf.all.first { $0.problem == problem } },
      save: { _ in })
    let resumed = try await training.run(on: data, checkpoints: again)
    #expect(resumed.models.map(\.model) == whole.models.map(\.model))
    #expect(resumed.histories == whole.histories)
  }

  /// The same with everything that is kept beside parameters and moments.
  @Test(arguments: Sparsifier.allCases)
  func everySparsifierIsTakenUpWithTheSameBits(sparsifier: Sparsifier) async throws {
    let data = try await data()
    let change = { (recipe: inout Recipe) in
      recipe.sparsifier = sparsifier
      recipe.revisit = 5
      (recipe.refine, recipe.eliminate, recipe.thin, recipe.finish) = (0, 0, 0, 0)
      (recipe.freeze, recipe.average, recipe.patience) = (0.4, true, 3)
    }
    let whole = try await training(2, change).run(on: data)
    for capacity in [3, 8, 17, 25, 30] {
      let shelf = Shelf(capacity: capacity)
      await #expect(throws: Shelf.Full.self) {
        try await training(1, change).run(on: data, checkpoints: shelf.checkpoints())
      }
      let again = Checkpoints(
        interval: .zero, load: { problem in shelf.all.first { $0.problem == problem } },
        save: { _ in })
      let resumed = try await training(2, change).run(on: data, checkpoints: again)
      #expect(resumed.models.map(\.model) == whole.models.map(\.model))
      #expect(resumed.histories == whole.histories)
    }
  }

  @Test func aCancelledTrainingKeepsItsStates() async throws {
    let data = try await data()
    let shelf = Shelf()
    let checkpoints = Checkpoints(
      interval: .seconds(1_000_000), load: { _ in nil }, save: shelf.checkpoints().save)
    let training = training(2) { $0.length = .epochs(1_000_000) }
    let seen = Mutex(0)
    let task = Task {
      try await training.run(on: data, checkpoints: checkpoints) { _ in
        seen.withLock { $0 += 1 }
      }
    }
    while seen.withLock({ $0 }) < 20 { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(shelf.all.contains { !$0.epochs.isEmpty && !$0.tower.parameters.isEmpty })
  }

  @Test func aStateOfAnotherNetworkIsRefused() async throws {
    let data = try await data()
    let shelf = Shelf()
    _ = try await training(1).run(on: data, checkpoints: shelf.checkpoints())
    await #expect(throws: StateMismatch.self) {
      try await training(1) { $0.hidden = [8] }.run(on: data, checkpoints: shelf.checkpoints())
    }
  }

  /// The second target is far beyond what a squared error in `Float` can hold: its tower diverges in
  /// every attempt, and its neighbours on the same minibatches are what they are without it.
  @Test(arguments: OnDivergence.allCases)
  func aTowerThatDivergesIsReportedAndDoesNotTouchTheOthers(
    onDivergence: OnDivergence
  ) throws {
    var stream = RandomStream(seed: 1)
    let features = Matrix(rows: 64, columns: 2) { _, _ in stream.normal() }
    func targets(_ scale: Double) -> Matrix {
      Matrix(rows: 64, columns: 3) { row, column in
        features[row, column % 2] * (column == 1 ? scale : 1)
      }
    }
    func train(_ scale: Double) throws -> [GroupTraining.Trained] {
      var training = training(1)
      training.onDivergence = onDivergence
      var group = GroupTraining(
        recipe: training.recipe, seed: training.seed, onDivergence: training.onDivergence,
        set: TrainingSet(features: features, targets: targets(scale)), validation: nil,
        checkpoints: .none, states: (0..<3).map { ProblemState(.init(member: 0, tower: $0)) }
      ) { _ in }
      return try group.run()
    }
    guard onDivergence != .stop else {
      let failure = #expect(throws: TrainingFailure.self) { try train(1e25) }
      #expect(failure?.problem.tower == 1 && failure?.divergences.count == 1)
      return
    }
    let sound = try train(1)
    let trained = try train(1e25)
    #expect(trained[1].network == nil)
    #expect(trained[1].history.divergences.count == (onDivergence == .restart ? 2 : 1))
    #expect(trained[1].history.divergences.allSatisfy { $0.epoch == 1 && $0.cause == .loss })
    for tower in [0, 2] {
      #expect(trained[tower].network == sound[tower].network)
      #expect(trained[tower].history == sound[tower].history)
    }
  }
}
