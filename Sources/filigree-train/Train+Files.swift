import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import Networks
import Reporting
import Training

/// What is written of a training.
extension Train {
  func write(
    _ outcome: EnsembleTraining.Outcome, _ recipe: Recipe, _ smoothing: Smoothing,
    _ manifest: inout Manifest, into folder: inout OutputFolder
  ) throws {
    let data = smoothing.data
    let names = data.states.map(\.name)
    let files = outcome.models.map { EnsembleFolder.memberName($0.member) }
    var digests: [String: String] = [:]
    for ((_, model), file) in zip(outcome.models, files) {
      let bytes = try model.onnx(path: output.output)
      digests[file] = ContentDigest.hex(bytes)
      try folder.write(bytes, named: file)
    }
    let split = data.split(validationFraction: recipe.validation)
    let leftOut = leftOut(outcome, names)
    let description = EnsembleFolder.Description(
      members: files, recipe: recipe, seed: seed, trajectories: split.training.samples.count,
      validationTrajectories: split.validation?.samples.count ?? 0,
      leftOut: leftOut.isEmpty ? nil : leftOut,
      resampling: bootstrap ? EnsembleFolder.Description.halves : nil,
      halves: bootstrap ? training(recipe).halves(of: data.samples.count) : nil,
      digests: digests, evidence: outcome.evidence)
    try folder.write(try SealedJSON.bytes(description), named: "ensemble.json")
    try folder.write(
      TrainingTables.epochs(outcome.histories, names).csv.utf8, named: "training.csv")
    manifest.files += files + ["ensemble.json", "training.csv"]
    if recipe.isRefined {
      let table = TrainingTables.refinement(
        outcome.histories, inputs: data.regressors.map(\.name))
      try folder.write(table.csv.utf8, named: "refinement.csv")
      manifest.files.append("refinement.csv")
    }
    if !outcome.freeRuns.isEmpty {
      let table = TrainingTables.freeRuns(outcome.freeRuns)
      try folder.write(table.csv.utf8, named: "candidates.csv")
      manifest.files.append("candidates.csv")
    }
    if smoothing.rateVariances != nil {
      try folder.write(TrainingTables.noise(smoothing.states).csv.utf8, named: "noise.csv")
      manifest.files.append("noise.csv")
    }
    try folder.write(try manifest.bytes(), named: "manifest.json")
  }

  func draw(_ outcome: EnsembleTraining.Outcome, _ names: [String]) async throws {
    guard let plot else { return }
    guard outcome.histories.contains(where: { $0.epochs.count > 1 }) else {
      return Console.warning("\(plot) is left out: this recipe is fitted at once, without epochs")
    }
    let bytes = try await Chart(outcome.histories, names).drawn(as: try PlotFile.format(plot))
    try WholeFile.write(bytes, to: plot, force: output.force)
  }

  /// The members without a model, each with the reason.
  private func leftOut(_ outcome: EnsembleTraining.Outcome, _ names: [String]) -> [String: String] {
    let kept = Set(outcome.models.map(\.member))
    var reasons: [String: String] = [:]
    for history in outcome.histories where !kept.contains(history.problem.member) {
      guard let last = history.divergences.last else { continue }
      reasons[String(history.problem.member)] =
        TrainingRemarks.place(history.problem, names) + "diverged \(last)"
    }
    return reasons
  }
}
