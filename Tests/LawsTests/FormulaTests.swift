import Dynamics
import Laws
import LinearAlgebra
import Networks
import Testing

/// ẋ = −a x + b u v, y = c x, sampled with u and v held: the map is known, so that a network is exactly it.
struct ProductPlant {
  let a = 0.5
  let b = 0.3
  let timeStep = 0.4

  var variables: [Variable] {
    [
      Variable("x", unit: "kg", role: .state), Variable("u", unit: "m", role: .control),
      Variable("v", unit: "s", role: .control),
    ]
  }

  /// (x(t + Δt) − x(t))/Δt = slope · x + gain · u v
  var slope: Double { Double.expMinusOne(-a * timeStep) / timeStep }
  var gain: Double { -slope * b / a }

  /// u v = ((u + v)/2)² − ((u − v)/2)²
  func model(error: Double = 0) -> Model {
    let gain = gain * (1 + error)
    let network = Network(
      inputCount: 3,
      layers: [
        .init(
          name: "squares", activation: .square, bias: [0, 0],
          connections: [
            .init(source: .inputs, weight: Matrix([[0, 0.5, 0.5], [0, 0.5, -0.5]]))
          ]),
        .init(
          name: "sum", activation: .identity, bias: [0],
          connections: [
            .init(source: .layer(0), weight: Matrix([[gain, -gain]])),
            .init(source: .inputs, weight: Matrix([[slope, 0, 0]])),
          ]),
      ], outputLayers: [1])
    return Model(
      network: network, inputs: variables, outputs: [variables[0].rate],
      inputScaling: .identity(3), outputScaling: .identity(1), timeStep: timeStep)
  }

  func data(trajectories: Int = 4, samples: Int = 120) throws -> Trajectories {
    let matrices = (0..<trajectories).map { number in
      var stream = RandomStream(seed: 5, path: [UInt64(number)])
      var state = stream.normal()
      return Matrix(
        (0..<samples).map { _ in
          let controls = [stream.normal(), 2 * stream.normal()]
          defer { state += timeStep * (slope * state + gain * controls[0] * controls[1]) }
          return [state] + controls
        })
    }
    return try Trajectories(variables: variables, timeStep: timeStep, samples: matrices)
  }
}

@Suite struct FormulaTests {
  private let plant = ProductPlant()

  /// The increment's slope is 9 % smaller than the rate's.
  @Test func theOracleGivesRatesAndNotIncrements() {
    #expect(abs(plant.slope / -plant.a - 1) > 0.08)
    let step = RateOracle([plant.model()], timeStep: plant.timeStep).step(from: [2, 0.5, -1.5])
    let increment = plant.slope * 2 + plant.gain * 0.5 * -1.5
    #expect(abs(step.increments[0] - increment) < 1e-12)
    // Of a series of six terms.
    #expect(abs(step.rates[0] - (-plant.a * 2 + plant.b * 0.5 * -1.5)) < 1e-5)
    #expect(abs(step.end[0] - (2 + plant.timeStep * increment)) < 1e-12)
    let decay = Double.exp(-plant.a * plant.timeStep / 2)
    let rest = plant.b / plant.a * 0.5 * -1.5
    #expect(abs(step.middle[0] - (rest + (2 - rest) * decay)) < 1e-6)
  }

