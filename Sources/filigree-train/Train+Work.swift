import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import Training

extension Train {
  func train() async throws {
    let clock = ContinuousClock()
    let start = clock.now
    if let plot {
      try WholeFile.checkWritable(plot, force: output.force)
      try refuseOverwriting(plot, [self.data], models: [])
    }
    let recipe = try options.made()
    for text in try options.ineffective(in: recipe) { Console.warning("no effect: " + text) }
    let data = try readData()
    // Found out here rather than in the middle of the work, unless gaps are about to be filled.
    let isWhole = data.missingValues.allSatisfy { $0 == 0 }
    if isWhole || !recipe.smooth { try check(data, recipe) }
    try checkHalves(data)
    var manifest = try Manifest(seed: seed, threads: run.threads, inputs: [self.data])
    let settings = settings(recipe, manifest)
    manifest.settings = settings
    if resume && Manifest.settings(in: output.output) == settings {
      try removeLeftovers(settings)
      return run.note("\(output.output): this training is complete; there is nothing to go on with")
    }
    var folder = try OutputFolder(output.output, force: output.force)
    let kept = try CheckpointFolder(
      output: folder.path, settings: settings,
      start: resume ? .resume : output.force ? .over : .new)
    manifest.record("reading", clock.now - start)
    do {
      try await train(recipe, data, isWhole, manifest, &folder, kept)
    } catch {
      // What was refused before anything was learnt leaves nothing behind.
      if !(error is Interruption) && !kept.holdsStates { try? kept.remove() }
      throw error
    }
  }

  private func train(
    _ recipe: Recipe, _ data: Trajectories, _ isWhole: Bool, _ manifest: Manifest,
    _ folder: inout OutputFolder, _ kept: CheckpointFolder
  ) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    var (recipe, manifest) = (recipe, manifest)
    guard let lagged = try await lagged(data, recipe) else {
      try await trainMeasured(data, &manifest, into: &folder)
      try folder.commit()
      return try kept.remove()
    }
    let smoothing =
      recipe.smooth ? try await Smoother(threads: run.threads).run(lagged) : Smoothing(lagged)
    run.say(
      recipe.smooth ? SmoothingRemarks.of(smoothing, lagged) : SmoothingRemarks.gaps(in: lagged))
    if !isWhole && recipe.smooth { try check(smoothing.data, recipe) }
    manifest.record("smoothing", clock.now - start)
    let began = clock.now
    let path = path ? try await followPath(recipe, smoothing) : nil
    if let path { recipe.take(strength: path.strength) }
    manifest.record("path", clock.now - began)
    let outcome = try await train(recipe, smoothing, kept)
    manifest.record("training", clock.now - began)
    if let path { try await write(path, &manifest, into: &folder) }
    try write(outcome, recipe, smoothing, &manifest, into: &folder)
    try folder.commit()
    try kept.remove()
    try await draw(outcome, data.states.map(\.name))
    run.say(
      TrainingRemarks.summary(
        outcome, data.states.map(\.name), output: output.output,
        seconds: ProgressLine.seconds(clock.now - began)))
  }

  private func checkHalves(_ data: Trajectories) throws {
    guard bootstrap, data.samples.count < EnsembleTraining.fewestForHalves else { return }
    throw DataMismatch(
      "\(self.data): --bootstrap halves the trajectories and needs at least "
        + "\(EnsembleTraining.fewestForHalves); there "
        + (data.samples.count == 1 ? "is one" : "are \(data.samples.count)"))
  }

  /// What decides the models, one text each: a training goes on only with the same.
  private func settings(_ recipe: Recipe, _ manifest: Manifest) -> [String: String] {
    var settings = RecipeField.texts(of: recipe)
    if path { settings["strength"] = "by path" }
    settings["members"] = String(members)
    settings["seed"] = String(seed)
    settings["bootstrap"] = bootstrap ? EnsembleFolder.Description.halves : "none"
    settings["trajectories"] = trajectories.map(String.init) ?? "all"
    settings["samples"] = String(samples)
    settings["inputs"] = tables.inputs ?? "as in the file"
    if let said = tables.said { settings["table"] = said }
    if lags.isGiven {
      let given = [lags.lags, lags.inputLags].map { $0.map { "\($0)" } ?? "-" } + lags.delay
      settings["lags"] = given.joined(separator: " ")
    }
    settings["exclude"] = exclude.isEmpty ? "none" : exclude.joined(separator: ", ")
    settings["on-divergence"] = onDivergence.rawValue
    settings["data"] = manifest.inputDigests.joined(separator: " ")
    settings["version"] = filigreeVersion
    return settings
  }

  /// The states of a training that was killed between the output's appearance and their removal.
  private func removeLeftovers(_ settings: [String: String]) throws {
    guard
      FileManager.default.fileExists(atPath: CheckpointFolder.path(output: output.output))
    else { return }
    try CheckpointFolder(output: output.output, settings: settings, start: .resume).remove()
  }

  /// That there is something to learn about every variable.
  private func check(_ data: Trajectories, _ recipe: Recipe) throws {
    do {
      let (training, validation) = data.split(validationFraction: recipe.validation)
      let regression = try Regression(training)
      let scales = try regression.standardisation()
      try regression.checkRange(scales)
      if let validation, let held = try? Regression(validation) { try held.checkRange(scales) }
    } catch {
      throw FileProblem.badData(path: self.data, problem: error)
    }
  }

  private func readData() throws -> Trajectories {
    var data = try tables.read(self.data, gaps: .inStates, quiet: run.quiet)
    do {
      data = try data.excluding(exclude)
      if let trajectories { data = try data.prefix(trajectories) }
    } catch {
      throw FileProblem.badData(path: self.data, problem: error)
    }
    let all = data.sampleCount
    guard samples > 0, all > samples else { return data }
    data = data.thinned(to: samples)
    run.note(
      "learns from \(data.sampleCount) of \(all) samples, in \(data.samples.count) stretches spread evenly "
        + "(--samples 0: from all)")
    return data
  }
}
