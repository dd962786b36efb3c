import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Training

/// Training with lagged features.
extension Train {
  /// Whether a recipe was asked for: then that is trained, and nothing else is tried.
  private func asksForRecipe(_ recipe: Recipe) -> Bool {
    RecipeField.texts(of: recipe) != RecipeField.texts(of: Recipe())
  }

  /// The data with the features that were asked for, or found; nil where models of several kinds are tried.
  func lagged(_ data: Trajectories, _ recipe: Recipe) async throws -> Trajectories? {
    guard lags.isGiven else { return data }
    guard asksForRecipe(recipe) else { return nil }
    let training = measured(try lags.request(for: data))
    let orders = try await Interruption.cancelling { try await training.orders(on: data) }
    run.note("lags: " + Self.listed(orders.features(states: data.states, controls: data.controls)))
    return data.lagged(orders)
  }

  private func measured(_ request: LagRequest) -> MeasuredTraining {
    MeasuredTraining(request: request, members: members, seed: seed, threads: run.threads)
  }

  private static func listed(_ features: [Variable]) -> String {
    features.map(\.name).joined(separator: ", ")
  }

  /// Tries models of several kinds and writes what is delivered.
  func trainMeasured(
    _ data: Trajectories, _ manifest: inout Manifest, into folder: inout OutputFolder
  ) async throws {
    guard !path, !bootstrap, plot == nil else {
      throw ValidationError(
        "--lags without a recipe tries several kinds of models; --path, --bootstrap and --plot need one, "
          + "for example --recipe proximal.")
    }
    let clock = ContinuousClock()
    let began = clock.now
    let training = measured(try lags.request(for: data))
    let quiet = run.quiet
    let outcome: MeasuredTraining.Outcome
    do {
      outcome = try await Interruption.cancelling {
        try await training.run(on: data) { if !quiet { Console.note("trying: \($0)") } }
      }
    } catch let problem as DataProblem {
      throw FileProblem.badData(path: self.data, problem: problem)
    }
    manifest.record("training", clock.now - began)
    let files = outcome.models.indices.map { EnsembleFolder.memberName($0) }
    var digests: [String: String] = [:]
    for (model, file) in zip(outcome.models, files) {
      let bytes = try model.onnx(path: output.output)
      digests[file] = ContentDigest.hex(bytes)
      try folder.write(bytes, named: file)
    }
    let description = EnsembleFolder.Description(
      members: files, recipe: Recipe(), seed: seed, trajectories: data.samples.count,
      validationTrajectories: 0, digests: digests)
    try folder.write(try SealedJSON.bytes(description), named: "ensemble.json")
    try folder.write(outcome.candidateTable(data).csv.utf8, named: "candidates.csv")
    try folder.write(outcome.orderTable(data).csv.utf8, named: "lags.csv")
    manifest.files += files + ["ensemble.json", "candidates.csv", "lags.csv"]
    try folder.write(try manifest.bytes(), named: "manifest.json")
    summarise(outcome, data, seconds: ProgressLine.seconds(clock.now - began))
  }

  private func summarise(
    _ outcome: MeasuredTraining.Outcome, _ data: Trajectories, seconds: Double
  ) {
    run.note("lags: " + Self.listed(outcome.models[0].inputs))
    run.note(outcome.verdict)
    let figures = zip(data.states, outcome.delivered.errorByState).map { state, error in
      "\(state.name) \(String(format: "%.3g", error))"
        + (state.unit.isEmpty ? "" : " \(state.unit)")
    }
    run.note(
      "\(output.output): \(counted(outcome.models.count, "model")) in "
        + "\(String(format: "%.1f", seconds)) s; held-out free runs are off by "
        + figures.joined(separator: ", ") + " (root mean square)")
  }
}