  @Test func theRightHandSideIsFoundThroughTheStep() async throws {
    let ensemble = Ensemble(
      name: "product", members: [-1e-4, 0, 2e-4].map { plant.model(error: $0) })
    let found = try await Formulas(ensemble, try plant.data(), threads: 2)
    let law = found.outputs[0]
    #expect(law.isAccepted)
    let stated = law.stated
    #expect(stated.constant == nil && stated.formula.terms.count == 2)
    let product = try #require(
      stated.formula.terms.firstIndex { $0.variables == [1, 2] })
    let own = try #require(stated.formula.terms.firstIndex { $0.variables == [0] })
    // The members' mean gain is 1/30000 too large; RK4's own error of one step is 3e-5.
    #expect(abs(stated.coefficients[product].fitted - plant.b) < 3e-4 * plant.b)
    #expect(abs(stated.coefficients[own].fitted + plant.a) < 3e-4 * plant.a)
    let interval = try #require(stated.coefficients[product].interval)
    #expect(interval.contains(plant.b) && interval.upperBound - interval.lowerBound < 3e-4)
    // The simple number lies in the interval.
    #expect(stated.coefficients[product].isSnapped && stated.coefficients[product].value == 0.3)
    // Nothing simpler is as good.
    #expect(law.candidates[..<law.chosen].allSatisfy { $0.distance > 0.1 })
  }

  /// Where no term of the library makes the rate, no formula is said to be a law.
  @Test func whatIsNoFormulaIsNotAccepted() async throws {
    var wild = plant.model()
    wild.network.layers[0].activation = .sine
    wild.network.layers[0].connections[0].weight = Matrix([[0, 3, 1], [0, 1, -3]])
    let data = try plant.data()
    let found = try await Formulas(
      Ensemble(name: "wild", members: [wild]), data, threads: 1)
    #expect(found.outputs[0].isAccepted == false)
    let source = FormulaProgram.source(
      found.outputs, of: Ensemble(name: "wild", members: [wild]), in: .c)
    #expect(source.contains("rates[0] = NAN;"))
  }

  @Test func formulasAreTheSameForAnyNumberOfThreads() async throws {
    let ensemble = Ensemble(name: "product", members: [plant.model()])
    let data = try plant.data()
    let one = try await Formulas(ensemble, data, threads: 1)
    let three = try await Formulas(ensemble, data, threads: 3)
    #expect(one.outputs[0].stated.formula == three.outputs[0].stated.formula)
  }

  /// E is found from afar, beside a coefficient that changes by orders of magnitude with it.
  @Test func activationEnergiesAreFitted() throws {
    var stream = RandomStream(seed: 3)
    let points = (0..<300).map { _ in [stream.uniform() + 0.5, 340 + 20 * stream.uniform()] }
    let rate = points.map { 7.2e10 * Double.exp(-8750 / $0[1]) * $0[0] }
    let start = Term([
      Factor(.power(1), 0),
      Factor(.arrhenius(offset: 0), 1, parameter: 5000, reference: 350),
    ])
    let fit = try #require(FormulaFit([start], hasConstant: true, at: points, to: rate))
    #expect(abs(fit.formula.terms[0].factors[1].parameter - 8750) < 0.01)
    #expect(abs(fit.formula.constant) < 1e-8)
    let text = FormulaNotation.text.written(StatedFormula(fit.formula), names: ["CA", "T"])
    #expect(text.hasPrefix("7.200e10 CA exp(−8750.0/T)"), "\(text)")
  }

  @Test func dependentTermsAreRefused() {
    let points = (0..<20).map { [Double($0), 2 * Double($0)] }
    let terms = [Term([Factor(.power(1), 0)]), Term([Factor(.power(1), 1)])]
    #expect(
      FormulaFit(terms, hasConstant: true, at: points, to: points.map { $0[0] }) == nil)
  }

  @Test func constantsAreRoundedToWhatTheirIntervalSupports() {
    let wide = StatedConstant(8749.6, members: [8740, 8765, 8745])
    #expect(wide.value == 8750 && !wide.isSnapped)
    let one = StatedConstant(0.99998, members: [0.9999, 1.0001, 0.99995])
    #expect(one.value == 1 && one.isSnapped)
    // 1 lies outside.
    let near = StatedConstant(1.002, members: [1.0019, 1.0021, 1.002])
    #expect(near.value == 1.002 && !near.isSnapped)
    let alone = StatedConstant(0.123456, members: [0.123456])
    #expect(alone.value == 0.1235 && alone.interval == nil)
    // An interval that holds much says nothing of a simple number in it.
    #expect(!StatedConstant(0.97, members: [0.8, 1.1, 1.0]).isSnapped)
  }
}

@Suite struct NotationTests {
  private let names = ["m_sl", "T"]
  private func written(_ factor: Factor, _ notation: FormulaNotation) -> String {
    notation.written(
      StatedFormula(Formula(terms: [Term([factor])], coefficients: [-2])), names: names)
  }

  @Test func functionsAreWrittenInEveryNotation() {
    let root = Factor(.power(0.5), 0)
    #expect(written(root, .text) == "−2.000 √m_sl")
    #expect(written(root, .latex) == "-2.000 \\, \\sqrt{m_sl}")
    #expect(written(root, .c) == "-2.0*sqrt(fmax(0, m_sl))")
    #expect(written(root, .python) == "-2.0*sqrt(max(0.0, m_sl))")
    let sine = Factor(.sine, 0, minus: 1)
    #expect(written(sine, .text) == "−2.000 sin(m_sl − T)")
    #expect(written(sine, .sympy) == "-2.0*sin(m_sl - T)")
    #expect(written(Factor(.power(-1), 0), .sympy) == "-2.0*m_sl**(-1)")
    #expect(written(Factor(.power(2), 0, minus: 1), .c) == "-2.0*pow((m_sl - T), 2)")
    #expect(written(Factor(.saturation, 0, parameter: 0.5), .python) == "-2.0*m_sl/(0.5 + m_sl)")
  }

  @Test func namesBecomeIdentifiers() {
    let variables = ["x 1", "x_1", "for", "2nd", "Ölstand", "I"].map {
      Variable($0, role: .state)
    }
    let names = FormulaNotation.c.names(of: variables)
    #expect(names == ["x_1", "x_1_", "for_", "v_2nd", "v__lstand", "I_"])
    #expect(FormulaNotation.latex.names(of: variables)[1] == "\\mathrm{x}_{\\mathrm{1}}")
    #expect(FormulaNotation.text.names(of: variables) == variables.map(\.name))
  }
}
