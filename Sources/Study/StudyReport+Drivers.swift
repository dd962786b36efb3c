import Certificates
import Drawing
import Dynamics
import Findings
import Forecasting
import Foundation
import GraphDrawing
import Laws
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Output by output: what acts on it and how, what is sure, laws and proofs.
extension StudyReport {
  /// So many outputs are shown at once; further ones are folded.
  private static let mostOutputs = 10

  func drivers(_ subject: ReportSubject) async throws -> [ReportDocument.Block] {
    let laws = try await laws(subject)
    let proofs = try await proofs(subject)
    let drawing: (Int) -> EffectsDrawing = { output in
      EffectsDrawing(
        subject.chosen, effects: subject.effects, outputs: [output],
        title: "What acts on \(subject.label(output))"
      ).alone
    }
    let parts = try subject.ensemble.outputs.indices.map { output -> [ReportDocument.Block] in
      var text = subject.sentences.sentence(of: output)
      for more in [laws.byOutput[output], proofs[output]].compactMap({ $0 }) { text += " " + more }
      let drawing = drawing(output)
      return [.heading(subject.label(output)), .paragraph(text)]
        + (drawing.hasPanels
          ? [.figure(try Self.effects(output, subject, drawing))] : [])
    }
    var blocks: [ReportDocument.Block] = [.paragraph(Self.howToRead(subject, proofs.isEmpty))]
    blocks += parts.prefix(Self.mostOutputs).joined()
    if parts.count > Self.mostOutputs {
      blocks.append(
        .folded(
          "\(parts.count - Self.mostOutputs) more outputs",
          Array(parts.dropFirst(Self.mostOutputs).joined())))
    }
    if !laws.conserved.isEmpty {
      blocks += [
        .heading("What is conserved"),
        .paragraph(
          "Combinations of rates that depend on what is set from outside alone, or on nothing, within "
            + "\(FigureText.number(100 * Conservation.tolerance)) % of a rate's variance:"),
        .list(laws.conserved),
      ]
    }
    blocks.append(
      .folded(
        "Numbers: relevance of every input, and the strongest paths",
        [
          .table(relevanceTable(subject)), .table(strongestPaths(subject)),
        ]))
    return blocks
  }

  private static func howToRead(_ subject: ReportSubject, _ hasNoProofs: Bool) -> String {
    let members = subject.ensemble.members.count
    return
      "For every output the inputs that act on it, the strongest first: across, the input's range in the test data; up, "
      + "what it does to the \(subject.ensemble.members[0].predicts == .rate ? "rate" : "output"), all else as it was in "
      + "the data. One scale for each output; the number is mean |J| in standard deviations; dotted with a question mark: "
      + "undecided. "
      + (members > 1 ? "Thick: the mean of \(members) members; thin: each of them. " : "")
      + "Blue: states; orange: set from outside."
      + (hasNoProofs ? "" : " Proofs speak of the models, everywhere in the box of the test data.")
  }

  private static func effects(
    _ output: Int, _ subject: ReportSubject, _ drawing: EffectsDrawing
  ) throws -> ReportDocument.Figure {
    func graph(_ room: Double) -> Graph {
      var detail = Detail.full
      detail.isNarrow = true
      detail.room = room
      return drawing.graph(detail)
    }
    let wide = graph(535)
    return .init(
      "effects-\(output)", caption: "",
      description: "\(wide.title): \(wide.summary)", svg: try Renderer.render(wide, as: .svg),
      narrow: try Renderer.render(graph(245), as: .svg), isGraph: true)
  }

  // MARK: Laws

  /// Laws are sought for outputs that read no more inputs than this: longer searches take minutes.
  private static let mostInputsOfLaws = 4

  /// Formulas that are as good as the networks, in words, by output; and what is conserved.
  private func laws(_ subject: ReportSubject) async throws -> (
    byOutput: [Int: String], conserved: [String]
  ) {
    let ensemble = subject.ensemble
    guard ensemble.members[0].predicts == .rate, !ensemble.inputs.haveLags else { return ([:], []) }
    let mean = subject.relevance.mean
    let wanted = ensemble.outputs.indices.filter { output in
      let read = ensemble.inputs.indices.count { mean[output, $0] > 0 }
      return read > 0 && read <= Self.mostInputsOfLaws
        && !(ensemble.explained?.isNothing(output) ?? false)
    }
    do {
      let data = try run.data.testData()
      let found =
        wanted.isEmpty
        ? [] : try await Formulas(ensemble, data, only: wanted, threads: 1).outputs
      let names = FormulaNotation.text.names(of: ensemble.inputs)
      var byOutput: [Int: String] = [:]
      for formula in found where formula.isAccepted && isBorneOut(formula, subject) {
        let text = FormulaNotation.text.written(formula.stated, names: names)
        byOutput[formula.output] =
          "As a law, in physical units, as good as the networks on rows it was not fitted to: "
          + "\(subject.label(formula.output)) = \(text)."
      }
      let conserved = try Conservation(ensemble, data)
      return (byOutput, ConservationReport(ensemble, conserved).result.laws.map(\.law))
    } catch is DataProblem {
      // Data without steps have no laws.
      return ([:], [])
    }
  }

  /// Laws of more terms are not read but looked up.
  private static let mostTerms = 4

