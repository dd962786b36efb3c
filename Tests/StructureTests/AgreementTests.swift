import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

/// Statistics against rational arithmetic in Python; see Fixtures/PROVENANCE.md.
@Suite struct AgreementTests {
  struct Reference: Decodable {
    struct Jackknife: Decodable {
      var lower: Double
      var upper: Double
    }

    struct Case: Decodable {
      var name: String
      var selected: [[Int]]
      var phi: Double?
      var asymptoticVariance: Double?
      var jackknife: Jackknife?
      var meanJaccard: Double?
      var frequency: [Double]
    }

    struct Comparison: Decodable {
      var first: String
      var second: String
      var statistic: Double?
      var jackknife: Change?
    }

    struct Change: Decodable {
      var change: Double
      var lower: Double
      var upper: Double
    }

    var cases: [Case]
    var comparisons: [Comparison]
  }

  static let reference = try? Fixture.json("agreement/selection.json", as: Reference.self)

  private func selection(_ name: String) throws -> (Reference.Case, Selection) {
    let found = try #require(Self.reference?.cases.first { $0.name == name })
    return (found, Selection(chosen: found.selected.map { $0.map { $0 == 1 } }))
  }

  @Test(arguments: reference?.cases.map(\.name) ?? [])
  func statisticsAgreeWithTheReference(name: String) throws {
    let (expected, selection) = try selection(name)
    #expect(close(selection.stability, expected.phi))
    #expect(close(selection.asymptoticVariance, expected.asymptoticVariance))
    #expect(close(selection.meanJaccard, expected.meanJaccard))
    #expect(zip(selection.frequency, expected.frequency).allSatisfy { abs($0 - $1) < 1e-12 })
    let interval = selection.jackknifeInterval()
    #expect(close(interval?.lowerBound, expected.jackknife?.lower, 1e-9))
    #expect(close(interval?.upperBound, expected.jackknife?.upper, 1e-9))
  }

  @Test func comparisonsAgreeWithTheReference() throws {
    for comparison in try #require(Self.reference?.comparisons) {
      let first = try selection(comparison.first).1
      let second = try selection(comparison.second).1
      #expect(close(Selection.difference(first, second), comparison.statistic, 1e-9))
      let difference = Selection.jackknifeDifference(first, second)
      #expect(close(difference?.stability, comparison.jackknife?.change, 1e-9))
      #expect(close(difference?.interval.lowerBound, comparison.jackknife?.lower, 1e-9))
      #expect(close(difference?.interval.upperBound, comparison.jackknife?.upper, 1e-9))
    }
  }

  private func close(_ a: Double?, _ b: Double?, _ tolerance: Double = 1e-12) -> Bool {
    switch (a, b) {
    case (nil, nil): true
    case (let a?, let b?): abs(a - b) <= tolerance * max(1, abs(b))
    default: false
    }
  }

  /// Nine members that differ by a pair or two, and one that has little to do with them.
  @Test func aMemberThatStandsApartIsNamed() {
    var stream = RandomStream(seed: 5)
    let common = (0..<60).map { _ in stream.uniform() < 0.4 }
    var rows = (0..<9).map { member in
      common.indices.map { $0 == member || $0 == 2 * member ? !common[$0] : common[$0] }
    }
    #expect(Selection(chosen: rows).membersApart.isEmpty)
    rows.insert((0..<60).map { _ in stream.uniform() < 0.4 }, at: 3)
    #expect(Selection(chosen: rows).membersApart == [3])
    #expect(Selection(chosen: rows).mostTypicalMember != 3)
    #expect(Selection(chosen: Array(rows[1...3])).membersApart.isEmpty)
  }

  /// With many members the bootstrap, the jackknife and the asymptotic interval say the same.
  @Test func intervalsAgreeForManyMembers() throws {
    var stream = RandomStream(seed: 6)
    let chance = (0..<50).map { _ in stream.uniform() }
    let selection = Selection(
      chosen: (0..<80).map { _ in chance.map { stream.uniform() < $0 } })
    let jackknife = try #require(selection.jackknifeInterval())
    let bootstrap = try #require(selection.bootstrapInterval())
    let width = jackknife.upperBound - jackknife.lowerBound
    #expect(abs(bootstrap.lowerBound - jackknife.lowerBound) < 0.3 * width)
    #expect(abs(bootstrap.upperBound - jackknife.upperBound) < 0.3 * width)
    #expect(bootstrap == selection.bootstrapInterval())
    #expect(Selection(chosen: [[true, false], [true, false]]).bootstrapInterval() == nil)
  }

  @Test func theOrderOfMembersAndPairsDoesNotMatter() {
    var stream = RandomStream(seed: 41)
    let rows = (0..<6).map { _ in (0..<30).map { _ in stream.uniform() < 0.3 } }
    var pairs = Array(0..<30)
    var members = Array(0..<6)
    stream.shuffle(&pairs)
    stream.shuffle(&members)
    let shuffled = members.map { member in pairs.map { rows[member][$0] } }
    let (a, b) = (Selection(chosen: rows), Selection(chosen: shuffled))
    #expect(close(a.stability, b.stability) && close(a.meanJaccard, b.meanJaccard))
    #expect(close(a.jackknifeInterval()?.lowerBound, b.jackknifeInterval()?.lowerBound))
  }

  /// 10 of 100 pairs on average, π = 0.9: 10²/(0.8 · 100).
  @Test func chanceIsBoundedAsStabilitySelectionSays() {
    let rows = (0..<10).map { member in (0..<100).map { $0 < 8 || (member < 5 && $0 < 12) } }
    let selection = Selection(chosen: rows)
    #expect(abs(selection.expectedByChance(share: 0.9) - 1.25) < 1e-12)
    #expect(selection.selected(byShare: 0.9) == 8 && selection.selected(byShare: 0.51) == 8)
    #expect(selection.selected(byShare: 0.5) == 12)
  }

  // MARK: Consensus

  private func model(_ network: Network) -> Model {
    let inputs = (0..<network.inputCount).map { Variable("x\($0)", role: .state) }
    return Model(
      network: network, inputs: inputs, outputs: Array(inputs.prefix(network.outputCount)),
      inputScaling: .identity(network.inputCount), outputScaling: .identity(network.outputCount),
      timeStep: nil)
  }

  /// Towers: a pair outside the consensus is gone, and the rate takes the input for its mean (zero here).
  @Test func theConsensusOfTowersIsTheTypicalMemberWithoutItsOwnPairs() {
    var stream = RandomStream(seed: 8)
    let towers = (0..<2).map { _ in
      ExampleNetworks.random([3, 5, 1], density: 1, skip: true, &stream)
    }
    let network = Network.joined(towers)
    let ensemble = Ensemble(name: "e", members: [model(network), model(network), model(network)])
    // All but (0, 2) and, of two members, (1, 1).
    let row = [true, true, false, true, true, true]
    let consensus = Consensus(
      ensemble, Selection(chosen: [row, row, [true, true, true, true, false, true]]))
    #expect(consensus.member == 0 && consensus.shared.isEmpty && consensus.lacking.isEmpty)
    #expect(consensus.removed.map { [$0.output, $0.input] } == [[0, 2]])
    for _ in 0..<20 {
      let point = (0..<3).map { _ in stream.normal() }
      let values = consensus.model.network.evaluate(point)
      #expect(abs(values[0] - network.evaluate([point[0], point[1], 0])[0]) < 1e-12)
      #expect(abs(values[1] - network.evaluate(point)[1]) < 1e-12)
    }
  }

  /// One trunk: what serves another output too cannot go, and what is not there cannot come.
  @Test func whatACommonTrunkCannotDoWithoutIsNamed() {
    let network = ExampleNetworks.chain(
      [Matrix([[1, 1, 0], [0, 1, 0]]), Matrix([[1, 0], [1, 1]])], inputs: 3)
    let ensemble = Ensemble(name: "e", members: [model(network)])
    // Of output 0 only x0, of output 1 x1 and x2.
    let consensus = Consensus(
      ensemble, Selection(chosen: [[true, false, false, false, true, true]]))
    #expect(consensus.removed.isEmpty)
    #expect(consensus.shared.map { [$0.output, $0.input] } == [[0, 1], [1, 0]])
    #expect(consensus.lacking.map { [$0.output, $0.input] } == [[1, 2]])
  }

  @Test func aConsensusNeedsMoreThanHalf() {
    let selection = Selection(chosen: [[true, true, false], [true, false, false]])
    #expect(selection.consensus == [true, false, false])
  }
}

