import CommandSupport
import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Training

/// Times the training engine on one workload, with the options and the output of the other programs beside
/// this file: one JSON object on standard output.
@main
struct TrainingBenchmark: Tool {
  static let configuration = CommandConfiguration(
    commandName: "training-benchmark",
    abstract: "Times the training engine; started by Scripts/bench.")

  enum Workload: String, CaseIterable, ExpressibleByArgument {
    case dense, denseSilu = "dense-silu", denseTanh = "dense-tanh"
    case sparseTrunk = "sparse-trunk", sparseTowers = "sparse-towers", siluTowers = "silu-towers"
    /// Multiply-adds on registers alone: what the core can do.
    case limit
  }

  @Option(help: "Trajectories to train on.", completion: .file())
  var data: String

  @Option(help: "Which network and recipe.")
  var workload: Workload

  @Option(help: "Epochs to time; by default those that the workload's figure is stated for.")
  var epochs: Int?

  @Option(help: "Members, trained one after the other on each thread.")
  var members = 1

  @Option(help: "Threads.")
  var threads = 1

  struct Report: Encodable {
    var program = "filigree"
    var version = filigreeVersion
    var workload: String
    var instructionSet: String
    var members: Int
    var threads: Int
    var steps: Int
    var microsecondsPerStepAndMember: Double
    var finalLoss: Double
    var survivingWeights: Int
  }

  struct Limit: Encodable {
    var workload = Workload.limit.rawValue
    var instructionSet: String
    var gigaflopsPerSecond: Double
    var doubleGigaflopsPerSecond: Double
    var normalEquationsMilliseconds: Double
    /// Of the limit in single precision.
    var normalEquationsShare: Double
  }

  mutating func work() async throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = .sortedKeys
    let line =
      workload == .limit
      ? try encoder.encode(measureLimit()) : try encoder.encode(try await measureTraining())
    try Console.output(String(decoding: line, as: UTF8.self) + "\n")
  }

  private func measureLimit() -> Limit {
    let kernels = Kernels.active
    let single = best { kernels.arithmetic(rounds: 1_000_000) }
    let double = best { kernels.doubleArithmetic(rounds: 1_000_000) }
    // JᵀJ of 10,000 rows × 100 weights in blocks of 512 rows, as Levenberg-Marquardt makes it; a
    // symmetric product has half the operations.
    let (weights, rows, batch) = (100, 10_000, 512)
    var layout = ArenaLayout()
    let jacobian = layout.reserve(weights * batch)
    var floats = Arena<Float>(layout)
    floats.fill(jacobian, with: 0.5)
    var productLayout = ArenaLayout()
    let product = productLayout.reserve(weights * weights)
    let arena = Arena<Double>(productLayout)
    let blocks = (rows + batch - 1) / batch
    let curvature = best {
      for _ in 0..<blocks {
        kernels.curvature(
          floats, rows: weights, batch: batch, x: jacobian, product: product, in: arena)
      }
      return Double(weights * (weights + 1) * blocks * batch)
    }
    return Limit(
      instructionSet: kernels.instructionSet.rawValue, gigaflopsPerSecond: single / 1e9,
      doubleGigaflopsPerSecond: double / 1e9,
      normalEquationsMilliseconds: Double(weights * (weights + 1) * rows) / curvature * 1e3,
      normalEquationsShare: curvature / single)
  }

  /// Operations per second, the best of several tries.
  private func best(_ body: () -> Double) -> Double {
    let clock = ContinuousClock()
    return (0..<7).map { _ in
      var operations = 0.0
      let time = clock.measure { operations = body() }
      return operations / ProgressLine.seconds(time)
    }.max() ?? 0
  }

  /// The time from initial weights to trained networks; reading and standardising the data is left out,
  /// as compiling is for the peers.
  private func measureTraining() async throws -> Report {
    let set = try TrainingSet(try TrajectoryFile.read(data))
    let training = EnsembleTraining(recipe: recipe, members: members, seed: 1, threads: threads)
    let problems = training.problems(targets: set.targets.count)
    let perMember = problems.count / members
    let clock = ContinuousClock()
    let start = clock.now
    let trained = try await concurrentMap(members, threads: threads) { member in
      var group = GroupTraining(
        recipe: training.recipe, seed: training.seed, onDivergence: training.onDivergence,
        set: set, validation: nil, checkpoints: .none,
        states: problems[(member * perMember)..<((member + 1) * perMember)].map {
          ProblemState($0)
        }
      ) { _ in }
      return try group.run()
    }.flatMap { $0 }
    let seconds = ProgressLine.seconds(clock.now - start)
    let steps = recipe.epochs(rows: set.rows) * (set.rows / recipe.batch)
    let last = trained.compactMap(\.history.epochs.last)
    return Report(
      workload: workload.rawValue, instructionSet: Kernels.active.instructionSet.rawValue,
      members: members, threads: threads, steps: steps,
      microsecondsPerStepAndMember: seconds * 1e6 / Double(steps * members),
      finalLoss: last.map(\.trainingLoss).mean,
      survivingWeights: last.reduce(0) { $0 + $1.survivingWeights } / members)
  }

  private var isTowers: Bool { workload == .sparseTowers || workload == .siluTowers }

  private var recipe: Recipe {
    var recipe = Recipe()
    recipe.validation = 0
    recipe.learningRate = 1e-3
    recipe.schedule = .constant
    recipe.hidden = [20, 20, 20, 20]
    recipe.activation = .relu
    recipe.skip = false
    recipe.towers = .shared
    recipe.sparsifier = .none
    recipe.length = .epochs(epochs ?? (isTowers ? 60 : 100))
    (recipe.refine, recipe.eliminate, recipe.thin, recipe.finish) = (0, 0, 0, 0)
    switch workload {
    case .dense, .limit: break
    case .denseSilu, .denseTanh:
      recipe.activation = workload == .denseSilu ? .silu : .tanh
      recipe.skip = true
    case .sparseTrunk:
      recipe.sparsifier = .proximal
      recipe.strength = 1e-3
    case .sparseTowers:
      recipe.towers = .perOutput
      recipe.sparsifier = .proximal
      recipe.strength = 1e-2
    case .siluTowers:
      recipe.towers = .perOutput
      recipe.hidden = [20]
      recipe.activation = .silu
      recipe.skip = true
      recipe.sparsifier = .proximal
      recipe.strength = 1e-3
    }
    return recipe
  }
}
