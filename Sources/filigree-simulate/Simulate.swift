import CommandSupport
import Dynamics
import Foundation
import Interchange
import Reporting

@main
struct Simulate: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-simulate",
    abstract: "Simulates trajectories of a plant under an excitation.",
    discussion: """
      The file holds states and inputs in physical units, equally sampled, as NetCDF-4 (.nc) or \
      CSV (.csv) by its ending. Trajectory k is the same whatever else is simulated.

      EXAMPLES
        filigree-simulate --trajectories 10 --seed 1 --output train.nc
        filigree-simulate --plant duffing --samples 2000 --output duffing.csv
        filigree-simulate --trajectories 10 --noise 0.001 --missing 0.1 --output noisy.nc
        filigree-simulate --vary 7 --output another-cell.nc
        filigree-simulate --mode operation --trajectories 1 --observables --output day.nc
      """,
    version: filigreeVersion)

  @Option(
    help: "The plant: \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant = "electrolysis"

  @Option(help: "How the inputs move: aprbs (random steps and impulses) or operation.")
  var mode = ExcitationMode.aprbs

  @Option(parsing: .unconditional, help: "How many trajectories.")
  var trajectories = 10

  @Option(parsing: .unconditional, help: "Samples of each trajectory.")
  var samples = 5000

  @Option(parsing: .unconditional, help: "Seed of all random draws.")
  var seed: UInt64 = 1

  @Option(
    parsing: .unconditional,
    help: """
      Measurement noise on the recorded states, as a fraction of each state's deviation, for example \
      0.001; the dynamics stay exact.
      """)
  var noise = 0.0

  @Option(
    parsing: .unconditional,
    help: "Correlation of that noise from one sample to the next: 0 is white, towards 1 it drifts.")
  var noiseCorrelation = 0.0

  @Option(
    parsing: .unconditional,
    help: "White noise on the recorded inputs, as a fraction of each input's deviation.")
  var controlNoise = 0.0

  @Option(
    parsing: .unconditional,
    help: "Share of the states' recorded values that are missing, for example 0.1.")
  var missing = 0.0

  @OptionGroup var variation: VariationOption

  @Flag(help: "Also record what is measured but drives nothing, such as the bath voltage.")
  var observables = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var run: RunOptions

  func validate() throws {
    _ = try variation.plant(plant)
    guard (1...100_000).contains(trajectories) else {
      throw ValidationError("--trajectories \(trajectories): must be between 1 and 100000.")
    }
    guard (0...10).contains(noise) else {
      throw ValidationError("--noise \(noise): must be between 0 and 10.")
    }
    guard (0..<1).contains(noiseCorrelation) else {
      throw ValidationError("--noise-correlation \(noiseCorrelation): must be from 0 to below 1.")
    }
    guard noiseCorrelation == 0 || noise > 0 else {
      throw ValidationError("--noise-correlation is about --noise, which is 0.")
    }
    guard (0...10).contains(controlNoise) else {
      throw ValidationError("--control-noise \(controlNoise): must be between 0 and 10.")
    }
    guard (0...0.9).contains(missing) else {
      throw ValidationError("--missing \(missing): must be between 0 and 0.9.")
    }
    guard (2...100_000_000).contains(samples), trajectories * samples <= 1_000_000_000 else {
      throw ValidationError(
        "--samples \(samples): must be at least 2, and at most 1000000000 over all trajectories.")
    }
  }

  mutating func work() async throws {
    try TrajectoryFile.checkFormat(output.output)
    try WholeFile.checkWritable(output.output, force: output.force)
    let plant = try variation.plant(plant)
    var simulation = Simulation(plant: plant, trajectories: trajectories, samples: samples)
    simulation.mode = mode
    simulation.seed = seed
    simulation.withObservables = observables
    simulation.noise = noise
    simulation.noiseCorrelation = noiseCorrelation
    simulation.controlNoise = controlNoise
    simulation.missing = missing
    simulation.variation = variation.vary
    let progress = ProgressLine(total: trajectories, unit: "trajectories", quiet: run.quiet)
    let outcome = try await simulation.run(threads: run.threads) { _ in progress.advance() }
    progress.finish()
    try TrajectoryFile.write(outcome.data, to: output.output, force: output.force)
    report(outcome, plant)
  }

  private func report(_ outcome: Simulation.Outcome, _ plant: any Plant) {
    run.note(
      "\(output.output): \(counted(trajectories, "trajectory")) of \(samples) samples, Δt = "
        + "\(plant.timeStep) s, \(counted(outcome.data.states.count, "state")), "
        + "\(counted(outcome.data.controls.count, "input")); \(outcome.redrawn) drawn again because "
        + "they left the finite numbers")
    if outcome.samplesOutsideDomain > 0 {
      run.note(
        "\(outcome.samplesOutsideDomain) of \(outcome.data.sampleCount) samples lie outside the "
          + "plant's domain (\(plant.domain))")
    }
  }
}

extension ExcitationMode: ExpressibleByArgument {}
