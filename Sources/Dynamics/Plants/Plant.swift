import LinearAlgebra

/// How the controls of a simulated plant move.
public enum ExcitationMode: String, CaseIterable, Sendable {
  /// Random steps and impulses around the controllers' actions, for training and test data.
  case aprbs
  /// The controllers alone, with smooth periodic variation: deterministic given the initial state.
  case operation
}

/// Sets a plant's controls, sample by sample, from its state and its own memory.
public protocol PlantOperator {
  /// The controls to hold during the step that begins at `sample`.
  mutating func controls(sample: Int, state: [Double]) -> [Double]
}

/// A dynamical system ẋ = f(x, u) with states x and controls u.
///
/// A new plant is one file: a type that conforms, and a line in `PlantCatalogue`. The equations are generic over
/// their number type, so that one source gives rates in `Double` and exact derivatives in `Dual`. The requirements
/// under "Given" have default implementations; they are requirements so that loops are compiled for the equations
/// of each plant.
public protocol Plant: Sendable {
  associatedtype Operator: PlantOperator

  var name: String { get }
  var states: [Variable] { get }
  var controls: [Variable] { get }
  /// Quantities computed from state and controls that are measured but drive nothing.
  var observables: [Variable] { get }
  /// Δt in seconds, the sampling step for which the plant's controllers are designed.
  var timeStep: Double { get }
  /// The domain of the model in words; empty where it is unlimited.
  var domain: String { get }

  /// f(x, u), per second.
  func rates<Scalar: PlantScalar>(state: [Scalar], controls: [Scalar], into rates: inout [Scalar])
  func observe<Scalar: PlantScalar>(state: [Scalar], controls: [Scalar]) -> [Scalar]
  func initialState(_ stream: inout RandomStream) -> [Double]
  func makeOperator(mode: ExcitationMode, stream: RandomStream) -> Operator
  /// Whether the equations hold at this point.
  func isInDomain(state: [Double], controls: [Double]) -> Bool

  // Given:
  /// This plant with constants drawn at random near its own; nil for a plant without variants.
  func varied(seed: UInt64) -> Self?
  func trajectory(
    initialState: [Double], mode: ExcitationMode, stream: RandomStream, samples: Int
  ) -> SimulatedTrajectory
  func roll(state: inout [Double], controls: Matrix, timeStep: Double) -> Matrix
  func rateJacobian(state: [Double], controls: [Double]) -> Matrix
  func increment(state: [Double], controls: [Double]) -> [Double]
  func incrementJacobian(state: [Double], controls: [Double]) -> Matrix
}

/// One simulated trajectory: samples × (states + controls + observables).
public struct SimulatedTrajectory: Sendable {
  public var samples: Matrix
  public var samplesOutsideDomain: Int
  /// The first sample with a value that is not finite, if any; all later samples are zero.
  public var failedAt: Int?
}

extension Plant {
  public var observables: [Variable] { [] }
  public func varied(seed: UInt64) -> Self? { nil }
  public var domain: String { "" }
  public var variables: [Variable] { states + controls }

  public func observe<Scalar: PlantScalar>(state: [Scalar], controls: [Scalar]) -> [Scalar] { [] }
  public func isInDomain(state: [Double], controls: [Double]) -> Bool { true }

  /// Runs the plant from `initialState`: at each sample the operator sees the new state and sets the
  /// controls, which are held for one step.
  public func trajectory(
    initialState: [Double], mode: ExcitationMode, stream: RandomStream, samples: Int
  ) -> SimulatedTrajectory {
    let width = states.count + controls.count + observables.count
    var result = SimulatedTrajectory(
      samples: Matrix(rows: samples, columns: width), samplesOutsideDomain: 0, failedAt: nil)
    var plantOperator = makeOperator(mode: mode, stream: stream)
    var integrator = RungeKutta4<Double>(stateCount: states.count)
    var state = initialState
    let step = timeStep
    let hasObservables = !observables.isEmpty
    for sample in 0..<samples {
      let controls = plantOperator.controls(sample: sample, state: state)
      guard state.allSatisfy(\.isFinite), controls.allSatisfy(\.isFinite) else {
        result.failedAt = sample
        return result
      }
      if !isInDomain(state: state, controls: controls) { result.samplesOutsideDomain += 1 }
      var column = sample * width
      for value in state {
        result.samples.elements[column] = value
        column += 1
      }
      for value in controls {
        result.samples.elements[column] = value
        column += 1
      }
      if hasObservables {
        for value in observe(state: state, controls: controls) {
          result.samples.elements[column] = value
          column += 1
        }
      }
      integrator.advance(self, state: &state, controls: controls, timeStep: step)
    }
    return result
  }

