import LinearAlgebra

/// Lorenz's model of 1996 on a ring: ẋ_i = (x_{i+1} − x_{i−2}) x_{i−1} − x_i + 8 + u, each control pushing a
/// quarter of the ring.
public struct Lorenz96: Plant {
  public let name = "lorenz96"
  public let timeStep = 0.02
  public let states: [Variable]
  public let controls: [Variable]

  /// - Parameter size: how many states; at least four.
  public init(size: Int = 20) {
    precondition(size >= 4)
    states = (0..<size).map { Variable("x\($0)", unit: "1", role: .state) }
    controls = (0..<4).map { Variable("u\($0)", unit: "1", role: .control) }
  }

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    let size = x.count
    for i in 0..<size {
      let (next, before, beforeThat) = (
        x[(i + 1) % size], x[(i + size - 1) % size], x[(i + size - 2) % size]
      )
      rates[i] = (next - beforeThat) * before - x[i] + S(8) + u[i * u.count / size]
    }
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    states.map { _ in 8 + stream.normal() }
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls(
      Array(repeating: -4...4, count: controls.count), hold: 10...100, mode: mode, stream: stream)
  }
}
