import Dynamics
import Evidence
import Findings
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure
import Training

/// What is said of a training: before, while and after it runs.
public enum TrainingRemarks {
  /// What is about to be learnt from what.
  ///
  /// - Parameters:
  ///   - recipe: of the training.
  ///   - members: how many.
  ///   - bootstrap: whether each learns from a random half.
  ///   - training: what is learnt from.
  ///   - validation: what is held out.
  ///   - isSplitInTime: whether that is the end of the one trajectory there is.
  public static func start(
    _ recipe: Recipe, members: Int, bootstrap: Bool, _ training: Trajectories,
    _ validation: Trajectories?, isSplitInTime: Bool
  ) -> [Remark] {
    var remarks: [Remark] = []
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
    remarks.append(.note(text))
    if training.controls.isEmpty {
      remarks.append(
        .note(
          "note: no variable is an input, so all are taken for states; if some are set from outside, "
            + "name them with --inputs"))
    }
    return remarks
  }

  /// Where a training is.
  ///
  /// - Parameters:
  ///   - event: an epoch that ended.
  ///   - names: of the states.
  public static func progress(_ event: TrainingProgress, _ names: [String]) -> String {
    let record = event.record
    let place = event.problem.tower.map { " \(names[$0])" } ?? ""
    let validation = record.validationLoss.map { " validation \(scientific($0))" } ?? ""
    return
      "member \(event.problem.member)\(place): loss \(scientific(record.trainingLoss))\(validation), "
      + "\(record.survivingWeights) weights"
  }

  private static func scientific(_ value: Double) -> String { String(format: "%.2e", value) }

  /// Which network a problem is, in front of what is said of it.
  public static func place(_ problem: TrainingProblem, _ names: [String]) -> String {
    problem.tower.map { "tower \"\(names[$0])\" " } ?? ""
  }

  // MARK: Afterwards

  /// - Parameters:
  ///   - outcome: of the training.
  ///   - names: of the states.
  ///   - output: where the models are now.
  ///   - seconds: that it took.
  public static func summary(
    _ outcome: EnsembleTraining.Outcome, _ names: [String], output: String, seconds: Double
  ) -> [Remark] {
    let kept = Set(outcome.models.map(\.member))
    let trained = outcome.histories.filter { kept.contains($0.problem.member) }
    return divergences(outcome, names) + doubts(trained, names) + empty(outcome, at: output)
      + little(outcome) + freeRuns(outcome) + [
        figures(outcome, trained, at: output, seconds: seconds)
      ]
  }

  private static func divergences(
    _ outcome: EnsembleTraining.Outcome, _ names: [String]
  ) -> [Remark] {
    var remarks: [Remark] = []
    for history in outcome.histories {
      for (attempt, divergence) in history.divergences.enumerated() {
        let isLast = attempt == history.divergences.count - 1 && history.epochs.isEmpty
        remarks.append(
          .warning(
            "member \(history.problem.member): \(place(history.problem, names))diverged "
              + "\(divergence); " + (isLast ? "the member is left out" : "it was trained again")))
      }
    }
    return remarks
  }

  private static func doubts(_ trained: [TrainingHistory], _ names: [String]) -> [Remark] {
    var remarks: [Remark] = []
    // Standardised targets: predicting their mean has a loss of 1.
    for history in trained {
      if let loss = history.epochs.last?.trainingLoss, loss > 1.1 {
        remarks.append(
          .warning(
            "member \(history.problem.member): \(place(history.problem, names))has a training loss "
              + "of \(scientific(loss)), worse than the mean of the data (1); a lower "
              + "--learning-rate usually helps"))
      }
    }
    for history in trained {
      if let size = history.refinement?.sizeBeyondLimit {
        remarks.append(
          .warning(
            "member \(history.problem.member): \(place(history.problem, names))has \(size) parameters and "
              + "stays as the stochastic training left it (Levenberg-Marquardt takes at most "
              + "\(Refinement.largestSize)); a larger --strength or --towers per-output makes it smaller"
          ))
      }
    }
    return remarks
  }

