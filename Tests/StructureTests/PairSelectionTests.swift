import Dynamics
import Evidence
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct PairSelectionTests {
  private func model(_ network: Network) -> Model {
    let inputs = (0..<network.inputCount).map { Variable("x\($0)", role: .state) }
    return Model(
      network: network, inputs: inputs, outputs: Array(inputs.prefix(network.outputCount)),
      inputScaling: .identity(network.inputCount), outputScaling: .identity(network.outputCount),
      timeStep: nil)
  }

  /// At a threshold of zero relevance selects what paths connect, unless no sample reaches a path.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func relevantPairsAreConnected(seed: UInt64) async throws {
    var stream = RandomStream(seed: seed)
    let members = (0..<3).map { _ in
      model(ExampleNetworks.random([6, 9, 4], density: 0.25, skip: true, &stream))
    }
    let ensemble = Ensemble(name: "e", members: members)
    let points = Matrix(rows: 200, columns: 6) { _, _ in stream.normal() }
    let relevance = try await EnsembleRelevance(ensemble, over: points, threads: 1)
    let connected = PairSelection.connected.selection(of: ensemble, relevance)
    let relevant = PairSelection.relevant(above: 0).selection(of: ensemble, relevance)
    for (a, b) in zip(relevant.chosen, connected.chosen) {
      #expect(zip(a, b).allSatisfy { !$0 || $1 })
    }
    let few = PairSelection.relevant(above: 0.3).selection(of: ensemble, relevance)
    #expect(few.chosen.joined().count { $0 } < relevant.chosen.joined().count { $0 })
    #expect(PairSelection.relevant(above: 0.3).words == "mean |J| above 0.3")
  }

  @Test func aNetworkWithoutAPathIsEmpty() {
    // The second layer reads nothing of the first: its bias is all.
    let broken = ExampleNetworks.chain(
      [Matrix([[1, 2]]), Matrix([[0], [0]])], inputs: 2, biases: [[1], [3, 4]])
    #expect(broken.isEmpty)
    let skipped = ExampleNetworks.chain(
      [Matrix([[1, 2]]), Matrix([[0], [0]])], skip: Matrix([[0, 0], [0, 1]]), inputs: 2)
    #expect(!skipped.isEmpty)
    let constant = ExampleNetworks.chain([Matrix([[0, 0]]), Matrix([[1]])], inputs: 2)
    #expect(constant.isEmpty)
    let ensemble = Ensemble(name: "e", members: [broken, skipped, broken].map(model))
    #expect(ensemble.emptyMembers == [0, 2])
    #expect(Selection(connectedPairsOf: ensemble).isEmpty == false)
    #expect(Selection(chosen: [[false, false], [false, false]]).isEmpty)
  }

  private func pair(_ verdict: Verdict) -> PairEvidence {
    PairEvidence(
      effect: 0.1, low: 0, high: nil, signed: 0, cost: 0, costError: nil, statistic: 0,
      verdict: verdict)
  }

  /// By hand: four real pairs (present, weak, absent, undecided), three that are not there (present, absent, undecided),
  /// one too weak to count.
  @Test func verdictsAreHeldAgainstThePlant() throws {
    let relevance = Matrix([[0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0.005]])
    let truth = PlantTruth(relevance: relevance, physical: relevance, samples: 1, samplesLeftOut: 0)
    let verdicts: [[Verdict]] = [
      [.present, .weak, .absent, .undecided], [.present, .absent, .undecided, .present],
    ]
    let evidence = EnsembleEvidence(
      outputs: ["a", "b"], inputs: ["a", "b", "c", "d"], pairs: verdicts.map { $0.map(pair) },
      explained: [0.9, nil], alone: [], groups: [[], []])
    let score = VerdictScore(evidence, truth: truth)
    #expect(score.precision == 0.5)
    // 2 · 1/(2 · 1 + 1 spurious + 2 missed)
    #expect(score.f1 == 0.4)
    #expect(try #require(score.undecided) == 2.0 / 7 && score.calledAbsent == 1)
  }

  @Test func whatIsNotKnownIsNotCalledUnexplained() throws {
    #expect(ExplainedShares([nil, nil]) == nil)
    let shares = try #require(ExplainedShares([0.9, nil, 0.04, -3, .nan]))
    #expect(shares.unexplained == [2, 3, 4])
  }
}
