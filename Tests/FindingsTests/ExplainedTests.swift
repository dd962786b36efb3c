import Dynamics
import Evidence
import Findings
import LinearAlgebra
import Networks
import Reporting
import Structure
import TestSupport
import Testing

@Suite struct ExplainedTests {
  /// Two rates of two inputs: the first reads x alone, the second nothing.
  private func ensemble(explained: [Double?]?) -> Ensemble {
    let inputs = [Variable("x", role: .state), Variable("y", role: .state)]
    let model = Model(
      network: ExampleNetworks.chain(
        [Matrix([[1, 0]]), Matrix([[0], [0]])], skip: Matrix([[2, 0], [0, 0]]), inputs: 2),
      inputs: inputs, outputs: inputs.map(\.rate), inputScaling: .identity(2),
      outputScaling: .identity(2), timeStep: 1)
    var ensemble = Ensemble(name: "e", members: [model, model])
    guard let explained else { return ensemble }
    func pair(_ verdict: Verdict) -> PairEvidence {
      PairEvidence(
        effect: 2, low: 1.9, high: 2.1, signed: 2, cost: 1, costError: 0.1, statistic: 9,
        verdict: verdict)
    }
    ensemble.evidence = EnsembleEvidence(
      outputs: ["x", "y"], inputs: ["x", "y"],
      pairs: [[pair(.present), pair(.absent)], [pair(.undecided), pair(.absent)]],
      explained: explained, alone: [[[true, false], [false, false]]], groups: [[], []])
    return ensemble
  }

  private var points: Matrix { Matrix([[1, 2], [3, -1]]) }

  private func relevance(_ ensemble: Ensemble) async throws -> RelevanceReport {
    RelevanceReport(
      ensemble, try await EnsembleRelevance(ensemble, over: points, threads: 1), statistics: nil,
      units: .standardised)
  }

  @Test func aRateOfWhichNothingIsExplainedHasNoDots() async throws {
    let report = try await relevance(ensemble(explained: [0.97, 0.02]))
    let table = report.tables[0]
    #expect(table.columns == ["R²", "x", "y"])
    #expect(table.rows.map(\.label) == ["x", "y, nothing explained"])
    #expect(table.rows[0].cells == [.text(".970"), .number(2), .trueZero])
    #expect(table.rows[1].cells == [.text(".020"), .text("–"), .text("–")])
    #expect(table.notes.last?.contains("R²") == true)
    // The spread has the same rows, and programs the table that they know.
    #expect(report.tables[1].rows.map(\.label) == ["x", "y, nothing explained"])
    #expect(report.tables[1].columns == ["x", "y"])
    #expect(report.table.columns == ["x", "y"] && report.table.rows[1].label == "y")
    #expect(report.table.rows[1].cells == [.trueZero, .trueZero])
  }

  @Test func withoutEvidenceNothingChanges() async throws {
    let report = try await relevance(ensemble(explained: nil))
    #expect(report.tables[0].columns == ["x", "y"] && report.tables[0].notes.isEmpty)
    #expect(report.tables[0].rows[1].cells == [.trueZero, .trueZero])
  }

  @Test func agreementShowsVerdictsWhereSomethingIsExplained() async throws {
    let agreement = try await EnsembleAgreement(
      ensemble(explained: [0.97, 0.02]), over: points, truth: nil, threshold: 0.01, threads: 1)
    let report = AgreementReport([agreement], truth: nil, options: .init())
    let table = try #require(report.tables.first { $0.title.contains("what the data say") })
    #expect(table.rows[0].cells == [.text(".970"), .number(2), .trueZero])
    #expect(table.rows[1].label == "y, nothing explained")
    #expect(table.rows[1].cells == [.text(".020"), .text("–"), .text("–")])
    let counts = try #require(report.tables.last)
    #expect(counts.columns == ["x", "y"] && counts.rows[1].cells == [.text("–"), .text("–")])
  }

  @Test func emptyModelsAreNamed() {
    let empty = Model(
      network: ExampleNetworks.chain([Matrix([[0, 0]])], inputs: 2),
      inputs: [Variable("x", role: .state), Variable("u", role: .control)],
      outputs: [Variable("x", role: .state).rate], inputScaling: .identity(2),
      outputScaling: .identity(1), timeStep: 1)
    var full = empty
    full.network = ExampleNetworks.chain([Matrix([[1, 0]])], inputs: 2)
    func remark(_ members: [Model]) -> String? {
      EmptyModels.remark(on: Ensemble(name: "e", members: members))
    }
    #expect(remark([full, full]) == nil)
    #expect(remark([empty, empty])?.hasPrefix("all 2 models are empty") == true)
    #expect(remark([empty])?.hasPrefix("the model is empty") == true)
    #expect(remark([full, empty])?.hasPrefix("member 1 of 2") == true)
  }
}
