import LinearAlgebra

/// A chain of unit masses between two walls, with springs d + ½ d³ and dampers 0.2 ḋ, d the elongation of a spring;
/// forces act on the two ends and the middle.
public struct SpringChain: Plant {
  public let name = "springs"
  public let timeStep = 0.1
  public let states: [Variable]
  public let controls: [Variable]
  private let masses: Int
  private let pushed: [Int]

  /// - Parameter masses: at least three; twice as many states.
  public init(masses: Int = 10) {
    precondition(masses >= 3)
    self.masses = masses
    pushed = [0, (masses - 1) / 2, masses - 1]
    states =
      (0..<masses).map { Variable("x\($0)", unit: "m", role: .state) }
      + (0..<masses).map { Variable("v\($0)", unit: "m/s", role: .state) }
    controls = (0..<3).map { Variable("F\($0)", unit: "N", role: .control) }
  }

  public func rates<S: PlantScalar>(state: [S], controls u: [S], into rates: inout [S]) {
    for i in 0..<masses {
      rates[i] = state[masses + i]
      rates[masses + i] = .zero
    }
    for spring in 0...masses {
      let (left, right) = (spring - 1, spring)
      let stretch = (right < masses ? state[right] : .zero) - (left >= 0 ? state[left] : .zero)
      let speed =
        (right < masses ? state[masses + right] : .zero)
        - (left >= 0 ? state[masses + left] : .zero)
      let force = stretch + S(0.5) * stretch * stretch * stretch + S(0.2) * speed
      if left >= 0 { rates[masses + left] += force }
      if right < masses { rates[masses + right] -= force }
    }
    for (control, mass) in pushed.enumerated() { rates[masses + mass] += u[control] }
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    states.map { _ in 0.3 * stream.normal() }
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls(
      Array(repeating: -1.5...1.5, count: controls.count), hold: 5...60, mode: mode,
      stream: stream)
  }
}
