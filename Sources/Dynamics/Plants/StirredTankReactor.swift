import LinearAlgebra

/// A non-isothermal stirred-tank reactor with a cooling jacket, A → B (Seborg, Edgar, Mellichamp & Doyle, Process
/// Dynamics and Control, example 2.5), with a feed dilute enough not to ignite.
public struct StirredTankReactor: Plant {
  public let name = "stirred-tank"
  public let timeStep = 3.0
  public let states = [
    Variable("CA", unit: "mol/L", longName: "concentration of A", role: .state),
    Variable("T", unit: "K", longName: "temperature of the reactor", role: .state),
    Variable("Tj", unit: "K", longName: "temperature of the jacket", role: .state),
  ]
  public let controls = [
    Variable("q", unit: "L/min", longName: "feed", role: .control),
    Variable("CAf", unit: "mol/L", longName: "concentration of A in the feed", role: .control),
    Variable("Tf", unit: "K", longName: "temperature of the feed", role: .control),
    Variable("qc", unit: "L/min", longName: "coolant", role: .control),
  ]

  public init() {}

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    let reaction = S(7.2e10) * S.exp(S(-8750) / x[1]) * x[0]
    let exchange = S(5e4) * (x[1] - x[2])
    // Per minute, over sixty.
    let renewal = u[0] / S(100)
    rates[0] = (renewal * (u[1] - x[0]) - reaction) / S(60)
    rates[1] =
      (renewal * (u[2] - x[1]) + S(5e4 / 239) * reaction - exchange / S(23_900)) / S(60)
    rates[2] = (u[3] / S(5) * (S(285) - x[2]) + exchange / S(20_900)) / S(60)
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    stream.uniform(in: [0.2...0.35, 335...350, 310...325])
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls(
      [85...115, 0.42...0.54, 344...352, 5...9], hold: 10...80, mode: mode, stream: stream)
  }
}
