import LinearAlgebra

/// Four tanks fed by two pumps, the upper ones draining into the lower (Johansson, IEEE Transactions on Control
/// Systems Technology 8, 2000, the minimum-phase setting): outflow a √(2 g h).
public struct QuadrupleTank: Plant {
  public let name = "quadruple-tank"
  public let timeStep = 5.0
  public let domain = "levels above zero"
  public let states = (1...4).map {
    Variable("h\($0)", unit: "cm", longName: "level of tank \($0)", role: .state)
  }
  public let controls = (1...2).map {
    Variable("v\($0)", unit: "V", longName: "voltage of pump \($0)", role: .control)
  }

  public init() {}

  public func rates<S: PlantScalar>(state h: [S], controls v: [S], into rates: inout [S]) {
    // cm², outlets and floors of the tanks; flows in cm³/s.
    let outlets = [0.071, 0.057, 0.071, 0.057]
    let floors = [28.0, 32, 28, 32]
    let out = (0..<4).map { S(outlets[$0]) * S.sqrt(S(2 * 981) * h[$0]) }
    let (first, second) = (S(3.33) * v[0], S(3.35) * v[1])
    rates[0] = (out[2] - out[0] + S(0.7) * first) / S(floors[0])
    rates[1] = (out[3] - out[1] + S(0.6) * second) / S(floors[1])
    rates[2] = (S(0.4) * second - out[2]) / S(floors[2])
    rates[3] = (S(0.3) * first - out[3]) / S(floors[3])
  }

  public func isInDomain(state: [Double], controls: [Double]) -> Bool {
    state.allSatisfy { $0 > 0 }
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    stream.uniform(in: [5...20, 5...20, 0.5...4, 0.5...4])
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls([1.5...5, 1.5...5], hold: 5...40, mode: mode, stream: stream)
  }
}
