import LinearAlgebra

/// Van de Vusse's reactions A → B → C, 2 A → D in a cooled stirred tank (Klatt & Engell 1998).
public struct VanDeVusseReactor: Plant {
  public let name = "van-de-vusse"
  public let timeStep = 20.0
  public let states = [
    Variable("CA", unit: "mol/L", longName: "concentration of A", role: .state),
    Variable("CB", unit: "mol/L", longName: "concentration of B", role: .state),
    Variable("T", unit: "K", longName: "temperature of the reactor", role: .state),
    Variable("Tk", unit: "K", longName: "temperature of the coolant", role: .state),
  ]
  public let controls = [
    Variable("q", unit: "1/h", longName: "feed over volume", role: .control),
    Variable("Qk", unit: "kJ/h", longName: "heat taken from the coolant", role: .control),
    Variable("CA0", unit: "mol/L", longName: "concentration of A in the feed", role: .control),
    Variable("T0", unit: "K", longName: "temperature of the feed", role: .control),
  ]

  public init() {}

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    let first = S(1.287e12) * S.exp(S(-9758.3) / x[2])
    let (toB, toC) = (first * x[0], first * x[1])
    let toD = S(9.043e9) * S.exp(S(-8560) / x[2]) * x[0] * x[0]
    let capacity = 0.9342 * 3.01
    let exchange = S(4032 * 0.215) * (x[3] - x[2])
    let heat = S(4.2) * toB - S(11) * toC - S(41.85) * toD
    // Per hour, over 3600.
    rates[0] = (u[0] * (u[2] - x[0]) - toB - toD) / S(3600)
    rates[1] = (toB - toC - u[0] * x[1]) / S(3600)
    rates[2] =
      (u[0] * (u[3] - x[2]) - heat / S(capacity) + exchange / S(10 * capacity)) / S(3600)
    rates[3] = (u[1] - exchange) / S(36_000)
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    stream.uniform(in: [1...3, 0.6...1.1, 380...410, 375...405])
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls(
      [5...25, -2000...0, 4.5...5.7, 395...410], hold: 10...80, mode: mode, stream: stream)
  }
}
