import LinearAlgebra

/// The plants that come with Filigree; a new one is added here.
public enum PlantCatalogue {
  public static let plants: [any Plant] = [ElectrolysisCell(), DuffingOscillator()]
  public static var names: [String] { plants.map(\.name) }
  public static func plant(named name: String) -> (any Plant)? {
    plants.first { $0.name == name }
  }
}

/// What to simulate. Trajectory k depends on plant, mode, seed and k only, not on how many others
/// there are, nor (but for its end) on the number of samples.
public struct Simulation: Sendable {
  public var plant: any Plant
  public var mode = ExcitationMode.aprbs
  public var trajectories: Int
  public var samples: Int
  public var seed: UInt64 = 1
  public var withObservables = false
  /// Measurement noise: white, normal, added to the recorded states, never to the dynamics, with this
  /// fraction of each state's deviation (`Simulation.deviations`). Controls are known exactly.
  public var noise = 0.0

  public struct Outcome: Sendable {
    public var data: Trajectories
    /// Trajectories that left the finite numbers and were drawn again.
    public var redrawn: Int
    public var samplesOutsideDomain: Int
  }

  public init(plant: any Plant, trajectories: Int, samples: Int) {
    self.plant = plant
    self.trajectories = trajectories
    self.samples = samples
  }

  /// - Throws: `SimulationFailure` when one trajectory failed in a hundred draws.
  public func run(threads: Int, finished: @escaping @Sendable (Int) -> Void = { _ in }) async throws
    -> Outcome
  {
    let deviations = noiseDeviations
    return try outcome(
      try await concurrentMap(trajectories, threads: threads) { index in
        let result = try draw(index, noise: deviations)
        finished(index)
        return result
      })
  }

  /// The data alone, on the thread that asks for them.
  public func run() throws -> Trajectories {
    let deviations = noiseDeviations
    return try outcome(
      try (0..<trajectories).map {
        try Task.checkCancellation()
        return try draw($0, noise: deviations)
      }
    ).data
  }

  private typealias Drawn = (trajectory: SimulatedTrajectory, attempts: Int)

  private func outcome(_ drawn: [Drawn]) throws -> Outcome {
    let kept = plant.states + plant.controls + (withObservables ? plant.observables : [])
    let columns = Array(kept.indices)
    var attributes = ["plant": plant.name, "excitation": mode.rawValue, "seed": String(seed)]
    if noise > 0 { attributes["noise"] = "\(noise) of the states' deviations" }
    let data = try Trajectories(
      variables: kept, timeStep: plant.timeStep,
      samples: drawn.map { result in
        let all = result.trajectory.samples
        return all.columns == columns.count
          ? all : all.submatrix(rows: Array(0..<all.rows), columns: columns)
      }, attributes: attributes)
    return Outcome(
      data: data, redrawn: drawn.reduce(0) { $0 + $1.attempts - 1 },
      samplesOutsideDomain: drawn.reduce(0) { $0 + $1.trajectory.samplesOutsideDomain })
  }

  private var noiseDeviations: [Double] {
    noise > 0 ? Self.deviations(of: plant, mode: mode).map { noise * $0 } : []
  }

  /// The standard deviation of each state over 20 trajectories of 2000 samples that depend on the plant
  /// alone: the noise of a trajectory must not depend on what else is simulated.
  public static func deviations(of plant: any Plant, mode: ExcitationMode) -> [Double] {
    let samples = (0..<20).map { index in
      var initial = RandomStream(seed: 0, path: [UInt64(index), 0])
      return plant.trajectory(
        initialState: plant.initialState(&initial), mode: mode,
        stream: RandomStream(seed: 0, path: [UInt64(index), 1]), samples: 2000)
    }.filter { $0.failedAt == nil }.map(\.samples)
    return plant.states.indices.map { state in
      samples.flatMap { $0.column(state) }.standardDeviation
    }
  }

  private func draw(_ index: Int, noise deviations: [Double]) throws -> Drawn {
    for attempt in 0..<100 {
      let path = [UInt64(index), UInt64(attempt)]
      var initial = RandomStream(seed: seed, path: path + [0])
      var trajectory = plant.trajectory(
        initialState: plant.initialState(&initial), mode: mode,
        stream: RandomStream(seed: seed, path: path + [1]), samples: samples)
      guard trajectory.failedAt == nil else { continue }
      if !deviations.isEmpty {
        var stream = RandomStream(seed: seed, path: path + [2])
        trajectory.addNoise(deviations, &stream)
      }
      return (trajectory, attempt + 1)
    }
    throw SimulationFailure(trajectory: index)
  }
}

extension SimulatedTrajectory {
  /// - Parameter deviations: of the noise, one per state; states are the first columns.
  mutating func addNoise(_ deviations: [Double], _ stream: inout RandomStream) {
    for sample in 0..<samples.rows {
      for (state, deviation) in deviations.enumerated() {
        samples[sample, state] += deviation * stream.normal()
      }
    }
  }
}

/// A trajectory that never stayed within the finite numbers.
public struct SimulationFailure: Error, CustomStringConvertible {
  public let trajectory: Int
  public var description: String {
    "trajectory \(trajectory) left the finite numbers in each of 100 draws; try fewer samples"
  }
}