@Suite struct PlantTruthTests {
  @Test func theGradedTruthOfTheCellIsTheKnownOne() async throws {
    let data = try await Simulation(plant: ElectrolysisCell(), trajectories: 10, samples: 2000)
      .run(threads: 2).data
    let truth = try await PlantTruth(ElectrolysisCell(), over: data, stride: 10, threads: 2)
    var real: [String: Set<String>] = [:]
    var grades: [PlantTruth.Grade: Int] = [:]
    for (row, state) in ElectrolysisCell().states.enumerated() {
      for (column, variable) in ElectrolysisCell().variables.enumerated() {
        grades[truth.grade(row, column), default: 0] += 1
        if truth.grade(row, column) == .real { real[state.name, default: []].insert(variable.name) }
      }
    }
    #expect(grades[.real] == 41 && grades[.uncertain] == 15)
    #expect(real["m_Al2O3"] == ["f_Al2O3"] && real["m_Al"] == ["f_tap"])
    #expect(real["m_AlF3"] == ["f_Al2O3", "f_AlF3"])
    #expect(real["T_wall"] == ["m_sl", "T_sl", "T_wall"])
    #expect(real["T_bath"]?.isSuperset(of: ["I_line", "h_acd", "T_bath", "m_sl"]) == true)
  }

  @Test func aScoreCountsFoundMissedAndSpuriousPairs() async throws {
    let data = try await Simulation(plant: DuffingOscillator(), trajectories: 3, samples: 300)
      .run(threads: 1).data
    let truth = try await PlantTruth(DuffingOscillator(), over: data, threads: 1)
    // Every input acts on both rates within a step: position through velocity, both through force.
    let all = StructureScore(selected: Array(repeating: true, count: 6), truth: truth)
    #expect(all.spurious == 0 && all.missed == 0 && all.found + all.uncertain == 6)
    let none = StructureScore(selected: Array(repeating: false, count: 6), truth: truth)
    #expect(none.found == 0 && none.missed == all.found && none.f1 == 0 && none.precision == nil)
    #expect(truth.medianJacobianError(truth.physical) == 0)
    #expect(abs(truth.medianJacobianError(truth.physical.map { 1.5 * $0 }) - 0.5) < 1e-12)
  }
}
