import Dynamics
import Forecasting
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Synchronization
import Training

/// The data of a study: simulated or read when first asked for, and kept.
final class StudyData: Sendable {
  let plant: (any Plant)?
  private let trainingDigest: String?
  private let testDigest: String?
  private let plan: StudyPlan
  private let files: (train: Trajectories?, test: Trajectories?)
  private let cache = Mutex(Cache())

  /// The most recent large values that can be made again.
  private struct Recent<Value> {
    private var values: [(key: String, value: Value)] = []

    subscript(key: String) -> Value? { values.first { $0.key == key }?.value }

    mutating func keep(_ value: Value, for key: String) -> Value {
      values.append((key, value))
      if values.count > 6 { values.removeFirst() }
      return value
    }
  }

  private struct Cache {
    var training: [Double: Trajectories] = [:]
    var test: Trajectories?
    var points: Matrix?
    var materials = Recent<EnsembleTraining.Material>()
    var smoothings = Recent<Smoothing>()
    var joints = Recent<JointTraining>()
    var scale: [Double]?
  }

  /// Reads the files and completes the plan with what they contain.
  init(_ plan: inout StudyPlan, path: String) throws {
    let variation = plan.vary
    plant = plan.plant.flatMap { PlantCatalogue.plant(named: $0, variation: variation) }
    var read: [Trajectories?] = []
    var digests: [String?] = []
    for source in [plan.train, plan.test] {
      guard case .file(let file) = source else {
        read.append(nil)
        digests.append(nil)
        continue
      }
      read.append(
        try TrajectoryFile.read(
          file, controls: plan.inputs, gaps: read.isEmpty ? .inStates : .refused))
      digests.append(ContentDigest.hex(try WholeFile.read(file)))
    }
    files = (read[0], read[1])
    (trainingDigest, testDigest) = (digests[0], digests[1])
    try Self.complete(&plan, path, files.train, files.test)
    self.plan = plan
  }

  private static func complete(
    _ plan: inout StudyPlan, _ path: String, _ train: Trajectories?, _ test: Trajectories?
  ) throws {
    var problems: [PlanProblems.Problem] = []
    if let train {
      if plan.sizes.isEmpty { plan.sizes = [train.samples.count] }
      for size in plan.sizes where size > train.samples.count {
        problems.append(
          .init(
            line: nil,
            text: "sizes: \(size) trajectories, but the training file has \(train.samples.count)"))
      }
    }
    if let test {
      let longest = test.samples.map(\.rows).max() ?? 0
      plan.horizons.removeAll { $0 > longest }
      if plan.horizons.isEmpty { plan.horizons = [longest] }
    }
    if let plant = plan.plant.flatMap({ PlantCatalogue.plant(named: $0) }) {
      let names = (plant.states + plant.controls).map(\.name)
      for (data, what) in [(train, "train"), (test, "test")] {
        guard let data else { continue }
        let missing = names.filter { name in !data.variables.contains { $0.name == name } }
        if !missing.isEmpty {
          problems.append(
            .init(
              line: nil,
              text:
                "\(what): the file lacks \(missing.joined(separator: ", ")) of the plant \(plant.name)"
            ))
        }
      }
    }
    if let train, let test {
      if abs(train.timeStep / test.timeStep - 1) > 1e-6 {
        problems.append(
          .init(
            line: nil,
            text: "test: its samples are \(test.timeStep) s apart, those of the training data "
              + "\(train.timeStep) s"))
      }
      let names = (train.states + train.controls).map(\.name)
      let missing = names.filter { name in !test.variables.contains { $0.name == name } }
      if !missing.isEmpty {
        problems.append(
          .init(
            line: nil,
            text:
              "test: the file lacks \(missing.joined(separator: ", ")), which the training data have"
          ))
      }
    }
    guard problems.isEmpty else { throw PlanProblems(path: path, problems: problems) }
  }

  var stateCount: Int { plant?.states.count ?? files.train?.states.count ?? 0 }

  /// What a model reads: states and controls.
  var inputCount: Int {
    stateCount + (plant?.controls.count ?? files.train?.controls.count ?? 0)
  }

  /// Samples of each test trajectory; nil where the plan does not say.
  var testLengths: [Int] {
    if let test = files.test { return test.samples.map(\.rows) }
    guard case .simulation(let trajectories, let samples, _) = plan.test else { return [] }
    return Array(repeating: samples, count: trajectories)
  }

  // MARK: Identity

  /// The identity of a cell's training data. Trajectory k depends on plant, seed, samples and noise, not on how
  /// many there are.
  func trainingIdentity(_ cell: StudyPlan.Cell) -> String {
    switch plan.train {
    case .file:
      "file \(trainingDigest ?? ""), first \(cell.size), inputs \(plan.inputs?.joined(separator: ",") ?? "")"
    case .simulation(_, let samples, let seed):
      "\(kind), \(cell.size) of \(samples) samples, seed \(seed), noise \(cell.noise)\(disturbances)"
    }
  }

  var testIdentity: String {
    switch plan.test {
    case .file: "file \(testDigest ?? "")"
    case .simulation(let trajectories, let samples, let seed):
      "\(kind), \(trajectories) of \(samples) samples, seed \(seed)"
    }
  }

  private var kind: String { (plan.plant ?? "") + (plan.vary.map { " varied by \($0)" } ?? "") }

  private var disturbances: String {
    [
      ("correlation", plan.noiseCorrelation), ("control noise", plan.controlNoise),
      ("missing", plan.missing),
    ].filter { $0.1 > 0 }.map { ", \($0.0) \($0.1)" }.joined()
  }

