import Dynamics
import Evidence
import LinearAlgebra
import Networks
import Structure
import Study
import TestSupport
import Testing

/// Sentences and comparisons on cases whose answer is known.
@Suite struct EffectSentenceTests {
  /// A rate of the level that rises with itself and falls with the valve, and one of which nothing is known.
  static func ensemble(
    verdicts: [Verdict]?, explained: [Double?] = [0.976, 0.6], effects: [Double] = [0.5, 0.3]
  ) -> Ensemble {
    let inputs = [
      Variable("level", unit: "m", longName: "height of the water", role: .state),
      Variable("heat", role: .state), Variable("valve", role: .control),
    ]
    let model = Model(
      network: ExampleNetworks.chain(
        [Matrix([[1, 0, 0]]), Matrix([[0], [0]])],
        skip: Matrix([[effects[0], 0, -effects[1]], [0, 0, 0]]), inputs: 3),
      inputs: inputs, outputs: inputs.prefix(2).map(\.rate), inputScaling: .identity(3),
      outputScaling: .identity(2), timeStep: 1)
    var ensemble = Ensemble(name: "e", members: [model, model])
    guard let verdicts else { return ensemble }
    let signed = [effects[0], 0, -effects[1]]
    func pair(_ verdict: Verdict, _ effect: Double) -> PairEvidence {
      PairEvidence(
        effect: abs(effect), low: 0.9 * abs(effect), high: 1.1 * abs(effect), signed: effect,
        cost: 1, costError: 0.1, statistic: 9, verdict: verdict)
    }
    ensemble.evidence = EnsembleEvidence(
      outputs: ["level", "heat"], inputs: ["level", "heat", "valve"],
      pairs: [
        zip(verdicts, signed).map(pair), (0..<3).map { _ in pair(.absent, 0) },
      ],
      explained: explained, alone: [], groups: [[], []])
    return ensemble
  }

  private func sentences(_ ensemble: Ensemble) async throws -> EffectSentences {
    let relevance = try await EnsembleRelevance(
      ensemble, over: Matrix([[1, 2, 3], [2, 0, 1], [0, 1, 5]]), threads: 1)
    return EffectSentences(
      ensemble, mean: relevance.mean, signed: relevance.signedMean,
      selection: PairSelection.relevant().selection(of: ensemble, relevance),
      threshold: PairSelection.usualThreshold)
  }

