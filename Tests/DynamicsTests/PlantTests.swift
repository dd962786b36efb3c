import Dynamics
import LinearAlgebra
import TestSupport
import Testing

/// Values and Jacobians against an independent NumPy program (complex-step derivatives, checked in
/// 60-digit arithmetic); see Fixtures/PROVENANCE.md.
@Suite struct PlantTests {
  struct Reference: Decodable {
    struct Point: Decodable {
      var state: [Double]
      var controls: [Double]
      var derivative: [Double]
      var increment: [Double]
      var derivativeJacobian: [[Double]]
      var incrementJacobian: [[Double]]
      var liquidus: Double?
      var bathVoltage: Double?
    }

    struct Operation: Decodable {
      var initialState: [Double]
      var sample: [Int]
      var state: [[Double]]
      var controls: [[Double]]
    }

    var step: Double
    var points: [Point]
    var operation: Operation?
    var operationWithFeeding: Operation?
  }

  @Test(arguments: ["electrolysis", "duffing"])
  func ratesAndJacobiansAgreeWithNumPy(name: String) throws {
    let plant = try #require(PlantCatalogue.plant(named: name))
    let reference = try Fixture.json("plant/\(name).json", as: Reference.self)
    #expect(plant.timeStep == reference.step)
    for point in reference.points { try check(plant, point) }
  }

  private func check(_ plant: some Plant, _ point: Reference.Point) throws {
    var rates = [Double](repeating: 0, count: point.state.count)
    plant.rates(state: point.state, controls: point.controls, into: &rates)
    #expect(relativeError(rates, point.derivative) < 1e-10)
    let increment = plant.increment(state: point.state, controls: point.controls)
    #expect(relativeError(increment, point.increment) < 1e-10)
    let jacobian = plant.rateJacobian(state: point.state, controls: point.controls)
    #expect(jacobian.largestRelativeError(against: Matrix(point.derivativeJacobian)) < 1e-9)
    let stepJacobian = plant.incrementJacobian(state: point.state, controls: point.controls)
    #expect(stepJacobian.largestRelativeError(against: Matrix(point.incrementJacobian)) < 1e-9)
    if let voltage = point.bathVoltage, let liquidus = point.liquidus {
      let observed = plant.observe(state: point.state, controls: point.controls)
      #expect(relativeError(observed, [voltage, liquidus]) < 1e-12)
    }
  }

  @Test func operationFollowsTheReferenceTrajectories() throws {
    let reference = try Fixture.json("plant/electrolysis.json", as: Reference.self)
    for operation in [reference.operation, reference.operationWithFeeding] {
      let expected = try #require(operation)
      let trajectory = ElectrolysisCell().trajectory(
        initialState: expected.initialState, mode: .operation, stream: RandomStream(seed: 9),
        samples: 1 + (expected.sample.max() ?? 0))
      for (row, sample) in expected.sample.enumerated() {
        let values = Array(trajectory.samples.row(sample))
        #expect(relativeError(Array(values[..<8]), expected.state[row]) < 1e-10)
        #expect(relativeError(Array(values[8..<13]), expected.controls[row]) < 1e-10)
      }
    }
  }

  /// Alumina, fluoride, metal and ledge plus cryolite only integrate: their rates depend on controls
  /// alone, so the one-step map has four eigenvalues that are exactly one.
  @Test func fourCombinationsOnlyIntegrate() {
    let cell = ElectrolysisCell()
    var stream = RandomStream(seed: 5)
    for _ in 0..<20 {
      let jacobian = cell.incrementJacobian(
        state: cell.initialState(&stream), controls: [0, 140_000, 0, 0, 0.05])
      for state in 0..<8 {
        #expect(jacobian[1, state] == 0 && jacobian[2, state] == 0 && jacobian[4, state] == 0)
        let scale = abs(jacobian[0, state]) + 1e-30
        #expect(abs(jacobian[0, state] + jacobian[3, state]) < 1e-10 * scale)
      }
    }
  }

  @Test func theDomainEndsAt221PercentAlumina() {
    let cell = ElectrolysisCell()
    func state(_ share: Double) -> [Double] {
      [3000, share * 10_000, 1000, 9000 - share * 10_000, 9900, 970, 820, 580]
    }
    #expect(!cell.isInDomain(state: state(0.0220), controls: []))
    #expect(cell.isInDomain(state: state(0.0222), controls: []))
  }
}

@Suite struct DualTests {
  /// Written once for any number type, as the equations of a plant are.
  enum Function: CaseIterable {
    case exp, expMinusOne, log, logOnePlus, sin, cos, tan, tanh, atan
    case sqrt, fifthPower, selfPower, quotient

    func callAsFunction<S: PlantScalar>(_ x: S) -> S {
      switch self {
      case .exp: S.exp(x)
      case .expMinusOne: S.expMinusOne(x)
      case .log: S.log(x)
      case .logOnePlus: S.log(onePlus: x)
      case .sin: S.sin(x)
      case .cos: S.cos(x)
      case .tan: S.tan(x)
      case .tanh: S.tanh(x)
      case .atan: S.atan(x)
      case .sqrt: S.sqrt(x)
      case .fifthPower: S.pow(x, 5)
      case .selfPower: S.pow(x, x)
      case .quotient: (1 + x) / (x * x - 3)
      }
    }
  }

  /// Against a central difference.
  @Test(arguments: Function.allCases, [0.3, 0.71])
  func derivativesAgreeWithDifferences(function: Function, x: Double) {
    let h = 1e-6
    let result = function(Dual(x, direction: 3))
    let difference = (function(x + h) - function(x - h)) / (2 * h)
    #expect(abs(result.value - function(x)) <= 1e-15 * max(1, abs(function(x))))
    #expect(abs(result.derivatives[3] - difference) < 1e-8 * max(1, abs(difference)))
    #expect(result.derivatives[2] == 0)
  }
}
