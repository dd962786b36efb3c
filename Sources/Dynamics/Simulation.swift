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
    let drawn = try await concurrentMap(trajectories, threads: threads) { index in
      let result = try draw(index)
      finished(index)
      return result
    }
    let kept = plant.states + plant.controls + (withObservables ? plant.observables : [])
    let columns = Array(kept.indices)
    let data = try Trajectories(
      variables: kept, timeStep: plant.timeStep,
      samples: drawn.map { result in
        let all = result.trajectory.samples
        return all.columns == columns.count
          ? all : all.submatrix(rows: Array(0..<all.rows), columns: columns)
      },
      attributes: ["plant": plant.name, "excitation": mode.rawValue, "seed": String(seed)])
    return Outcome(
      data: data, redrawn: drawn.reduce(0) { $0 + $1.attempts - 1 },
      samplesOutsideDomain: drawn.reduce(0) { $0 + $1.trajectory.samplesOutsideDomain })
  }

  private func draw(_ index: Int) throws -> (trajectory: SimulatedTrajectory, attempts: Int) {
    for attempt in 0..<100 {
      let path = [UInt64(index), UInt64(attempt)]
      var initial = RandomStream(seed: seed, path: path + [0])
      let trajectory = plant.trajectory(
        initialState: plant.initialState(&initial), mode: mode,
        stream: RandomStream(seed: seed, path: path + [1]), samples: samples)
      if trajectory.failedAt == nil { return (trajectory, attempt + 1) }
    }
    throw SimulationFailure(trajectory: index)
  }
}

/// A trajectory that never stayed within the finite numbers.
public struct SimulationFailure: Error, CustomStringConvertible {
  public let trajectory: Int
  public var description: String {
    "trajectory \(trajectory) left the finite numbers in each of 100 draws; try fewer samples"
  }
}
