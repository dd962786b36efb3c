import Drawing
import Dynamics
import Findings
import Forecasting
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The first screen: three sentences, what came of the question, what drives what, and a forecast.
extension StudyReport {
  func overview(_ subject: ReportSubject) async throws -> [ReportDocument.Block] {
    var blocks: [ReportDocument.Block] = [
      .statements([
        .init("What drives what", subject.sentences.drives),
        .init("How sure that is", subject.sentences.sure),
        .init("How well it forecasts", try forecastSentence(subject).text),
      ]),
      verdicts(subject),
    ]
    let map = RelevanceMap(subject.chosen, title: "What drives what")
    blocks.append(
      .figure(
        try ReportSubject.drawn(
          "heatmap",
          caption:
            "Rows: \(subject.ensemble.members[0].wordForOutputs); columns: what acts on them, by mean effect "
            + "over the test data (\(subject.ensemble.name)). A question mark: the data leave it open."
        ) { map.graph($0) }))
    if let figure = try await oneForecast(subject, isWhole: false) {
      blocks.append(.figure(figure))
    }
    return blocks
  }

  // MARK: The question

  private func verdicts(_ subject: ReportSubject) -> ReportDocument.Block {
    if let found = comparisonVerdicts(subject) { return found }
    var verdicts = truthVerdicts(subject)
    guard verdicts.isEmpty else {
      return .verdicts(question: "Is what was found what the plant is?", verdicts)
    }
    let outputs = subject.ensemble.outputs.indices
    let told = outputs.filter { !(subject.ensemble.explained?.isNothing($0) ?? false) }
    func share(_ output: Int) -> String {
      subject.ensemble.explained?.shares[output].map { " (R² \(ExplainedShares.words($0)))" } ?? ""
    }
    verdicts = told.prefix(12).map { output in
      let found = subject.sentences.found(output).map { subject.ensemble.inputs[$0].name }
      return .init(
        found.isEmpty ? "open" : "yes",
        "\(EffectSentences.short(subject.label(output)))\(share(output)): "
          + (found.isEmpty
            ? "no effect is established"
            : found.prefix(4).map(EffectSentences.short).joined(separator: ", ")
              + (found.count > 4 ? " and \(found.count - 4) more" : "")))
    }
    return .verdicts(
      question: subject.ensemble.evidence == nil
        ? "What do most members read? (not tested)" : "Do the data say what drives it?", verdicts)
  }

  /// The claims about the recipe that is shown, at its number of trajectories.
  private func comparisonVerdicts(_ subject: ReportSubject) -> ReportDocument.Block? {
    guard let claims = Claims(results), let comparison = plan.comparison,
      let place = claims.sizes.firstIndex(of: subject.group.cell.size)
    else { return nil }
    let own = name(subject.group)
    let verdicts = claims.lines.filter { $0.recipe == own }.compactMap { line in
      line.findings[place].map {
        ReportDocument.Verdict($0.answer.rawValue, "\(line.claim): \($0.figure)")
      }
    }
    guard !verdicts.isEmpty else { return nil }
    return .verdicts(
      question: "Is \(own) better than \(plan.recipes[comparison.reference].name), from "
        + "\(counted(subject.group.cell.size, "trajectory"))?",
      verdicts + truthVerdicts(subject))
  }

  private func truthVerdicts(_ subject: ReportSubject) -> [ReportDocument.Verdict] {
    guard let truth = results.truth else { return [] }
    let score = StructureScore(selected: subject.chosen.selection.consensus, truth: truth)
    let isExact = score.missed == 0 && score.spurious == 0
    return [
      .init(
        isExact ? "yes" : "no",
        "Most members have exactly the plant's own structure: \(score.found) of "
          + "\(score.found + score.missed) effects found, \(score.spurious) that are not there")
    ]
  }

  // MARK: Forecasts