  @Test func whatIsEstablishedIsSaidInThePlantsWords() async throws {
    let told = try await sentences(Self.ensemble(verdicts: [.present, .absent, .present]))
    #expect(
      told.drives
        == "2 of 6 possible effects are established: on the rate of height of the water (level, R² 0.98) act most "
        + "itself (raising it) and, set from outside, valve (lowering it).")
    #expect(
      told.sentence(of: 0)
        == "The rate rises with level; falls with valve. Excluded: heat. On held-out rows 97.6 % of "
        + "its variance is explained.")
    #expect(
      told.sentence(of: 1)
        == "No effect on this rate is established. Excluded: level, heat, valve. On held-out rows "
        + "60 % of its variance is explained.")
    #expect(
      told.sure
        == "Tests of all 2 members together on held-out rows, 5 % each, establish 2, exclude 4 and leave none "
        + "undecided; the models explain 60 to 97 % of the variance there.")
  }

  @Test func whatIsUndecidedIsNotClaimed() async throws {
    let told = try await sentences(Self.ensemble(verdicts: [.present, .weak, .undecided]))
    #expect(
      told.drives.hasPrefix("1 of 6 possible effects is established")
        && !told.drives.contains("valve"))
    #expect(!told.isFound(0, 2) && told.found(0) == [0])
    #expect(told.sentence(of: 0).contains("Proven, and below 0.01: heat. Undecided: valve."))
    #expect(told.sure.contains("leave 1 undecided (valve on level)"))
  }

  @Test func ofWhatIsNotExplainedNothingIsSaid() async throws {
    let told = try await sentences(
      Self.ensemble(verdicts: [.present, .absent, .present], explained: [0.02, 0.6]))
    #expect(told.sentence(of: 0).hasPrefix("Nothing of this rate is explained"))
    #expect(!told.sentence(of: 0).contains("valve") && told.found(0).isEmpty)
    #expect(told.drives == "None of 6 possible effects is established.")
    #expect(told.sure.contains("nothing is explained of level"))
  }

  @Test func withoutTestsNothingIsEstablished() async throws {
    let told = try await sentences(Self.ensemble(verdicts: nil))
    #expect(told.drives.contains("found by most members, none of them tested"))
    #expect(told.sentence(of: 0).hasSuffix("No effect was tested."))
    #expect(told.sure.contains("were not tested") && told.sure.contains("not what the plant does"))
    #expect(
      ![told.drives, told.sure, told.sentence(of: 0)].contains { $0.contains("established") })
  }

  @Test func forecastsAreToldWithWhatFailed() {
    var sentence = ForecastSentence(samples: 500, trajectories: 4, forecasts: 8, diverged: 1)
    #expect(sentence.text.contains("diverged: the models do not forecast so far"))
    sentence.error = StudyResults.Figure([0.1, 0.3])
    sentence.seconds = 7200
    sentence.compared = ("dense", 0.9, 0.7...1.2)
    #expect(
      sentence.text.contains("off by 0.2 standard deviations") && sentence.text.contains("(2 h)"))
    #expect(sentence.text.contains("1 of 8 diverged and is not in that mean"))
    #expect(sentence.text.contains("which leaves open which is better"))
    let all = ForecastSentence(samples: 500, trajectories: 4, forecasts: 8, diverged: 8)
    #expect(all.text.hasPrefix("All 8 free forecasts over 500 samples"))
  }

  // MARK: Comparisons

  private func comparison(_ first: Ensemble, _ second: Ensemble) async throws -> EnsembleComparison
  {
    try await EnsembleComparison(first, second, over: nil, place: nil, threads: 1)
  }

  @Test func gainedAndLostNeedBothTests() async throws {
    let first = Self.ensemble(verdicts: [.present, .absent, .undecided])
    let second = Self.ensemble(verdicts: [.weak, .present, .present])
    let found = try await comparison(first, second)
    #expect(found.pairs.prefix(3).map(\.change) == [.lost, .gained, .nowEstablished])
    #expect(found.pairs.dropFirst(3).allSatisfy { $0.change == .same })
    let back = try await comparison(second, first)
    #expect(back.pairs.prefix(3).map(\.change) == [.gained, .lost, .nowUndecided])
    #expect(found.horizons.isEmpty && found.remark == nil)
  }

  @Test func sizesDifferWhereIntervalsDoNotMeet() async throws {
    let verdicts = [Verdict.present, .absent, .present]
    let (one, other) = (
      Self.ensemble(verdicts: verdicts), Self.ensemble(verdicts: verdicts, effects: [0.8, 0.29])
    )
    #expect(
      try await comparison(one, other).pairs.prefix(3).map(\.change) == [.larger, .same, .same])
    #expect(try await comparison(other, one).pairs[0].change == .smaller)
    let turned = Self.ensemble(verdicts: verdicts, effects: [-0.5, 0.3])
    #expect(try await comparison(one, turned).pairs[0].change == .reversed)
  }

  @Test func whatWasNotTestedIsNoEvidence() async throws {
    let tested = Self.ensemble(verdicts: [.present, .absent, .present])
    let found = try await comparison(Self.ensemble(verdicts: nil, effects: [0.5, 0]), tested)
    #expect(found.pairs[2].change == .onlySecond && !found.pairs[2].change.isEvidence)
    #expect(found.sentences[1].text.contains("were not tested"))
    let silent = try await comparison(
      tested, Self.ensemble(verdicts: [.absent, .absent, .absent], explained: [0.01, 0.6]))
    #expect(silent.pairs.prefix(3).allSatisfy { $0.change == .notSaid })
    #expect(!silent.sentences[0].text.contains("lost"))
  }
}
