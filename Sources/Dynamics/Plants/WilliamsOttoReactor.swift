import LinearAlgebra

/// The reactor of Williams & Otto (1960): A + B → C, B + C → E + P, C + P → G, mass fractions that add up to
/// one.
public struct WilliamsOttoReactor: Plant {
  public let name = "williams-otto"
  public let timeStep = 20.0
  public let states = ["A", "B", "C", "E", "P", "G"].map {
    Variable("X\($0)", unit: "1", longName: "mass fraction of \($0)", role: .state)
  }
  public let controls = [
    Variable("FA", unit: "kg/s", longName: "feed of A", role: .control),
    Variable("FB", unit: "kg/s", longName: "feed of B", role: .control),
    Variable("Tr", unit: "degC", longName: "temperature", role: .control),
  ]

  public init() {}

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    let kelvin = u[2] + S(273.15)
    func rate(_ factor: Double, _ temperature: Double, _ a: S, _ b: S) -> S {
      S(factor) * S.exp(S(-temperature) / kelvin) * a * b
    }
    let first = rate(1.6599e6, 6666.7, x[0], x[1])
    let second = rate(7.2117e8, 8333.3, x[1], x[2])
    let third = rate(2.6745e12, 11_111, x[2], x[4])
    let hold = S(2105)
    let renewal = (u[0] + u[1]) / hold
    rates[0] = u[0] / hold - renewal * x[0] - first
    rates[1] = u[1] / hold - renewal * x[1] - first - second
    rates[2] = S(2) * first - S(2) * second - third - renewal * x[2]
    rates[3] = S(2) * second - renewal * x[3]
    rates[4] = second - S(0.5) * third - renewal * x[4]
    rates[5] = S(1.5) * third - renewal * x[5]
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    let usual = [0.1, 0.4, 0.03, 0.3, 0.1, 0.1]
    let drawn = usual.map { $0 * (0.05 + 0.95 * stream.uniform()) }
    let sum = drawn.reduce(0, +)
    return drawn.map { $0 / sum }
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls([1.4...2.3, 3...6, 70...100], hold: 5...60, mode: mode, stream: stream)
  }
}