  private func forecastSentence(_ subject: ReportSubject) throws -> ForecastSentence {
    let group = subject.group
    let judged = group.judgements
    let last = plan.horizons.count - 1
    // The longest horizon at which any forecast holds.
    let horizon =
      (0...max(0, last)).reversed().first { horizon in
        let errors = BoundedErrors(judged.map(\.errors), horizon: horizon)
        return !errors.isEmpty && errors.divergedShare < 1
      } ?? last
    let errors = BoundedErrors(judged.map(\.errors), horizon: horizon)
    var sentence = ForecastSentence(
      samples: plan.horizons[horizon], trajectories: errors.values.first?.count ?? 0,
      forecasts: errors.all.count,
      diverged: errors.diverged.reduce(0) { $0 + $1.count { $0 } })
    let row = rows.first {
      $0.recipe == plan.recipes[group.cell.recipe].name && $0.size == group.cell.size
        && $0.noise == group.cell.noise && $0.cut == group.cut
    }
    sentence.error = row?.horizons.first { $0.horizon == plan.horizons[horizon] }?.absolute
    let data = try run.data.testData()
    sentence.seconds = data.timeStep * Double(plan.horizons[horizon] - 1)
    if let output = subject.sentences.focus.first {
      let scale = try run.data.scale()
      sentence.state = (
        subject.ensemble.outputs[output].name,
        Self.error(judged.map(\.errors), horizon, output) * scale[output],
        subject.ensemble.inputs[output].unit
      )
    }
    if let comparison = plan.comparison, comparison.reference != group.cell.recipe {
      let other = quiet.first {
        $0.cell.recipe == comparison.reference && $0.cell.size == group.cell.size && isCompared($0)
      }
      let found = other.flatMap {
        ErrorComparison(BoundedErrors($0.judgements.map(\.errors), horizon: horizon), errors)
      }
      sentence.compared = found.map {
        (plan.recipes[comparison.reference].name, $0.ratio, $0.ratioInterval)
      }
    }
    return sentence
  }

  /// Mean |error| of one state over the forecasts that hold, in its deviations.
  private static func error(_ members: [ForecastErrors], _ horizon: Int, _ state: Int) -> Double {
    members.flatMap { errors in
      (0..<errors.trajectories).filter {
        errors.reaches($0, horizon: horizon)
          && !errors.diverged($0, horizon: horizon, by: .instantaneous)
      }.map { errors.absolute($0, horizon: horizon, state: state) }
    }.mean
  }

  /// A forecast beside the truth, on the trajectory that is harder than half of them.
  ///
  /// - Parameters:
  ///   - subject: whose members forecast.
  ///   - isWhole: whether all states and what is set from outside are shown, or one state.
  func oneForecast(_ subject: ReportSubject, isWhole: Bool) async throws -> ReportDocument.Figure? {
    guard !plan.horizons.isEmpty, let errors = subject.group.judgements.first?.errors,
      !subject.ensemble.inputs.haveLags
    else { return nil }
    let horizon = plan.horizons.indices.reversed().first { horizon in
      (0..<errors.trajectories).contains { errors.reaches($0, horizon: horizon) }
    }
    guard let horizon else { return nil }
    let reached = (0..<errors.trajectories).filter { errors.reaches($0, horizon: horizon) }
    let means = BoundedErrors(subject.group.judgements.map(\.errors), horizon: horizon)
    let hardness = reached.indices.map { place in means.values.map { $0[place] }.mean }
    let order = hardness.indices.sorted { (hardness[$0], $0) < (hardness[$1], $1) }
    let trajectory = reached[order[order.count / 2]]
    let data = try run.data.testData().choosing([trajectory])
    let forecast = try run.data.forecast(
      subject.ensemble.members.map { .model($0) }, subject.ensemble.members[0],
      [plan.horizons[horizon]], over: data)
    var outcome = try await forecast.run(threads: 1, keepingBandsOf: [0])
    outcome[0].name = name(subject.group)
    let states = isWhole ? Array(forecast.states.indices) : [subject.sentences.focus.first ?? 0]
    var chart = Chart(
      forecast, outcome, compared: 1, data, trajectory: 0, states: states)
    let called = forecast.states[states[0]].name
    chart.title =
      isWhole
      ? "Forecast of test trajectory \(trajectory)"
      : "Forecast of \(EffectSentences.short(called)), test trajectory \(trajectory)"
    if !isWhole, var panel = chart.columns.first?.first {
      panel.height = 2
      chart.columns = [[panel]]
    }
    let band =
      subject.ensemble.members.count > 1
      ? ", the mean of the members and their 95 % band" : " and forecast"
    return .init(
      isWhole ? "forecast-whole" : "forecast",
      caption:
        "Truth\(band): \(isWhole ? "all states" : called), run freely from the start with the recorded inputs, "
        + "on the test trajectory of median difficulty (number \(trajectory), counted from 0, of "
        + "\(errors.trajectories)).",
      description: "Forecast and truth over \(plan.horizons[horizon]) samples",
      svg: try await chart.svg(), narrow: try await chart.narrowed.svg())
  }
}
