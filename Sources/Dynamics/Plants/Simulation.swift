import LinearAlgebra

/// The plants that come with Filigree; a new one is added here.
public enum PlantCatalogue {
  public static let plants: [any Plant] = [
    ElectrolysisCell(), DuffingOscillator(), QuadrupleTank(), StirredTankReactor(),
    VanDeVusseReactor(), WilliamsOttoReactor(), Lorenz96(), KuramotoOscillators(), SpringChain(),
  ]
  public static var names: [String] { plants.map(\.name) }
  /// - Parameters:
  ///   - name: one of `names`.
  ///   - variation: seed of a plant of the same kind with constants drawn near its own.
  public static func plant(named name: String, variation: UInt64? = nil) -> (any Plant)? {
    let plant = plants.first { $0.name == name }
    guard let variation else { return plant }
    return plant?.varied(seed: variation)
  }
}

/// What to simulate. Trajectory k depends on plant, mode, seed and k only, not on how many others there are, nor,
/// except for its end, on the number of samples.
public struct Simulation: Sendable {
  public var plant: any Plant
  public var mode = ExcitationMode.aprbs
  public var trajectories: Int
  public var samples: Int
  public var seed: UInt64 = 1
  public var withObservables = false
  /// Measurement noise: normal, added to the recorded states but never to the dynamics, as this fraction of each
  /// state's standard deviation (`Simulation.deviations`).
  public var noise = 0.0
  /// Correlation of a state's noise from one sample to the next: 0 is white noise, near 1 it drifts.
  public var noiseCorrelation = 0.0
  /// White noise on the recorded controls, as a fraction of their standard deviations; the plant is driven by the
  /// controls without it.
  public var controlNoise = 0.0
  /// The share of the recorded states' values that are missing, each independently.
  public var missing = 0.0
  /// Seed of a variant of the plant (`Plant.varied`); nil for the plant itself.
  public var variation: UInt64?

  public struct Outcome: Sendable {
    public var data: Trajectories
    /// The number of trajectories with values that were not finite, which were drawn again.
    public var redrawn: Int
    public var samplesOutsideDomain: Int
  }

  public init(plant: any Plant, trajectories: Int, samples: Int) {
    self.plant = plant
    self.trajectories = trajectories
    self.samples = samples
  }

  /// - Throws: `SimulationFailure` if one trajectory failed in a hundred draws.
  public func run(threads: Int, finished: @escaping @Sendable (Int) -> Void = { _ in }) async throws
    -> Outcome
  {
    let disturbance = Disturbance(self)
    return try outcome(
      try await concurrentMap(trajectories, threads: threads) { index in
        let result = try draw(index, disturbance)
        finished(index)
        return result
      })
  }

  /// The data alone, simulated on the calling thread.
  public func run() throws -> Trajectories {
    let disturbance = Disturbance(self)
    return try outcome(
      try (0..<trajectories).map {
        try Task.checkCancellation()
        return try draw($0, disturbance)
      }
    ).data
  }

  private typealias Drawn = (trajectory: SimulatedTrajectory, attempts: Int)

  private func outcome(_ drawn: [Drawn]) throws -> Outcome {
    let kept = plant.states + plant.controls + (withObservables ? plant.observables : [])
    let columns = Array(kept.indices)
    var attributes = ["plant": plant.name, "excitation": mode.rawValue, "seed": String(seed)]
    if noise > 0 { attributes["noise"] = "\(noise) of the states' deviations" }
    if noise > 0 && noiseCorrelation > 0 { attributes["noise_correlation"] = "\(noiseCorrelation)" }
    if controlNoise > 0 {
      attributes["control_noise"] = "\(controlNoise) of the controls' deviations"
    }
    if missing > 0 { attributes["missing"] = "\(missing) of the states' values" }
    if let variation { attributes["variation"] = String(variation) }
    let data = try Trajectories(
      variables: kept, timeStep: plant.timeStep,
      samples: drawn.map { result in
        let all = result.trajectory.samples
        return all.columns == columns.count
          ? all : all.submatrix(rows: Array(0..<all.rows), columns: columns)
      }, attributes: attributes, gaps: missing > 0 ? .inStates : .refused)
    return Outcome(
      data: data, redrawn: drawn.reduce(0) { $0 + $1.attempts - 1 },
      samplesOutsideDomain: drawn.reduce(0) { $0 + $1.trajectory.samplesOutsideDomain })
  }