  /// Whether a formula has every effect that is found and none that is not even proven: data in which an input stands
  /// still have formulas without it.
  private func isBorneOut(_ formula: OutputFormula, _ subject: ReportSubject) -> Bool {
    let (output, stated) = (formula.output, formula.stated.formula)
    let read = stated.variables
    let known = subject.ensemble.inputs.indices.filter { input in
      subject.sentences.isFound(output, input)
        || subject.ensemble.evidence(output, input)?.verdict == .weak
    }
    return stated.terms.count <= Self.mostTerms && read.isSubset(of: known)
      && read.isSuperset(of: subject.sentences.found(output))
  }

  // MARK: Proofs

  /// How many pairs are looked at, and how many boxes for each: a report is not to wait for proofs.
  private static let mostProofs = 60
  private static let boxes = 100

  /// Which of the found effects provably have one sign, by output. The box: 1 to 99 % of every input in the test data,
  /// all of it for what hardly ever moves.
  private func proofs(_ subject: ReportSubject) async throws -> [Int: String] {
    let ensemble = subject.ensemble
    let mean = subject.relevance.mean
    let inner = InputBox(quantiles: 0.01...0.99, of: subject.points).sides
    let whole = InputBox(quantiles: 0...1, of: subject.points).sides
    let box = InputBox(
      sides: zip(inner, whole).map { $0.lowerBound < $0.upperBound ? $0 : $1 })
    let pairs = ensemble.outputs.indices.flatMap { output in
      // Of what stands still in the data there is no range.
      subject.sentences.found(output).filter { input in
        mean[output, input] > 0 && box.sides[input].lowerBound < box.sides[input].upperBound
      }.map { (output: output, input: $0) }
    }
    let strongest = pairs.indices.sorted {
      let (a, b) = (
        mean[pairs[$0].output, pairs[$0].input], mean[pairs[$1].output, pairs[$1].input]
      )
      return a != b ? a > b : $0 < $1
    }.prefix(Self.mostProofs).sorted().map { pairs[$0] }
    guard !strongest.isEmpty else { return [:] }
    var options = Certifier.Options()
    options.boxes = Self.boxes
    do {
      let certificate = try await EnsembleCertificate(
        ensemble, in: box, only: strongest, samples: subject.fewPoints, options: options, threads: 1
      )
      return Dictionary(grouping: certificate.pairs, by: \.output).compactMapValues {
        words($0, subject)
      }
    } catch is NoBounds {
      // Of activations without proven bounds nothing is said.
      return [:]
    }
  }

  private func words(_ pairs: [EnsemblePair], _ subject: ReportSubject) -> String? {
    func names(_ claim: EffectClaim) -> String? {
      let own = pairs.filter { $0.verdict == .proved && $0.claim == claim }
      guard !own.isEmpty else { return nil }
      return own.map { EffectSentences.short(subject.ensemble.inputs[$0.input].name) }
        .joined(separator: ", ")
    }
    let parts = [
      names(.rises).map { "more \($0) never lowers it" },
      names(.falls).map { "more \($0) never raises it" },
    ].compactMap { $0 }
    let members = subject.ensemble.members.count
    return parts.isEmpty
      ? nil
      : "Proved\(members > 1 ? " of all \(members) members" : "") within the data's range: "
        + parts.joined(separator: "; ") + "."
  }

  // MARK: Tables

  private func relevanceTable(_ subject: ReportSubject) -> ReportDocument.Table {
    let (ensemble, mean) = (subject.ensemble, subject.relevance.mean)
    let strongest = mean.elements.max() ?? 1
    let explained = ensemble.explained
    return .init(
      "Relevance of inputs (columns) for \(ensemble.members[0].wordForOutputs) (rows): \(ensemble.name)",
      columns: ["output"] + (explained == nil ? [] : ["R²"]) + ensemble.inputs.map(\.name),
      rows: ensemble.outputs.indices.map { row in
        let isNothing = explained?.isNothing(row) ?? false
        let name = ensemble.outputs[row].name + (isNothing ? ", nothing explained" : "")
        let share: [ReportDocument.Cell] =
          explained.map { explained in
            [
              explained.shares[row].map { .init(ExplainedShares.words($0), number: $0) }
                ?? .init("–")
            ]
          } ?? []
        return [.init(name)] + share
          + ensemble.inputs.indices.map { column in
            let value = mean[row, column]
            guard value > 0 else { return isNothing ? .init("–") : .init("·", number: 0) }
            return Self.cell(value, "%.2g", shade: (value / strongest).squareRoot())
          }
      },
      note:
        "Mean |J| over \(subject.relevance.members[0].samples) samples in standardised units, mean of "
        + "\(counted(ensemble.members.count, "member")); a dot is a true zero: no path is left."
        + (explained.map { " " + $0.legend } ?? ""))
  }

  /// By effect over the test data.
  private func strongestPaths(_ subject: ReportSubject) -> ReportDocument.Table {
    let best = min(order(subject.group).first ?? 0, subject.ensemble.members.count - 1)
    let model = subject.ensemble.members[best]
    let acting = ActingNetwork(model, over: subject.fewPoints)
    return .init(
      "The strongest paths to each output, by effect, in the member that forecasts best",
      columns: ["output", "path", "effect"],
      rows: model.outputs.indices.flatMap { output in
        acting.strongestRoutes(3, to: [output]).map { route in
          let names = route.nodes.dropLast().map(model.name(of:)).joined(separator: " → ")
          let path =
            switch route.kind {
            case .path: names
            case .sum(let count):
              "\(names) (sum of \(count.map(String.init) ?? "many") paths that cancel)"
            }
          return [.init(model.outputs[output].name), .init(path), Self.cell(route.effect)]
        }
      },
      note:
        "Effect: mean over the samples of what a path adds to ∂output/∂input, in standard deviations. Units that "
        + "act as lines or never are folded away.")
  }
}
