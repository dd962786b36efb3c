import LinearAlgebra

/// A driven Duffing oscillator with two wells (Guckenheimer & Holmes 1983, 2.2):
/// ẍ = −0.3 ẋ + x − x³ + u.
public struct DuffingOscillator: Plant {
  public let name = "duffing"
  public let timeStep = 0.05
  public let states = [
    Variable("position", unit: "m", longName: "displacement", role: .state),
    Variable("velocity", unit: "m/s", longName: "velocity", role: .state),
  ]
  public let controls = [
    Variable("force", unit: "N/kg", longName: "force per mass", role: .control)
  ]

  private let damping: Double
  private let linear: Double
  private let cubic: Double

  public init() { self.init(damping: 0.3, linear: 1, cubic: 1) }

  private init(damping: Double, linear: Double, cubic: Double) {
    (self.damping, self.linear, self.cubic) = (damping, linear, cubic)
  }

  /// Each constant drawn uniformly within 20 % of its own.
  public func varied(seed: UInt64) -> DuffingOscillator? {
    var stream = RandomStream(seed: seed, path: [3])
    var factor: Double { 0.8 + 0.4 * stream.uniform() }
    return DuffingOscillator(damping: 0.3 * factor, linear: factor, cubic: factor)
  }

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    rates[0] = x[1]
    rates[1] = u[0] + S(linear) * x[0] - S(cubic) * x[0] * x[0] * x[0] - S(damping) * x[1]
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    [Double(stream.integer(in: -150...150)) / 100, Double(stream.integer(in: -100...100)) / 100]
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> Operator {
    Operator(mode: mode, stream: stream)
  }

  public struct Operator: PlantOperator {
    let mode: ExcitationMode
    var stream: RandomStream
    var level = SteppedSignal(levels: -100...100, intervals: 10...100)

    public mutating func controls(sample: Int, state: [Double]) -> [Double] {
      switch mode {
      case .aprbs: [Double(level.next(&stream)) / 100]
      case .operation: [0.5 * .cos(0.06 * Double(sample))]
      }
    }
  }
}