  /// Moves `state` under the given controls (samples × controls) and returns its value at each of these samples
  /// (samples × states).
  public func roll(state: inout [Double], controls: Matrix, timeStep: Double) -> Matrix {
    var path = Matrix(rows: controls.rows, columns: states.count)
    var integrator = RungeKutta4<Double>(stateCount: states.count)
    for sample in 0..<controls.rows {
      for index in state.indices { path[sample, index] = state[index] }
      integrator.advance(
        self, state: &state, controls: Array(controls.row(sample)), timeStep: timeStep)
    }
    return path
  }

  /// ∂f/∂(x, u), states × (states + controls), exact to rounding.
  public func rateJacobian(state: [Double], controls: [Double]) -> Matrix {
    jacobian(state: state, controls: controls) { plant, state, controls in
      var rates = Array(repeating: Dual.zero, count: state.count)
      plant.rates(state: state, controls: controls, into: &rates)
      return rates
    }
  }

  /// The increment F(x, u) = (x(t + Δt) − x(t))/Δt of the one-step map, controls held, by one step of the classical
  /// Runge-Kutta method. It is computed as the weighted mean of the stages, hence without cancellation.
  public func increment(state: [Double], controls: [Double]) -> [Double] {
    var integrator = RungeKutta4<Double>(stateCount: states.count)
    return integrator.increment(self, state: state, controls: controls, timeStep: timeStep)
  }

  /// ∂F/∂(x, u), states × (states + controls), exact to rounding.
  public func incrementJacobian(state: [Double], controls: [Double]) -> Matrix {
    let step = timeStep
    return jacobian(state: state, controls: controls) { plant, state, controls in
      var integrator = RungeKutta4<Dual>(stateCount: state.count)
      return integrator.increment(plant, state: state, controls: controls, timeStep: step)
    }
  }

  private func jacobian(
    state: [Double], controls: [Double], of function: (Self, [Dual], [Dual]) -> [Dual]
  ) -> Matrix {
    let width = state.count + controls.count
    var result = Matrix(rows: state.count, columns: width)
    for first in stride(from: 0, to: width, by: Dual.directionCount) {
      let directions = first..<min(width, first + Dual.directionCount)
      func seed(_ values: [Double], from offset: Int) -> [Dual] {
        values.enumerated().map { index, value in
          directions.contains(offset + index)
            ? Dual(value, direction: offset + index - first) : Dual(value)
        }
      }
      let rates = function(self, seed(state, from: 0), seed(controls, from: state.count))
      for (row, rate) in rates.enumerated() {
        for column in directions { result[row, column] = rate.derivatives[column - first] }
      }
    }
    return result
  }
}

/// The classical fourth-order Runge-Kutta method with its stages kept between steps.
public struct RungeKutta4<Scalar: PlantScalar> {
  private var stages: [[Scalar]]
  private var point: [Scalar]

  public init(stateCount: Int) {
    point = Array(repeating: .zero, count: stateCount)
    stages = Array(repeating: point, count: 4)
  }

  /// x ← x(t + Δt), controls held.
  public mutating func advance(
    _ plant: some Plant, state: inout [Scalar], controls: [Scalar], timeStep: Double
  ) {
    evaluateStages(plant, state: state, controls: controls, timeStep: timeStep)
    let step = Scalar(timeStep)
    for i in state.indices { state[i] += step * mean(i) }
  }

  /// (x(t + Δt) − x(t))/Δt, controls held.
  public mutating func increment(
    _ plant: some Plant, state: [Scalar], controls: [Scalar], timeStep: Double
  ) -> [Scalar] {
    evaluateStages(plant, state: state, controls: controls, timeStep: timeStep)
    return state.indices.map { mean($0) }
  }

  private mutating func evaluateStages(
    _ plant: some Plant, state: [Scalar], controls: [Scalar], timeStep: Double
  ) {
    let half = Scalar(timeStep / 2)
    let whole = Scalar(timeStep)
    plant.rates(state: state, controls: controls, into: &stages[0])
    for i in state.indices { point[i] = state[i] + half * stages[0][i] }
    plant.rates(state: point, controls: controls, into: &stages[1])
    for i in state.indices { point[i] = state[i] + half * stages[1][i] }
    plant.rates(state: point, controls: controls, into: &stages[2])
    for i in state.indices { point[i] = state[i] + whole * stages[2][i] }
    plant.rates(state: point, controls: controls, into: &stages[3])
  }

  private func mean(_ i: Int) -> Scalar {
    let middle = stages[1][i] + stages[2][i]
    return (stages[0][i] + middle + middle + stages[3][i]) / Scalar(6.0)
  }
}
