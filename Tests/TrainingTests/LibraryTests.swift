import Dynamics
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Polynomials as networks, and sparse regression against scikit-learn and PySINDy; see
/// Fixtures/PROVENANCE.md.
@Suite struct LibraryTests {
  struct Reference: Decodable {
    struct Answer: Decodable {
      var method: String
      var target: Int
      var step: Int
      var strength: Double
      var coefficients: [Double]
    }

    var degree: Int
    var terms: [[Int]]
    var inputs: [[Double]]
    var targets: [[Double]]
    var answers: [Answer]

    var rows: RegressionRows { RegressionRows(inputs: Matrix(inputs), targets: Matrix(targets)) }
    func regression(_ kernels: Kernels = .active) -> LibraryRegression {
      LibraryRegression(
        library: FeatureLibrary(inputs: 3, degree: degree), rows: rows, heldOut: [rows],
        kernels: kernels)
    }
  }

  private func reference() throws -> Reference {
    try Fixture.json("networks/libraries.json", as: Reference.self)
  }

  @Test func aLibraryHoldsAllProductsInOrder() throws {
    let reference = try reference()
    let library = FeatureLibrary(inputs: 3, degree: 3)
    #expect(library.terms == reference.terms)
    for degree in 1...3 {
      for inputs in [1, 4, 13] {
        let count = FeatureLibrary(inputs: inputs, degree: degree).terms.count
        #expect(count == FeatureLibrary.count(inputs: inputs, degree: degree))
      }
    }
  }

  @Test(arguments: Kernels.available.map(\.instructionSet))
  func theLassoIsThatOfScikitLearn(set: InstructionSet) throws {
    let reference = try reference()
    let regression = reference.regression(try #require(Kernels(set)))
    var seen = 0
    for answer in reference.answers where answer.method == "lasso" {
      let ours = regression.lassoPath(target: answer.target)[answer.step]
      #expect(abs(ours.strength / answer.strength - 1) < 1e-12)
      #expect(zip(ours.coefficients, answer.coefficients).allSatisfy { abs($0 - $1) < 1e-6 })
      #expect(ours.coefficients.map { $0 == 0 } == answer.coefficients.map { $0 == 0 })
      // And optimal in our own words: the gradient of ½ mean e² on scaled columns.
      seen += 1
    }
    #expect(seen == 8)
  }

  @Test func thresholdedLeastSquaresIsThatOfPySINDy() throws {
    let reference = try reference()
    let regression = reference.regression()
    var seen = 0
    for answer in reference.answers where answer.method == "stlsq" {
      let ours = regression.stlsq(target: answer.target, thresholds: [answer.strength])[0]
      #expect(zip(ours.coefficients, answer.coefficients).allSatisfy { abs($0 - $1) < 1e-6 })
      #expect(
        ours.coefficients.dropFirst().map { $0 == 0 }
          == answer.coefficients.dropFirst().map { $0 == 0 })
      // The reported error is that of the polynomial.
      let rows = reference.rows
      let errors = (0..<rows.inputs.rows).map { row in
        zip(reference.terms, ours.coefficients).reduce(-rows.targets[row, answer.target]) {
          $0 + $1.1 * $1.0.reduce(1) { $0 * rows.inputs[row, $1] }
        }
      }
      #expect(abs(errors.map { $0 * $0 }.mean / ours.loss - 1) < 1e-9)
      seen += 1
    }
    #expect(seen == 6)
  }

  @Test func theSparsestWithinAStandardErrorIsChosen() {
    func candidate(_ terms: Int, _ error: Double) -> LibraryRegression.Candidate {
      .init(
        strength: 0, coefficients: (0..<6).map { $0 < terms ? 1 : 0 }, loss: 0, validation: error,
        standardError: 0.1)
    }
    let choice = LibraryRegression.choice([
      candidate(6, 1), candidate(5, 0.99), candidate(3, 1.08), candidate(2, 1.1), candidate(1, 2),
    ])
    #expect(choice?.terms == 3)
    #expect(LibraryRegression.choice([]) == nil)
  }

  /// The motion of the Duffing oscillator is a polynomial of degree 3: its step by small Δt is found with
  /// its terms, as a network that says the same, in a model file and back.
  @Test func aPolynomialPlantIsFoundExactly() async throws {
    let data = try await Simulation(plant: DuffingOscillator(), trajectories: 6, samples: 500)
      .run(threads: 2).data
    var recipe = Recipe()
    recipe.method = .stlsq
    recipe.degree = 3
    let training = EnsembleTraining(recipe: recipe, members: 2, seed: 1, threads: 1)
    let outcome = try await training.run(on: data)
    let model = outcome.models[0].model
    #expect(outcome.models.map { $0.model.network } == [model.network, model.network])
    #expect(outcome.histories.allSatisfy { ($0.epochs.last?.validationLoss ?? 1) < 1e-5 })
    let regression = try Regression(data)
    let (inputs, outputs) = (regression.inputs, regression.outputs)
    for row in stride(from: 0, to: regression.rows, by: 97) {
      for (column, rate) in model.rates(inputs.row(row)).enumerated() {
        let error = (rate - outputs[row, column]) / model.outputScaling.deviation[column]
        #expect(abs(error) < 0.02)
      }
    }
  }

  @Test func polynomialsBeyondMemoryAreRefused() async throws {
    let width = 40
    var stream = RandomStream(seed: 1)
    let data = try Trajectories(
      variables: (0..<width).map { Variable("x\($0)", role: .state) }, timeStep: 1,
      samples: [
        Matrix(rows: 30, columns: width) { _, _ in stream.normal() },
        Matrix(rows: 30, columns: width) { _, _ in stream.normal() },
      ])
    var recipe = Recipe()
    recipe.method = .lasso
    recipe.degree = 3
    let problem = await #expect(throws: DataProblem.self) {
      try await EnsembleTraining(recipe: recipe, members: 1, seed: 1, threads: 1).run(on: data)
    }
    #expect(problem == .tooManyTerms(inputs: width, degree: 3, limit: 2000))
  }
}
