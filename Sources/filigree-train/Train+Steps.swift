import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import Networks
import Reporting
import Training

extension Train {
  func followPath(_ recipe: Recipe, _ smoothing: Smoothing) async throws
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
    guard let report = StrengthPathReport(points) else {
      throw ValidationError("--path: no strength leads to a finite error on held-out trajectories.")
    }
    run.note(
      "path: least error at --strength \(report.points[report.least].strength), taken "
        + "\(report.strength)")
    if [0, points.count - 1].contains(report.chosen) {
      Console.warning("that is an end of the path; the best strength may lie beyond it")
    }
    return report
  }

  func write(
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

  func training(_ recipe: Recipe) -> EnsembleTraining {
    EnsembleTraining(
      recipe: recipe, members: members, seed: seed, threads: run.threads,
      onDivergence: onDivergence, usesHalves: bootstrap)
  }

  func train(_ recipe: Recipe, _ smoothing: Smoothing, _ kept: CheckpointFolder)
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
    run.say(
      TrainingRemarks.start(
        recipe, members: members, bootstrap: bootstrap, split.training, split.validation,
        isSplitInTime: data.samples.count == 1))
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
          progress.advance(by: 1 + event.epochsLeftOut, TrainingRemarks.progress(event, names))
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
}