  /// Errors of all cells are divided by the same standard deviations: those of the largest training set.
  private var scaleCell: StudyPlan.Cell {
    StudyPlan.Cell(recipe: 0, size: plan.sizes.max() ?? 1, noise: plan.noise.min() ?? 0)
  }

  var scaleIdentity: String { trainingIdentity(scaleCell) }

  // MARK: Data

  /// - Parameter noise: nil for exact data without gaps.
  private func simulate(_ source: StudyPlan.Source, noise: Double?) throws -> Trajectories {
    guard let plant, case .simulation(let trajectories, let samples, let seed) = source else {
      throw DataProblem.tooShort
    }
    var simulation = Simulation(plant: plant, trajectories: trajectories, samples: samples)
    simulation.seed = seed
    simulation.variation = plan.vary
    if let noise {
      simulation.noise = noise
      simulation.noiseCorrelation = plan.noiseCorrelation
      simulation.controlNoise = plan.controlNoise
      simulation.missing = plan.missing
    }
    return try simulation.run()
  }

  private func training(_ noise: Double, _ cache: inout Cache) throws -> Trajectories {
    if let there = cache.training[noise] { return there }
    var source = plan.train
    if case .simulation(_, let samples, let seed) = source {
      source = .simulation(
        trajectories: plan.sizes.max() ?? 1, samples: samples, seed: seed)
    }
    let made = try files.train ?? simulate(source, noise: noise)
    cache.training[noise] = made
    return made
  }

  private func test(_ cache: inout Cache) throws -> Trajectories {
    if let there = cache.test { return there }
    let made = try files.test ?? simulate(plan.test, noise: nil)
    cache.test = made
    return made
  }

  /// Prepared once per recipe's needs and cell.
  func material(_ recipe: Recipe, _ cell: StudyPlan.Cell) throws -> EnsembleTraining.Material {
    let data = "\(recipe.smooth) \(cell.size) \(cell.noise)"
    return try cache.withLock { cache in
      let key = "\(data) \(EnsembleTraining.Material.identity(recipe))"
      if let there = cache.materials[key] { return there }
      let smoothing = try smoothing(recipe.smooth, cell, data, &cache)
      return cache.materials.keep(
        try EnsembleTraining.Material(smoothing, recipe: recipe), for: key)
    }
  }

  /// The training of members that decide together.
  func joint(_ recipe: Recipe, _ cell: StudyPlan.Cell, _ training: EnsembleTraining) throws
    -> JointTraining
  {
    try cache.withLock { cache in
      let key = "\(cell)"
      if let there = cache.joints[key] { return there }
      let smoothing = try smoothing(
        recipe.smooth, cell, "\(recipe.smooth) \(cell.size) \(cell.noise)", &cache)
      return cache.joints.keep(try JointTraining(training, on: smoothing), for: key)
    }
  }

  private func smoothing(
    _ smooth: Bool, _ cell: StudyPlan.Cell, _ key: String, _ cache: inout Cache
  ) throws -> Smoothing {
    if let there = cache.smoothings[key] { return there }
    let data = try training(cell.noise, &cache).prefix(cell.size)
    return cache.smoothings.keep(
      smooth ? try Smoother(threads: 1).run(data) : Smoothing(data), for: key)
  }

  func validationTrajectories(_ recipe: Recipe, _ cell: StudyPlan.Cell) -> Int {
    guard recipe.validation > 0, cell.size > 1 else { return 0 }
    let wanted = Int((Double(cell.size) * recipe.validation).rounded())
    return min(max(1, wanted), cell.size - 1)
  }

  private func variables(_ cache: inout Cache) throws -> [Variable] {
    if let plant { return plant.states + plant.controls }
    let data = try training(plan.noise[0], &cache)
    return data.states + data.controls
  }

  /// Evenly spaced samples of the test data in the models' variables.
  func points() throws -> Matrix {
    try cache.withLock { cache in
      if let there = cache.points { return there }
      let all = try test(&cache).points(of: try variables(&cache))
      let step = max(1, all.rows / plan.relevanceSamples)
      let made = all.submatrix(
        rows: Array(stride(from: 0, to: all.rows, by: step)), columns: Array(0..<all.columns))
      cache.points = made
      return made
    }
  }

  /// Evenly spaced samples of the test data as trajectories.
  func samplesForTruth() throws -> Trajectories {
    let points = try points()
    return try cache.withLock { cache in
      try Trajectories(
        variables: try variables(&cache), timeStep: try test(&cache).timeStep, samples: [points])
    }
  }

  /// The test data as they are.
  func testData() throws -> Trajectories { try cache.withLock { try test(&$0) } }

  /// σ of each state, which errors are divided by.
  func scale() throws -> [Double] { try cache.withLock { try scale(&$0) } }

  private func scale(_ cache: inout Cache) throws -> [Double] {
    if let there = cache.scale { return there }
    let data = try training(scaleCell.noise, &cache).prefix(scaleCell.size)
    let made = try Regression(data).standardisation().inputs.deviation
    cache.scale = made
    return made
  }

  /// - Parameters:
  ///   - members: that forecast.
  ///   - model: whose variables they have.
  ///   - horizons: ascending numbers of samples.
  ///   - data: true trajectories; the test data where it is nil.
  func forecast(
    _ members: [Forecaster], _ model: Model, _ horizons: [Int], over data: Trajectories? = nil
  ) throws -> RollingForecast {
    try cache.withLock { cache in
      let states = model.outputs.count
      return try RollingForecast(
        groups: [.init(name: "", members: members)], inputs: model.inputs,
        states: Array(model.inputs.prefix(states)), over: try data ?? test(&cache),
        horizons: horizons, scale: Array(try scale(&cache).prefix(states)))
    }
  }
}
