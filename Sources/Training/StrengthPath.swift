import Dynamics
import LinearAlgebra
import Networks

/// One network trained along rising λ, each time from its state at the last λ, so that whatever one strength
/// removed is missing at the start of the next; and the strength that the held-out trajectories favour.
public struct StrengthPath: Sendable {
  public struct Point: Sendable {
    public var strength: Double
    /// Mean squared error of the last epoch, standardised, mean over the outputs.
    public var loss: Double
    /// Mean over ten stretches of the held-out rows, and its standard error.
    public var validation: Double
    public var standardError: Double
    /// The outputs' networks side by side.
    public var network: Network

    package init(
      strength: Double, loss: Double, validation: Double, standardError: Double, network: Network
    ) {
      self.strength = strength
      self.loss = loss
      self.validation = validation
      self.standardError = standardError
      self.network = network
    }
  }

  public var recipe: Recipe
  public var seed: UInt64
  public var threads: Int
  /// Rising.
  public var strengths: [Double]

  /// Three per factor of ten, from 10⁻⁵ to 10⁻¹: from hardly any zeros to hardly any weights where inputs and
  /// outputs are standardised.
  public static let usual: [Double] = [
    1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1,
  ]

  /// - Precondition: strengths rise.
  public init(
    recipe: Recipe, seed: UInt64, threads: Int, strengths: [Double] = StrengthPath.usual
  ) {
    precondition(zip(strengths, strengths.dropFirst()).allSatisfy { $0 < $1 })
    self.recipe = recipe
    self.seed = seed
    self.threads = threads
    self.strengths = strengths
  }

  /// What makes a path of this recipe impossible, or nil; fields between backquotes, as in `RecipeField`.
  public static func problem(_ recipe: Recipe) -> String? {
    if recipe.method != .gradient || recipe.sparsifier.amount != .strength {
      return "a path goes along `strength`, which the recipe does not have"
    }
    if recipe.validation == 0 {
      return "a path chooses by held-out trajectories; it needs `validation` above 0"
    }
    return nil
  }

  /// The path for the stochastic part of the recipe: the first strength for its full length, each further one for a
  /// quarter of it.
  ///
  /// - Parameters:
  ///   - data: trajectories, smoothed or as they are.
  ///   - report: called after each strength with the number of outputs done at it.
  /// - Throws: `DataProblem`; `TrainingFailure` where a training diverges; `CancellationError`.
  public func run(
    on data: Smoothing, report: @escaping @Sendable (_ outputs: Int) -> Void = { _ in }
  ) async throws -> [Point] {
    let (training, validation) = data.split(validationFraction: recipe.validation)
    let set = try TrainingSet(training.data)
    guard let validation, validation.data.samples.contains(where: { $0.rows > 1 }) else {
      throw DataProblem.tooShort
    }
    let held = try TrainingSet(validation.data, scaledLike: set).stretches(10)
    let outputs = set.targets.count
    let towers = recipe.towers == .shared ? [nil] : (0..<outputs).map { Optional($0) }
    let parts = min(threads, towers.count)
    let tracks = try await concurrentMap(parts, threads: threads) { part in
      let group = (part * towers.count / parts)..<((part + 1) * towers.count / parts)
      return try follow(Array(towers[group]), set, held, report)
    }.flatMap { $0 }
    return strengths.indices.map { step in
      let legs = tracks.map { $0[step] }
      let errors = held.indices.map { stretch in legs.map { $0.errors[stretch] }.mean }
      let mean = errors.mean
      let square = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let count = Double(errors.count)
      return Point(
        strength: strengths[step], loss: legs.map(\.loss).mean, validation: mean,
        standardError: errors.count > 1 ? (square / (count - 1) / count).squareRoot() : 0,
        network: Network.joined(legs.map(\.network)).cut(recipe.cut))
    }
  }

  /// The result of one network at one strength.
  private struct Leg: Sendable {
    var loss: Double
    /// One per stretch of held-out rows.
    var errors: [Double]
    var network: Network
  }

  /// - Parameter towers: neighbours, or the whole trunk.
  /// - Returns: for each tower its legs, one per strength.
  private func follow(
    _ towers: [Int?], _ set: TrainingSet, _ held: [TrainingSet], _ report: (Int) -> Void
  ) throws -> [[Leg]] {
    let initial = towers.map { tower in
      var stream = RandomStream(seed: seed, path: [4, UInt64((tower ?? -1) + 1)])
      return Network.initial(
        recipe: recipe, inputs: set.features.count,
        outputs: tower == nil ? set.targets.count : 1,
        name: tower.map { set.targets[$0].name } ?? "", stream: &stream)
    }
    var legs: [[Leg]] = towers.map { _ in [] }
    var states: [TowerState] = []
    for (step, strength) in strengths.enumerated() {
      let recipe = recipe(at: step, strength)
      var trainer = Trainer(
        networks: initial, recipe: recipe, set: set, firstTarget: towers.first.flatMap { $0 } ?? 0,
        orders: SampleOrders(seed: seed, path: [5, UInt64(step)]))
      for (place, state) in states.enumerated() {
        let none = [Float](repeating: 0, count: state.parameters.count)
        trainer[state: place] = TowerState(
          parameters: state.parameters, moment1: none, moment2: none, latent: state.latent)
      }
      var records: [Result<EpochRecord, Divergence>] = []
      for epoch in 1...recipe.epochs(rows: set.rows) {
        try Task.checkCancellation()
        records = trainer.runEpoch(epoch, validation: nil)
      }
      states = towers.indices.map { trainer[state: $0] }
      for place in towers.indices {
        let record = try self.record(records[place], towers[place], set)
        legs[place].append(
          Leg(
            loss: record.trainingLoss, errors: held.map { trainer.meanSquaredError(place, $0) },
            network: trainer.result(place)))
      }
      report(towers.count)
    }
    return legs
  }

  private func recipe(at step: Int, _ strength: Double) -> Recipe {
    var recipe = recipe
    recipe.take(strength: strength)
    recipe.patience = 0
    guard step > 0 else { return recipe }
    switch recipe.length {
    case .epochs(let count): recipe.length = .epochs(max(1, count / 4))
    case .steps(let count): recipe.length = .steps(max(1, count / 4))
    }
    return recipe
  }

  private func record(
    _ result: Result<EpochRecord, Divergence>, _ tower: Int?, _ set: TrainingSet
  ) throws -> EpochRecord {
    switch result {
    case .success(let record): return record
    case .failure(let divergence):
      throw TrainingFailure(
        .init(problem: .init(member: 0, tower: tower), epochs: [], divergences: [divergence]),
        outputs: set.targets.map(\.name))
    }
  }

  /// The point of smallest error on held-out rows, and the one to choose: the largest strength whose error is
  /// within one standard error of it (Breiman et al. 1984).
  public static func choice(_ points: [Point]) -> (least: Int, chosen: Int)? {
    guard
      let least = points.indices.filter({ points[$0].validation.isFinite })
        .min(by: { points[$0].validation < points[$1].validation })
    else { return nil }
    let limit = points[least].validation + points[least].standardError
    let chosen = points.indices.last { $0 >= least && points[$0].validation <= limit }
    return (least, chosen ?? least)
  }
}
