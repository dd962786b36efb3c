import Dynamics
import LinearAlgebra
import Testing

@Suite struct SimulationTests {
  @Test(arguments: PlantCatalogue.names)
  func aTrajectoryDependsOnItsNumberOnly(name: String) async throws {
    let plant = try #require(PlantCatalogue.plant(named: name))
    let few = try await Simulation(plant: plant, trajectories: 3, samples: 200).run(threads: 1)
    let many = try await Simulation(plant: plant, trajectories: 7, samples: 300).run(threads: 3)
    for index in 0..<3 {
      let head = Array(many.data.samples[index].elements.prefix(200 * few.data.variables.count))
      #expect(few.data.samples[index].elements == head)
    }
    #expect(few.data.samples[0] != few.data.samples[1])
  }

  @Test func anotherSeedGivesOtherTrajectories() async throws {
    var simulation = Simulation(plant: ElectrolysisCell(), trajectories: 1, samples: 10)
    let first = try await simulation.run(threads: 1)
    simulation.seed = 2
    let second = try await simulation.run(threads: 1)
    #expect(first.data.samples != second.data.samples)
  }

  /// Means and deviations of forty trajectories by another program with another random stream; the
  /// band is four standard errors of a mean over forty initial states.
  @Test func thePopulationIsThatOfTheReferenceProgram() async throws {
    let outcome = try await Simulation(plant: ElectrolysisCell(), trajectories: 40, samples: 5000)
      .run(threads: 2)
    #expect(outcome.redrawn == 0)
    let means = [3246, 495, 1977, 13870, 9943, 972, 817, 582.0]
    let deviations = [701, 119, 269, 1655, 45, 5.5, 22.5, 34.7]
    let points = Matrix(
      rows: 200_000, columns: 13, elements: outcome.data.samples.flatMap(\.elements))
    for state in 0..<8 {
      let values = points.column(state)
      #expect(abs(values.mean - means[state]) < 4 * deviations[state] / 40.0.squareRoot())
      #expect((0.75...1.33).contains(values.standardDeviation / deviations[state]))
    }
    #expect(outcome.samplesOutsideDomain < 200)
  }

  @Test func excitationStaysWithinItsBounds() async throws {
    let outcome = try await Simulation(plant: ElectrolysisCell(), trajectories: 5, samples: 3000)
      .run(threads: 2)
    for matrix in outcome.data.samples {
      let current = matrix.column(9)
      #expect(current.allSatisfy { (118_000...155_000).contains($0) })
      #expect(matrix.column(12).allSatisfy { (0.043 - 1e-12...0.057 + 1e-12).contains($0) })
      let changes = zip(current, current.dropFirst()).count { $0 != $1 }
      #expect((2...30).contains(changes), "held for 100 to 1100 samples each")
      #expect(matrix.column(8).allSatisfy { $0 == 0 || $0 >= 1 && $0 <= 42 })
      #expect(matrix.column(10).contains { $0 > 0 })
    }
  }

  @Test func observablesAreRecordedOnRequest() async throws {
    var simulation = Simulation(plant: ElectrolysisCell(), trajectories: 1, samples: 50)
    simulation.withObservables = true
    let data = try await simulation.run(threads: 1).data
    #expect(data.variables.map(\.name).suffix(2) == ["V_bath", "T_liq"])
    let row = Array(data.samples[0].row(20))
    let expected = ElectrolysisCell().observe(state: Array(row[..<8]), controls: Array(row[8..<13]))
    #expect(Array(row[13...]) == expected)
    #expect(try Regression(data).features.count == 13)
  }
}

@Suite struct TrajectoriesTests {
  let x = Variable("x", unit: "m", role: .state)
  let u = Variable("u", role: .control)

  private func data(_ rows: [[[Double]]], variables: [Variable]? = nil) throws -> Trajectories {
    try Trajectories(
      variables: variables ?? [x, u], timeStep: 0.5, samples: rows.map { Matrix($0) })
  }

  @Test func statesComeFirstWhateverTheOrderGiven() throws {
    let data = try data([[[1, 2], [3, 4]]], variables: [u, x])
    #expect(data.variables.map(\.name) == ["x", "u"])
    #expect(data.samples[0].elements == [2, 1, 4, 3])
  }

  @Test func aNumberThatIsNotFiniteIsNamedWithItsPlace() {
    #expect(
      throws: DataProblem.notFinite(variable: "u", trajectory: 1, sample: 2, value: .infinity)
    ) { try data([[[1, 2]], [[1, 2], [3, 4], [5, .infinity]]]) }
  }

  @Test func namesMustDiffer() {
    #expect(throws: DataProblem.duplicateName("x")) {
      try data([[[1, 2]]], variables: [x, Variable("x", role: .control)])
    }
  }

  @Test func ratesAreDifferencesOverTheTimeStep() throws {
    let regression = try Regression(
      try data([[[1, 10], [3, 20], [4, 30]], [[7, 1]], [[0, 5], [2, 5]]]))
    #expect(regression.inputs == Matrix([[1, 10], [3, 20], [0, 5]]))
    #expect(regression.outputs == Matrix([[4], [2], [4]]))
    #expect(regression.targets[0].unit == "m/s")
  }

  @Test func standardisedColumnsHaveMeanZeroAndDeviationOne() throws {
    var stream = RandomStream(seed: 8)
    let rows = (0..<500).map { _ in [3 + 2 * stream.normal(), 1e4 + stream.normal()] }
    let regression = try Regression(try data([rows]))
    let scaling = try regression.standardisation().inputs
    for column in 0..<2 {
      let values = regression.inputs.column(column).map { scaling.standardise(column, $0) }
      #expect(abs(values.mean) < 2e-3 && abs(values.standardDeviation - 1) < 1e-6)
    }
  }

  @Test func aConstantVariableIsNamedWithTheRemedy() throws {
    let regression = try Regression(try data([[[1, 5], [3, 5], [4, 5]]]))
    let problem = #expect(throws: DataProblem.constant(u)) { try regression.standardisation() }
    #expect(problem?.description.contains("--exclude u") == true)
  }

  @Test func aStateThatGrowsEvenlyHasNoRateToLearn() throws {
    let regression = try Regression(try data([[[1, 5], [2, 6], [3, 9]]]))
    #expect(throws: DataProblem.constantRate(x)) { try regression.standardisation() }
  }

  @Test func validationTakesTheLastTrajectories() throws {
    let data = try data((0..<10).map { [[Double($0), 0], [1, 1]] })
    let split = data.split(validationFraction: 0.2)
    #expect(split.training.samples.count == 8)
    #expect(split.validation?.samples.map { $0[0, 0] } == [8, 9])
    #expect(data.split(validationFraction: 0).validation == nil)
  }

  @Test func aSingleTrajectoryIsSplitInTime() throws {
    let data = try data([(0..<100).map { [Double($0), 0] }])
    let split = data.split(validationFraction: 0.1)
    #expect(split.training.samples[0].rows == 90)
    #expect(split.validation?.samples[0][0, 0] == 90)
  }

  @Test func selectionSaysWhatIsMissingAndWhatIsExtra() throws {
    let data = try data([[[1, 2]]])
    #expect(throws: DataProblem.missingVariables(["y"], extra: ["u"])) {
      try data.selecting(["x", "y"])
    }
    #expect(try data.selecting(["x"]).samples[0].elements == [1])
    #expect(throws: DataProblem.noStates) { try data.excluding(["x"]) }
    #expect(throws: DataProblem.tooFew(wanted: 2, present: 1)) { try data.prefix(2) }
  }
}
