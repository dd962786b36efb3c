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

  /// Noise, its drift and gaps are what was asked for, and change nothing else.
  @Test func measurementsAreDisturbedAsAsked() throws {
    let plant = ElectrolysisCell()
    var simulation = Simulation(plant: plant, trajectories: 4, samples: 4000)
    let exact = try simulation.run()
    simulation.noise = 0.02
    simulation.noiseCorrelation = 0.8
    simulation.controlNoise = 0.03
    simulation.missing = 0.25
    let data = try simulation.run()
    let deviations = Simulation.deviations(of: plant, mode: .aprbs)
    for column in 0..<13 {
      var errors: [[Double]] = []
      for (a, b) in zip(data.samples, exact.samples) {
        errors.append((0..<4000).map { (a[$0, column] - b[$0, column]) / deviations[column] })
      }
      let all = errors.flatMap { $0 }.filter(\.isFinite)
      let variance = all.map { $0 * $0 }.mean
      let pairs = errors.flatMap { zip($0, $0.dropFirst()) }.filter {
        $0.isFinite && $1.isFinite
      }
      let correlation = pairs.map { $0 * $1 }.mean / variance
      if column < 8 {
        #expect(abs(variance.squareRoot() / 0.02 - 1) < 0.1)
        #expect(abs(correlation - 0.8) < 0.05)
        #expect(abs(Double(all.count) / 16_000 - 0.75) < 0.02)
      } else {
        #expect(abs(variance.squareRoot() / 0.03 - 1) < 0.1 && abs(correlation) < 0.05)
        #expect(all.count == 16_000)
      }
    }
  }

  @Test(
    arguments: PlantCatalogue.names.filter {
      PlantCatalogue.plant(named: $0, variation: 1) != nil
    })
  func aVariedPlantIsAnotherOfItsKind(name: String) throws {
    let plant = try #require(PlantCatalogue.plant(named: name))
    let one = try #require(PlantCatalogue.plant(named: name, variation: 1))
    let again = try #require(PlantCatalogue.plant(named: name, variation: 1))
    let two = try #require(PlantCatalogue.plant(named: name, variation: 2))
    #expect(one.states == plant.states && one.controls == plant.controls)
    var stream = RandomStream(seed: 5)
    let state = plant.initialState(&stream)
    let controls = plant.controls.map { _ in 0.4 }
    func increments(_ plant: any Plant) -> [Double] {
      plant.increment(state: state, controls: controls)
    }
    #expect(increments(one) == increments(again))
    #expect(increments(one) != increments(plant) && increments(one) != increments(two))
    // Every rate within what a few factors between 0.8 and 1.2 can make of it, and finite motion.
    let data = try Simulation(plant: one, trajectories: 2, samples: 1000).run()
    #expect(data.samples.allSatisfy { $0.elements.allSatisfy(\.isFinite) })
  }

  /// Steps next to a gap are no rows; all others are what they are without gaps.
  @Test func aRegressionLeavesOutStepsWithGaps() throws {
    var simulation = Simulation(plant: DuffingOscillator(), trajectories: 3, samples: 300)
    let whole = try Regression(try simulation.run())
    simulation.missing = 0.1
    let data = try simulation.run()
    let regression = try Regression(data)
    var steps: [(Int, Int)] = []
    regression.forEachStep { row, trajectory, sample in
      #expect(row == steps.count)
      steps.append((trajectory, sample))
    }
    let expected = data.samples.enumerated().flatMap { trajectory, matrix in
      (0..<299).filter { sample in
        (0..<2).allSatisfy { matrix[sample, $0].isFinite && matrix[sample + 1, $0].isFinite }
      }.map { (trajectory, $0) }
    }
    #expect(steps.elementsEqual(expected, by: ==) && regression.rows == steps.count)
    let (inputs, all) = (regression.inputs, whole.inputs)
    for (row, step) in steps.enumerated() {
      #expect(inputs.row(row).elementsEqual(all.row(step.0 * 299 + step.1)))
    }
  }

  @Test func gapsAreForStatesAndForThoseWhoAsk() throws {
    var simulation = Simulation(plant: DuffingOscillator(), trajectories: 1, samples: 50)
    simulation.missing = 0.2
    let data = try simulation.run()
    #expect(data.missingValues.allSatisfy { $0 > 0 })
    func remade(_ samples: [Matrix], gaps: Gaps) throws(DataProblem) -> Trajectories {
      try Trajectories(
        variables: data.variables, timeStep: data.timeStep, samples: samples, gaps: gaps)
    }
    #expect(throws: DataProblem.self) { try remade(data.samples, gaps: .refused) }
    var samples = data.samples
    samples[0][3, 2] = .nan
    #expect(throws: DataProblem.self) { try remade(samples, gaps: .inStates) }
    samples = data.samples
    samples[0][3, 0] = .infinity
    #expect(throws: DataProblem.self) { try remade(samples, gaps: .inStates) }
    #expect(throws: DataProblem.self) { try data.declaring(controls: ["position"]) }
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
    #expect(problem?.description.contains("`exclude` u") == true)
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
