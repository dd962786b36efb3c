import LinearAlgebra

/// Ten phase oscillators on a sparse graph (Kuramoto 1975), two of them tied to a grid:
/// θ̇_i = ω_i + Σ_k K_ik sin(θ_k − θ_i) − g_i sin θ_i + u.
public struct KuramotoOscillators: Plant {
  public let name = "kuramoto"
  public let timeStep = 0.05
  public let states = (0..<10).map { Variable("t\($0)", unit: "rad", role: .state) }
  public let controls = (0..<4).map { Variable("u\($0)", unit: "1/s", role: .control) }

  private static let couplings: [(Int, Int, Double)] = [
    (0, 1, 1.3), (0, 2, 1.8), (1, 3, 1.1), (2, 4, 1.6), (2, 5, 1.2), (3, 6, 1.9), (5, 7, 1.4),
    (5, 8, 1.7), (8, 9, 1.5), (1, 7, 1.2), (4, 9, 1.4), (3, 8, 1.1),
  ]
  private static let frequencies = [
    0.31, -0.22, 0.14, -0.41, 0.27, 0.05, -0.18, 0.36, -0.09, -0.23,
  ]
  private static let pushed = [1, 4, 6, 9]
  private static let tied = [0, 5]

  public init() {}

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    for i in x.indices { rates[i] = S(Self.frequencies[i]) }
    for (a, b, strength) in Self.couplings {
      let pull = S(strength) * S.sin(x[b] - x[a])
      rates[a] += pull
      rates[b] -= pull
    }
    for i in Self.tied { rates[i] -= S.sin(x[i]) }
    for (control, i) in Self.pushed.enumerated() { rates[i] += u[control] }
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    states.map { _ in 0.4 * stream.normal() }
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls(
      Array(repeating: -1.2...1.2, count: controls.count), hold: 10...60, mode: mode,
      stream: stream)
  }
}
