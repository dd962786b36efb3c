import CommandSupport
import Dynamics
import Evidence
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure
import Training

@main
struct Train: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-train",
    abstract: "Trains an ensemble of sparse or dense networks from trajectories.",
    discussion: """
      Each member learns the rates of the states, (x(k+1) − x(k))/Δt, from states and inputs at \
      sample k. Members differ in initial weights and order of the samples. The output folder holds \
      one ONNX file per member (physical units in and out), ensemble.json, training.csv (losses per \
      epoch) and manifest.json. The models are the same for any number of threads.

      The states of the training are kept beside the output, in a folder of the same name with \
      .training behind it, until it ends. However it was stopped, the same command with --resume goes \
      on from there and ends with the same models.

      EXAMPLES
        filigree-train train.nc --output models/sparse
        filigree-train train.nc --recipe dense --output models/dense
        filigree-train train.nc --recipe proximal --strength 1e-2 --output models/quick
        filigree-train plant.csv --inputs u1,u2 --members 4 --output models/mine
        filigree-train train.nc --recipe proximal --path --output models/path
        filigree-train train.nc --bootstrap --members 20 --output models/halves
        filigree-train train.nc --output models/sparse --resume
        filigree-train record.csv --inputs pump --lags auto --output models/record
      """,
    version: filigreeVersion)

  @Argument(help: "Trajectories to learn from: NetCDF (.nc) or CSV.", completion: .file())
  var data: String

  @Option(parsing: .unconditional, help: "Use the first so many trajectories; all by default.")
  var trajectories: Int?

  @Option(parsing: .unconditional, help: "How many members to train.")
  var members = 10

  @Option(parsing: .unconditional, help: "Seed of initial weights and of the order of the samples.")
  var seed: UInt64 = 1

  @OptionGroup(title: "Lags") var lags: LagOptions
  @OptionGroup(title: "Recipe") var options: RecipeOptions

  @Flag(
    help: """
      First train one network along rising --strength, each time from where the last left it, and take \
      the largest whose error on the held-out trajectories is within a standard error of the least. The \
      folder then holds path.csv and path.svg too.
      """)
  var path = false

  @Flag(
    help: """
      Let each member learn from a random half of the trajectories, instead of all from all: then \
      filigree-agreement --error-bound can bound how many of the pairs that most members select are there by \
      chance (stability selection).
      """)
  var bootstrap = false

  @Option(
    help: ArgumentHelp("Leave this variable out. May be given again.", valueName: "name"))
  var exclude: [String] = []

  @Option(
    help: """
      What to do with a member whose loss or weights become infinite or NaN: restart (once, from \
      other weights; then leave it out), leave-out or stop.
      """)
  var onDivergence = EnsembleTraining.OnDivergence.restart

  @Flag(help: "Go on with a training that was stopped; begin where there is none.")
  var resume = false

  @Option(
    parsing: .unconditional, help: "Seconds between two states of the training that are kept.")
  var checkpointInterval = 10.0

  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (1...100_000).contains(members) else {
      throw ValidationError("--members \(members): must be between 1 and 100000.")
    }
    guard (0...1e9).contains(checkpointInterval) else {
      throw ValidationError(
        "--checkpoint-interval \(checkpointInterval): must be between 0 and 1e9 seconds.")
    }
    if path, let problem = StrengthPath.problem(try options.made()) {
      throw ValidationError(problem + ".")
    }
    if let trajectories, trajectories < 1 {
      throw ValidationError("--trajectories \(trajectories): must be at least 1.")
    }
  }

  mutating func work() async throws {
    let clock = ContinuousClock()
    let start = clock.now
    let recipe = try options.made()
    for text in options.ineffective(in: recipe) { Console.warning("no effect: " + text) }
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

  private mutating func train(
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
    let smoothing = try await smooth(recipe, lagged)
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
    summarise(outcome, data, seconds: ProgressLine.seconds(clock.now - began))
  }

  private func checkHalves(_ data: Trajectories) throws {
    guard bootstrap, data.samples.count < EnsembleTraining.fewestForHalves else { return }
    throw DataMismatch(
      "\(self.data): --bootstrap halves the trajectories and needs at least "
        + "\(EnsembleTraining.fewestForHalves); there "
        + (data.samples.count == 1 ? "is one" : "are \(data.samples.count)"))
  }

  /// The settings that decide the models, one text each: a training is resumed only with equal settings.
  private func settings(_ recipe: Recipe, _ manifest: Manifest) -> [String: String] {
    var settings = recipe.description
    if path { settings["strength"] = "by path" }
    settings["members"] = String(members)
    settings["seed"] = String(seed)
    settings["bootstrap"] = bootstrap ? EnsembleFolder.Description.halves : "none"
    settings["trajectories"] = trajectories.map(String.init) ?? "all"
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

  /// Prints which noise was found, if any.
  private func smooth(_ recipe: Recipe, _ data: Trajectories) async throws -> Smoothing {
    guard recipe.smooth else {
      noteGaps(data)
      return Smoothing(data)
    }
    let smoothing = try await Smoother(threads: run.threads).run(data)
    let noisy = smoothing.states.filter { $0.motion != nil && $0.isNoise }
    if !noisy.isEmpty {
      let largest = noisy.map(\.relativeNoise).max() ?? 0
      run.note(
        "measurement noise of up to \(String(format: "%.2g", 100 * largest)) % of a state's increments was "
          + "taken out of " + counted(noisy.count, "state") + " (--no-smooth leaves it in)")
    }
    for warning in smoothing.warnings { Console.warning(warning) }
    let filled = smoothing.states.reduce(0) { $0 + ($1.motion == nil ? 0 : $1.gaps) }
    if filled > 0 { run.note("\(counted(filled, "missing value")) filled in (see noise.csv)") }
    noteGaps(smoothing.data)
    warnOfNoisyControls(data)
    return smoothing
  }

  /// Missing values are left out, not guessed.
  private func noteGaps(_ data: Trajectories) {
    let missing = zip(data.states, data.missingValues).filter { $0.1 > 0 }
    guard !missing.isEmpty else { return }
    let words = missing.map { "\($0.0.name) (\($0.1))" }.joined(separator: ", ")
    Console.warning("values are missing in \(words); steps from or to them are left out")
  }

  /// A network takes the recorded inputs as exact.
  private func warnOfNoisyControls(_ data: Trajectories) {
    let noisy = Smoother.noisyControls(data)
    guard !noisy.isEmpty else { return }
    let words = noisy.map { "\($0.name) (\(String(format: "%.2g", 100 * $0.share)) %)" }
    Console.warning(
      "the inputs \(words.joined(separator: ", ")) look noisy (share of their deviation); noise in inputs "
        + "is not taken out, and weakens what a model says of them: give the values that were set, if "
        + "they are known")
  }

  private func followPath(_ recipe: Recipe, _ smoothing: Smoothing) async throws
    -> StrengthPathReport
  {
    let path = StrengthPath(recipe: recipe, seed: seed, threads: run.threads)
    let outputs = recipe.towers == .shared ? 1 : smoothing.data.states.count
    let progress = ProgressLine(
      total: path.strengths.count * outputs, unit: "networks along the path", quiet: run.quiet)
    defer { progress.finish() }
    let points = try await Interruption.cancelling {
      try await path.run(on: smoothing) { progress.advance(by: $0) }
    }
    let report = try StrengthPathReport(points)
    run.note(
      "path: least error at --strength \(report.points[report.least].strength), taken "
        + "\(report.strength)")
    if [0, points.count - 1].contains(report.chosen) {
      Console.warning("that is an end of the path; the best strength may lie beyond it")
    }
    return report
  }

  private func write(
    _ path: StrengthPathReport, _ manifest: inout Manifest, into folder: inout OutputFolder
  ) async throws {
    try folder.write(path.table.csv.utf8, named: "path.csv")
    manifest.files.append("path.csv")
    do {
      try folder.write(try await path.chart.svg(), named: "path.svg")
      manifest.files.append("path.svg")
    } catch let problem as ChartProblem {
      Console.warning("path.svg is left out: \(problem)")
    }
  }

  private func training(_ recipe: Recipe) -> EnsembleTraining {
    EnsembleTraining(
      recipe: recipe, members: members, seed: seed, threads: run.threads,
      onDivergence: onDivergence, usesHalves: bootstrap)
  }

  private func train(_ recipe: Recipe, _ smoothing: Smoothing, _ kept: CheckpointFolder)
    async throws -> EnsembleTraining.Outcome
  {
    let data = smoothing.data
    let training = training(recipe)
    let halves = bootstrap ? training.halves(of: data.samples.count) : []
    if Set(halves).count < halves.count {
      Console.warning(
        "\(data.samples.count) trajectories have too few halves for \(members) members: some learn from the same"
      )
    }
    let of = halves.first.map(data.choosing) ?? data
    let split = of.split(validationFraction: recipe.validation)
    announce(recipe, split.training, split.validation, isSplitInTime: data.samples.count == 1)
    let problems = training.problems(targets: data.states.count)
    let checkpoints = kept.checkpoints(interval: .seconds(checkpointInterval))
    let done = try problems.reduce(0) { try $0 + (checkpoints.load($1)?.epochs.count ?? 0) }
    let epochs = recipe.epochs(rows: try Regression(split.training).rows)
    if resume {
      run.note("\(done) of \(problems.count * epochs) epochs were kept")
    }
    let progress = ProgressLine(
      total: problems.count * epochs, done: done, unit: "epochs", quiet: run.quiet)
    let names = data.states.map(\.name)
    do {
      let outcome = try await Interruption.cancelling {
        try await training.run(on: smoothing, checkpoints: checkpoints) { event in
          progress.advance(by: 1 + event.epochsLeftOut, Self.describe(event, names))
        }
      }
      progress.finish()
      return outcome
    } catch var interruption as Interruption {
      progress.finish()
      interruption.remedy =
        "what was trained is kept in \(kept.path); the same command with --resume goes on"
      throw interruption
    } catch {
      progress.finish()
      // There is nothing to go on with: the same settings diverge again.
      if error is TrainingFailure { try kept.remove() }
      if error is FileProblem {
        Console.note("what was kept before is still in \(kept.path); --resume goes on from there")
      }
      throw error
    }
  }

  private func write(
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
    try folder.write(trainingTable(outcome.histories, names).csv.utf8, named: "training.csv")
    manifest.files += files + ["ensemble.json", "training.csv"]
    if recipe.isRefined {
      let table = refinementTable(
        outcome.histories, inputs: data.regressors.map(\.name))
      try folder.write(table.csv.utf8, named: "refinement.csv")
      manifest.files.append("refinement.csv")
    }
    if smoothing.rateVariances != nil {
      try folder.write(noiseTable(smoothing.states).csv.utf8, named: "noise.csv")
      manifest.files.append("noise.csv")
    }
    try folder.write(try manifest.bytes(), named: "manifest.json")
  }

  /// The members without a model, each with the reason.
  private func leftOut(_ outcome: EnsembleTraining.Outcome, _ names: [String]) -> [String: String] {
    let kept = Set(outcome.models.map(\.member))
    var reasons: [String: String] = [:]
    for history in outcome.histories where !kept.contains(history.problem.member) {
      guard let last = history.divergences.last else { continue }
      reasons[String(history.problem.member)] =
        Self.place(history.problem, names) + "diverged \(last)"
    }
    return reasons
  }

  private static func place(_ problem: EnsembleTraining.Problem, _ names: [String]) -> String {
    problem.tower.map { "tower \"\(names[$0])\" " } ?? ""
  }

  /// Checks that every variable varies.
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
    return data
  }

  private func announce(
    _ recipe: Recipe, _ training: Trajectories, _ validation: Trajectories?, isSplitInTime: Bool
  ) {
    var text =
      "\(counted(members, "member")) on \(bootstrap ? "a random half each: " : "")"
      + "\(counted(training.samples.count, "trajectory")) "
      + "(\(training.sampleCount) samples) of \(counted(training.states.count, "state")) and "
      + counted(training.controls.count, "input")
    if let validation, recipe.isCrossFitted && !bootstrap && members > 1 {
      text +=
        isSplitInTime
        ? "; each holds out another stretch of \(validation.sampleCount) samples"
        : "; each holds out \(validation.samples.count) others"
    } else if let validation {
      text +=
        isSplitInTime
        ? "; its last \(validation.sampleCount) samples validate"
        : "; \(counted(validation.samples.count, "trajectory")) "
          + (validation.samples.count == 1 ? "validates" : "validate")
    }
    run.note(text)
    if training.controls.isEmpty {
      run.note(
        "note: no variable is an input, so all are taken for states; if some are set from outside, "
          + "name them with --inputs")
    }
  }

  private static func describe(_ event: EnsembleTraining.Progress, _ names: [String]) -> String {
    let record = event.record
    let place = event.problem.tower.map { " \(names[$0])" } ?? ""
    let validation = record.validationLoss.map { " validation \(scientific($0))" } ?? ""
    return
      "member \(event.problem.member)\(place): loss \(scientific(record.trainingLoss))\(validation), "
      + "\(record.survivingWeights) weights"
  }

  private static func scientific(_ value: Double) -> String { String(format: "%.2e", value) }

  private func trainingTable(_ histories: [EnsembleTraining.History], _ names: [String]) -> Table {
    var table = Table(
      title: "", corner: "member",
      columns: [
        "tower", "epoch", "learning_rate", "training_loss", "penalty", "validation_loss",
        "surviving_weights",
      ])
    for history in histories {
      for record in history.epochs {
        table.rows.append(
          (
            String(history.problem.member),
            [
              .text(history.problem.tower.map { names[$0] } ?? ""), .integer(record.epoch),
              .number(record.learningRate), .number(record.trainingLoss), .number(record.penalty),
              record.validationLoss.map(Cell.number) ?? .missing,
              .integer(record.survivingWeights),
            ]
          ))
      }
    }
    return table
  }

  private func noiseTable(_ states: [Smoothing.StateReport]) -> Table {
    Table(
      title: "", corner: "state",
      columns: [
        "noise", "share_of_increments", "correlation", "missing_samples", "taken_to_move_as",
      ],
      rows: states.map { state in
        (
          state.name,
          [
            .number(state.noise), .number(state.relativeNoise), .number(state.correlation),
            .integer(state.gaps),
            .text(state.motion ?? "left as it is"),
          ]
        )
      })
  }

  /// What was done to each network after its stochastic training.
  private func refinementTable(_ histories: [EnsembleTraining.History], inputs: [String]) -> Table {
    var table = Table(
      title: "", corner: "member",
      columns: ["tower", "loss_before", "loss", "validation_loss", "removed_inputs"])
    for history in histories {
      guard let record = history.refinement, record.sizeBeyondLimit == nil else { continue }
      table.rows.append(
        (
          String(history.problem.member),
          [
            .text(history.problem.tower.map { inputs[$0] } ?? ""), .number(record.before),
            .number(record.after), record.validation.map(Cell.number) ?? .missing,
            .text(record.removed.map { inputs[$0] }.joined(separator: " ")),
          ]
        ))
    }
    return table
  }

  /// Rates of which next to nothing is explained, and how many pairs are decided.
  private func warnOfLittle(_ outcome: EnsembleTraining.Outcome) {
    guard let evidence = outcome.evidence else { return }
    let unexplained = zip(evidence.outputs, evidence.explained).filter { ($0.1 ?? 1) < 0.01 }
    if !unexplained.isEmpty {
      Console.warning(
        "nothing is explained of the rates of \(unexplained.map(\.0).joined(separator: ", ")) on held-out "
          + "trajectories (R² below 0.01): that they depend on little or nothing says nothing of the plant"
      )
    }
    let verdicts = evidence.pairs.joined().map(\.verdict)
    let counts = [Verdict.present, .weak, .absent, .undecided].map { wanted in
      "\(verdicts.count { $0 == wanted }) \(wanted.rawValue)"
    }
    run.note("pairs: " + counts.joined(separator: ", ") + " (filigree-agreement shows them)")
  }

  private func summarise(
    _ outcome: EnsembleTraining.Outcome, _ data: Trajectories, seconds: Double
  ) {
    let models = outcome.models.map(\.model)
    let kept = Set(outcome.models.map(\.member))
    let names = data.states.map(\.name)
    for history in outcome.histories {
      for (attempt, divergence) in history.divergences.enumerated() {
        let isLast = attempt == history.divergences.count - 1 && history.epochs.isEmpty
        Console.warning(
          "member \(history.problem.member): \(Self.place(history.problem, names))diverged "
            + "\(divergence); " + (isLast ? "the member is left out" : "it was trained again"))
      }
    }
    let trained = outcome.histories.filter { kept.contains($0.problem.member) }
    // Standardised targets: predicting their mean has a loss of 1.
    for history in trained {
      if let loss = history.epochs.last?.trainingLoss, loss > 1.1 {
        Console.warning(
          "member \(history.problem.member): \(Self.place(history.problem, names))has a training loss "
            + "of \(Self.scientific(loss)), worse than the mean of the data (1); a lower "
            + "--learning-rate usually helps")
      }
    }
    for history in trained {
      if let size = history.refinement?.sizeBeyondLimit {
        Console.warning(
          "member \(history.problem.member): \(Self.place(history.problem, names))has \(size) parameters and "
            + "stays as the stochastic training left it (Levenberg-Marquardt takes at most "
            + "\(Refinement.largestSize)); a larger --strength or --towers per-output makes it smaller"
        )
      }
    }
    warnOfLittle(outcome)
    let last = trained.compactMap(\.epochs.last)
    // As filigree-paths counts them: what is left once dead units are gone.
    let weights = models.map { Double(LiveStructure($0.network).network.survivingWeightCount) }
    let validation = last.compactMap(\.validationLoss)
    var text =
      "\(output.output): \(counted(models.count, "model")) in \(String(format: "%.1f", seconds)) s; "
    text += "training loss \(Self.scientific(last.map(\.trainingLoss).mean))"
    let refined = trained.compactMap(\.refinement).filter { $0.sizeBeyondLimit == nil }
    if !validation.isEmpty { text += ", validation \(Self.scientific(validation.mean))" }
    if !refined.isEmpty {
      text +=
        "; refined from \(Self.scientific(refined.map(\.before).mean)) to "
        + Self.scientific(refined.map(\.after).mean)
    }
    text +=
      "; \(Int(weights.mean.rounded())) of \(models[0].network.weightCount) weights are live on average"
    run.note(text)
  }
}

extension EnsembleTraining.OnDivergence: ExpressibleByArgument {}