  private static func empty(_ outcome: EnsembleTraining.Outcome, at place: String) -> [Remark] {
    guard !outcome.models.isEmpty else { return [] }
    let ensemble = Ensemble(name: place, members: outcome.models.map(\.model))
    return EmptyModels.remark(on: ensemble).map { [.warning("\(place): \($0)")] } ?? []
  }

  /// Rates of which next to nothing is explained, and how many pairs are decided.
  private static func little(_ outcome: EnsembleTraining.Outcome) -> [Remark] {
    guard let evidence = outcome.evidence else { return [] }
    var remarks: [Remark] = []
    let unexplained = ExplainedShares(evidence.explained)?.unexplained ?? []
    if !unexplained.isEmpty {
      remarks.append(
        .warning(
          "nothing is explained of the rates of "
            + "\(unexplained.map { evidence.outputs[$0] }.joined(separator: ", ")) on held-out trajectories (R² below "
            + "\(ExplainedShares.least)): that they depend on little or nothing says nothing of the plant"
        ))
    }
    let verdicts = evidence.pairs.joined().map(\.verdict)
    let counts = [Verdict.present, .weak, .absent, .undecided].map { wanted in
      "\(verdicts.count { $0 == wanted }) \(wanted.rawValue)"
    }
    remarks.append(
      .note("pairs: " + counts.joined(separator: ", ") + " (filigree-agreement shows them)"))
    return remarks
  }

  /// What free runs made of the members' networks.
  private static func freeRuns(_ outcome: EnsembleTraining.Outcome) -> [Remark] {
    guard !outcome.freeRuns.isEmpty else { return [] }
    let scale = "mean |e|/σ over runs of up to 1000 samples, at most 3"
    let replaced = FreeRunChoice.Kind.allCases.filter { $0 != .networks }.compactMap { kind in
      let own = outcome.freeRuns.filter { $0.delivered == kind }
      return own.isEmpty
        ? nil
        : Remark.warning(
          "free runs of the networks of \(own.count == 1 ? "member" : "members") "
            + "\(own.map { String($0.member) }.joined(separator: ", ")) keep to the data less well than a line or no "
            + "change; delivered is what does better, \(kind.rawValue) (\(scale): \(errors(own)); candidates.csv has "
            + "all)")
    }
    return replaced.isEmpty
      ? [.note("free runs: \(errors(outcome.freeRuns)) (\(scale))")] : replaced
  }

  /// The mean error of every kind that was tried.
  private static func errors(_ choices: [FreeRunChoice]) -> String {
    FreeRunChoice.Kind.allCases.compactMap { kind in
      let found = choices.compactMap { $0.errors[kind] }
      return found.isEmpty ? nil : "\(kind.rawValue) \(String(format: "%.2g", found.mean))"
    }.joined(separator: ", ")
  }

  private static func figures(
    _ outcome: EnsembleTraining.Outcome, _ trained: [TrainingHistory], at place: String,
    seconds: Double
  ) -> Remark {
    let models = outcome.models.map(\.model)
    let last = trained.compactMap(\.epochs.last)
    // As filigree-paths counts them: what is left once dead units are gone.
    let weights = models.map { Double(LiveStructure($0.network).network.survivingWeightCount) }
    let validation = last.compactMap(\.validationLoss)
    var text =
      "\(place): \(counted(models.count, "model")) in \(String(format: "%.1f", seconds)) s; "
    text += "training loss \(scientific(last.map(\.trainingLoss).mean))"
    let refined = trained.compactMap(\.refinement).filter { $0.sizeBeyondLimit == nil }
    if !validation.isEmpty { text += ", validation \(scientific(validation.mean))" }
    if !refined.isEmpty {
      text +=
        "; refined from \(scientific(refined.map(\.before).mean)) to "
        + scientific(refined.map(\.after).mean)
    }
    text +=
      "; \(Int(weights.mean.rounded())) of \(models[0].network.weightCount) weights are live on average"
    return .note(text)
  }
}
