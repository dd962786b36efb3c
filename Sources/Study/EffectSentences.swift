import Dynamics
import Evidence
import Foundation
import LinearAlgebra
import Networks
import Structure

/// What an ensemble says of its outputs, in sentences that claim no more than its evidence: effects are established,
/// weak, excluded or undecided by the tests of its training, and without such tests no more than read by so many
/// members. Of an output of which nothing is explained nothing else is said.
package struct EffectSentences: Sendable {
  private let ensemble: Ensemble
  /// Outputs × inputs: mean |J| and mean J over data, standardised.
  private let mean: Matrix
  private let signed: Matrix
  private let selection: Selection
  private let threshold: Double

  /// - Parameters:
  ///   - ensemble: with the evidence of its training, where there is any.
  ///   - mean: outputs × inputs, mean |J| over data in standardised units, mean of the members.
  ///   - signed: the same of mean J.
  ///   - selection: the pairs that each member has above the threshold.
  ///   - threshold: relevance above which a pair counts.
  package init(
    _ ensemble: Ensemble, mean: Matrix, signed: Matrix, selection: Selection, threshold: Double
  ) {
    self.ensemble = ensemble
    self.mean = mean
    self.signed = signed
    self.selection = selection
    self.threshold = threshold
  }

  // MARK: Words

  /// A name as a sentence has room for.
  static func short(_ name: String) -> String {
    name.count > 44 ? "\(name.prefix(24))…\(name.suffix(16))" : name
  }

  /// In the plant's words, with how much is explained: "temperature of the bath (T_bath, R² 0.98)".
  private func words(_ output: Int) -> String {
    let name = ensemble.outputs[output].name
    let own = ensemble.inputs.first { $0.name == name }?.longName ?? ""
    let share = ensemble.explained?.shares[output].map { String(format: "R² %.2f", $0) }
    guard !own.isEmpty else {
      return Self.short(name) + (share.map { " (\($0))" } ?? "")
    }
    return "\(Self.short(own)) (\(Self.short(name))\(share.map { ", \($0)" } ?? ""))"
  }

  private func name(_ input: Int) -> String { Self.short(ensemble.inputs[input].name) }

  /// At most some names, and how many more there are.
  private func list(_ inputs: [Int], most: Int = 12) -> String {
    inputs.prefix(most).map(name).joined(separator: ", ")
      + (inputs.count > most ? " and \(inputs.count - most) more" : "")
  }

  /// What the output is called after "the": a rate for most models.
  private var noun: String {
    switch ensemble.members[0].predicts {
    case .rate: "rate"
    case .next: "next value"
    case .value: "value"
    }
  }

  // MARK: Standing

  /// Whether an effect counts as found: by the tests, or where none was made by most members.
  package func isFound(_ output: Int, _ input: Int) -> Bool {
    guard let evidence = ensemble.evidence(output, input) else {
      return selection.consensus[output * ensemble.inputs.count + input]
    }
    return evidence.verdict == .present && !isNothing(output)
  }

  private func isNothing(_ output: Int) -> Bool { ensemble.explained?.isNothing(output) ?? false }

  private func strength(_ output: Int, _ input: Int) -> Double {
    let own = mean[output, input]
    return own > 0 ? own : ensemble.evidence(output, input)?.effect ?? 0
  }

  private func sorted(_ output: Int, _ inputs: [Int]) -> [Int] {
    inputs.sorted {
      let (a, b) = (strength(output, $0), strength(output, $1))
      return a != b ? a > b : $0 < $1
    }
  }

  /// Inputs of an output whose effects are found, the strongest first.
  package func found(_ output: Int) -> [Int] {
    sorted(output, ensemble.inputs.indices.filter { isFound(output, $0) })
  }

  private func inputs(_ output: Int, _ verdict: Verdict) -> [Int] {
    sorted(
      output,
      ensemble.inputs.indices.filter { ensemble.evidence(output, $0)?.verdict == verdict })
  }

  private enum Way { case rises, falls, both }

  /// By mean J over the data; the evidence's where the models lack the pair.
  private func way(_ output: Int, _ input: Int) -> Way {
    var (size, mean) = (self.mean[output, input], self.signed[output, input])
    if size == 0, let evidence = ensemble.evidence(output, input) {
      (size, mean) = (evidence.effect, evidence.signed)
    }
    return abs(mean) < 0.5 * size || size == 0 ? .both : mean < 0 ? .falls : .rises
  }

  // MARK: One output

  /// What is known of one output, and what is not.
  package func sentence(of output: Int) -> String {
    if isNothing(output) {
      return
        "Nothing of this \(noun) is explained on held-out rows (R² below \(ExplainedShares.least)): "
        + "what is shown here, or missing, says nothing of the plant."
    }
    let found = found(output)
    var text = found.isEmpty ? none : ways(output, found)
    if ensemble.evidence == nil { return text + readBySome(output) + " No effect was tested." }
    let weak = inputs(output, .weak)
    let (undecided, absent) = (inputs(output, .undecided), inputs(output, .absent))
    if !weak.isEmpty { text += " Proven, and below \(number(threshold)): \(list(weak))." }
    if !undecided.isEmpty { text += " Undecided: \(list(undecided))." }
    if !absent.isEmpty {
      text += " Excluded: \(absent.count > 4 ? "the \(absent.count) others" : list(absent))."
    }
    if let share = ensemble.explained?.shares[output] {
      text += String(
        format: " On held-out rows %@ of its variance is explained.", Self.share(share))
    }
    return text
  }

  private func number(_ value: Double) -> String { String(format: "%g", value) }

  private static func share(_ value: Double) -> String {
    value >= 0.9995 ? "all but 0.05 %" : String(format: "%.3g %%", 100 * value)
  }

  private var none: String {
    ensemble.evidence == nil
      ? "Most members read no input for it." : "No effect on this \(noun) is established."
  }

  private func ways(_ output: Int, _ found: [Int]) -> String {
    let parts = [(Way.rises, "rises with"), (.falls, "falls with"), (.both, "goes both ways with")]
      .compactMap { way, verb -> String? in
        let own = found.filter { self.way(output, $0) == way }
        return own.isEmpty ? nil : "\(verb) \(list(own))"
      }
    let subject =
      ensemble.evidence == nil
      ? "In more than half of \(ensemble.members.count) members the \(noun) " : "The \(noun) "
    return subject + parts.joined(separator: "; ") + "."
  }

  private func readBySome(_ output: Int) -> String {
    let columns = ensemble.inputs.count
    let some = ensemble.inputs.indices.filter {
      let share = selection.frequency[output * columns + $0]
      return share > 0 && share <= 0.5
    }
    return some.isEmpty ? "" : " Some members also read \(list(some))."
  }

  // MARK: All outputs

  /// The first sentence: what drives what.
  package var drives: String {
    let all = ensemble.outputs.count * ensemble.inputs.count
    let count = ensemble.outputs.indices.reduce(0) { $0 + found($1).count }
    let isTested = ensemble.evidence != nil
    let verb = isTested ? "established" : "found by most members, none of them tested"
    guard count > 0 else {
      return isTested
        ? "None of \(all) possible effects is established."
        : "Most members read no input for any of the outputs."
    }
    let told = focus.prefix(3).map { output in
      "on the \(noun) of \(words(output)) \(acting(output))"
    }
    let rest = focus.count - told.count
    return "\(count) of \(all) possible effects \(count == 1 ? "is" : "are") \(verb): "
      + told.joined(separator: "; ") + (rest > 0 ? "; of \(rest) more below." : ".")
  }

  /// Outputs on which something acts: those first on which states act and, of all that acts, most is set from outside.
  package var focus: [Int] {
    func rank(_ output: Int) -> Double {
      let found = found(output)
      let all = found.map { strength(output, $0) }
      let outside = found.filter { ensemble.inputs[$0].role == .control }
      guard let most = all.max(), most > 0, outside.count < found.count else { return 0 }
      return (outside.map { strength(output, $0) }.max() ?? 0) / most
    }
    let ranks = ensemble.outputs.indices.map(rank)
    return ensemble.outputs.indices.filter { !found($0).isEmpty }.sorted {
      ranks[$0] != ranks[$1] ? ranks[$0] > ranks[$1] : $0 < $1
    }
  }

  /// "act most a (raising it), b and, set from outside, c".
  private func acting(_ output: Int) -> String {
    let own = ensemble.outputs[output].name
    func told(_ input: Int) -> String {
      let called = ensemble.inputs[input].name == own ? "itself" : name(input)
      switch way(output, input) {
      case .rises: return "\(called) (raising it)"
      case .falls: return "\(called) (lowering it)"
      case .both: return "\(called) (both ways)"
      }
    }
    let found = found(output)
    let controls = found.filter { ensemble.inputs[$0].role == .control }.prefix(1).map(told)
    let states = found.filter { ensemble.inputs[$0].role != .control }.prefix(2).map(told)
    let outside = controls.isEmpty ? "" : "set from outside, \(controls[0])"
    let verb = states.count + controls.count == 1 ? "acts most" : "act most"
    if states.isEmpty { return "\(verb) \(controls[0])" }
    return "\(verb) \(states.joined(separator: " and "))"
      + (outside.isEmpty ? "" : " and, \(outside)")
  }

  /// The second sentence: how sure all that is.
  package var sure: String {
    guard let evidence = ensemble.evidence else { return unsure }
    let told = ensemble.outputs.indices.filter { !isNothing($0) }
    let all = told.flatMap { evidence.pairs[$0] }
    func count(_ verdict: Verdict) -> Int { all.count { $0.verdict == verdict } }
    let undecided = told.flatMap { output in
      inputs(output, .undecided).map {
        "\(name($0)) on \(Self.short(ensemble.outputs[output].name))"
      }
    }
    let several =
      ensemble.members.count > 1 ? "all \(ensemble.members.count) members together" : "the model"
    var text = "Tests of \(several) on held-out rows, 5 % each, establish \(count(.present))"
    if count(.weak) > 0 { text += ", find \(count(.weak)) proven but below \(number(threshold))" }
    text += ", exclude \(count(.absent))"
    text +=
      undecided.isEmpty
      ? " and leave none undecided"
      : " and leave \(undecided.count) undecided (\(undecided.prefix(3).joined(separator: ", "))"
        + (undecided.count > 3 ? ", …)" : ")")
    return text + explained + "."
  }

  private var explained: String {
    guard let explained = ensemble.explained else { return "" }
    let known = explained.shares.indices.filter { !explained.isNothing($0) }
      .compactMap { explained.shares[$0] }
    let nothing = explained.unexplained.map { Self.short(ensemble.outputs[$0].name) }
    var text = ""
    if let low = known.min(), let high = known.max() {
      let least = String(format: "%.0f", (100 * low).rounded(.down))
      let most = String(format: "%.0f", (100 * high).rounded(.down))
      text += "; the models explain "
      text += least == most ? "\(least) %" : "\(least) to \(most) %"
      text += " of the variance there"
    }
    if !nothing.isEmpty {
      text +=
        "; nothing is explained of \(nothing.prefix(4).joined(separator: ", "))"
        + (nothing.count > 4 ? " and \(nothing.count - 4) more" : "")
        + ", of which nothing else is said"
    }
    return text
  }

  /// Of an ensemble that was trained one by one.
  private var unsure: String {
    let all = selection.frequency.count { $0 == 1 }
    let some = selection.frequency.count { $0 > 0 && $0 < 1 }
    if selection.memberCount == 1 {
      return "Not known: the effects of this recipe were not tested, and there is one member only."
    }
    return
      "The effects of this recipe were not tested; \(selection.memberCount) members agree on \(all) of them and "
      + "differ on \(some), which says how far training decides, not what the plant does."
  }
}