  /// The standard deviation of each state and control over 20 trajectories of 2000 samples that depend on
  /// the plant alone: the noise of a trajectory must not depend on what else is simulated.
  public static func deviations(of plant: any Plant, mode: ExcitationMode) -> [Double] {
    let samples = (0..<20).map { index in
      var initial = RandomStream(seed: 0, path: [UInt64(index), 0])
      return plant.trajectory(
        initialState: plant.initialState(&initial), mode: mode,
        stream: RandomStream(seed: 0, path: [UInt64(index), 1]), samples: 2000)
    }.filter { $0.failedAt == nil }.map(\.samples)
    return (0..<(plant.states.count + plant.controls.count)).map { column in
      samples.flatMap { $0.column(column) }.standardDeviation
    }
  }

  private func draw(_ index: Int, _ disturbance: Disturbance) throws -> Drawn {
    for attempt in 0..<100 {
      let path = [UInt64(index), UInt64(attempt)]
      var initial = RandomStream(seed: seed, path: path + [0])
      var trajectory = plant.trajectory(
        initialState: plant.initialState(&initial), mode: mode,
        stream: RandomStream(seed: seed, path: path + [1]), samples: samples)
      guard trajectory.failedAt == nil else { continue }
      disturbance.apply(to: &trajectory.samples) { RandomStream(seed: seed, path: path + [$0]) }
      return (trajectory, attempt + 1)
    }
    throw SimulationFailure(trajectory: index)
  }
}

/// What measurement does to the recorded values.
private struct Disturbance {
  private let states: Int
  /// Of the noise, one per state and control; empty without any.
  private let deviations: [Double]
  private let correlation: Double
  private let missing: Double

  init(_ simulation: Simulation) {
    states = simulation.plant.states.count
    correlation = simulation.noiseCorrelation
    missing = simulation.missing
    let (ofStates, ofControls) = (simulation.noise, simulation.controlNoise)
    guard ofStates > 0 || ofControls > 0 else {
      deviations = []
      return
    }
    let states = states
    deviations = Simulation.deviations(of: simulation.plant, mode: simulation.mode).enumerated()
      .map { $0.element * ($0.offset < states ? ofStates : ofControls) }
  }

  /// - Parameters:
  ///   - samples: states, then controls.
  ///   - stream: by number.
  func apply(to samples: inout Matrix, _ stream: (UInt64) -> RandomStream) {
    if deviations.prefix(states).contains(where: { $0 > 0 }) {
      var stream = stream(2)
      // e(k) = ρ e(k − 1) + √(1 − ρ²) ε keeps its variance.
      let fresh = (1 - correlation * correlation).squareRoot()
      var noise = [Double](repeating: 0, count: states)
      for sample in 0..<samples.rows {
        for state in 0..<states {
          let drawn = stream.normal()
          noise[state] = sample == 0 ? drawn : correlation * noise[state] + fresh * drawn
          samples[sample, state] += deviations[state] * noise[state]
        }
      }
    }
    if deviations.dropFirst(states).contains(where: { $0 > 0 }) {
      var stream = stream(3)
      for sample in 0..<samples.rows {
        for control in states..<deviations.count {
          samples[sample, control] += deviations[control] * stream.normal()
        }
      }
    }
    guard missing > 0 else { return }
    var stream = stream(4)
    for sample in 0..<samples.rows {
      for state in 0..<states where stream.uniform() < missing { samples[sample, state] = .nan }
    }
  }
}

/// A trajectory that never stayed finite.
public struct SimulationFailure: Error, CustomStringConvertible {
  public let trajectory: Int
  public var description: String {
    "trajectory \(trajectory) left the finite numbers in each of 100 draws; try fewer samples"
  }
}