/// The third sentence: how well free forecasts hold.
package struct ForecastSentence: Sendable {
  package var samples: Int
  /// That they take; nil where the time step is not known.
  package var seconds: Double?
  package var trajectories: Int
  package var forecasts: Int
  package var diverged: Int
  /// Mean |error| in deviations of the states, over the forecasts that hold.
  package var error: StudyResults.Figure?
  /// One state in its own unit.
  package var state: (name: String, error: Double, unit: String)?
  /// Errors as a multiple of another recipe's.
  package var compared: (name: String, ratio: Double, interval: ClosedRange<Double>)?

  package init(samples: Int, trajectories: Int, forecasts: Int, diverged: Int) {
    self.samples = samples
    self.trajectories = trajectories
    self.forecasts = forecasts
    self.diverged = diverged
  }

  package var text: String {
    let length = "\(samples) samples" + (seconds.map { " (\(Self.duration($0)))" } ?? "")
    let place = "on \(trajectories) test \(trajectories == 1 ? "trajectory" : "trajectories")"
    guard let error, diverged < forecasts else {
      return
        "All \(forecasts) free forecasts over \(length) \(place) diverged: the models do not forecast so far."
    }
    var text =
      "Run freely over \(length) \(place), forecasts are off by \(FigureText.number(error.mean)) "
    text += "standard deviations of the states on average"
    if let low = error.low, let high = error.high, high - low > 1e-3 * error.mean {
      text +=
        " (95 % over members: \(FigureText.number(max(0, low))) to \(FigureText.number(high)))"
    }
    if let state, state.error.isFinite {
      text += ", \(EffectSentences.short(state.name)) by \(FigureText.number(state.error))"
      text += state.unit.isEmpty ? "" : " \(state.unit)"
    }
    text +=
      diverged == 0
      ? "; none of \(forecasts) diverged"
      : "; \(diverged) of \(forecasts) diverged and \(diverged == 1 ? "is" : "are") not in that mean"
    if let compared {
      text +=
        "; errors are × \(FigureText.figure(compared.ratio, compared.interval)) those of \(compared.name)"
      if compared.interval.contains(1) { text += ", which leaves open which is better" }
    }
    return text + "."
  }

  /// In the unit that people would use.
  private static func duration(_ seconds: Double) -> String {
    let (value, unit) =
      seconds >= 172_800
      ? (seconds / 86_400, "days")
      : seconds >= 7200
        ? (seconds / 3600, "h") : seconds >= 120 ? (seconds / 60, "min") : (seconds, "s")
    return String(format: "%.3g %@", value, unit)
  }
}
