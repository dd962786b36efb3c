import CKernels

/// The activation of a layer's units, applied element by element.
///
/// One row of `properties` per function describes it completely; values, slopes and curvatures are computed in C,
/// by the same code here and in the kernels.
public enum Activation: Hashable, Sendable {
  case identity, relu, silu, tanh
  /// φ(z) = z²: products are made of it, ab = ((a + b)/2)² − ((a − b)/2)².
  case square
  /// 1/(1 + e⁻ᶻ)
  case sigmoid
  /// ln(1 + eᶻ)
  case softplus
  /// z Φ(z), Φ the normal distribution (Hendrycks & Gimpel 2016).
  case gelu
  /// ½ z (1 + tanh √(2/π)(z + 0.044715 z³)), which many libraries call GELU.
  case geluByTanh
  /// γ z for z > 0, else γ α (eᶻ − 1), γ = 1.0507…, α = 1.6733… (Klambauer et al. 2017).
  case selu
  /// z/(1 + |z|)
  case softsign
  /// z within 0 … 1, and the nearer of both outside; HardSigmoid, ReLU6 and Clip are this one scaled.
  case clip
  /// z · clip(z/6 + ½)
  case hardSwish
  /// z tanh ln(1 + eᶻ)
  case mish
  /// The error function.
  case errorFunction
  case exponential, sine, cosine
  /// z for z > 0, else `slope` · z.
  case leakyRelu(slope: Double)
  /// z for z > 0, else `scale` (eᶻ − 1).
  case elu(scale: Double)

  /// The properties of a function besides its values.
  struct Properties {
    var name: String
    var code: UInt32
    /// The interval in which φ′ lies everywhere.
    var slopes: ClosedRange<Double>
    /// Variance of the initial weights, times the fan-in (He et al. 2015, Glorot & Bengio 2010).
    var gain = 2.0
    var isPiecewiseLinear = false
    /// Whether the float kernels implement it, so that it can be trained.
    var isTrainable = false
  }

  var properties: Properties {
    switch self {
    case .identity:
      Properties(
        name: "identity", code: UInt32(FILIGREE_IDENTITY), slopes: 1...1, isPiecewiseLinear: true,
        isTrainable: true)
    case .relu:
      Properties(
        name: "relu", code: UInt32(FILIGREE_RELU), slopes: 0...1, isPiecewiseLinear: true,
        isTrainable: true)
    // Its extremes are at z = ±2.3994.
    case .silu:
      Properties(
        name: "silu", code: UInt32(FILIGREE_SILU),
        slopes: -0.0998393201288670...1.0998393201288670, isTrainable: true)
    case .tanh:
      Properties(
        name: "tanh", code: UInt32(FILIGREE_TANH), slopes: 0...1, gain: 1, isTrainable: true)
    case .square:
      Properties(
        name: "square", code: UInt32(FILIGREE_SQUARE), slopes: -.infinity ... .infinity,
        isTrainable: true)
    case .sigmoid:
      Properties(name: "sigmoid", code: UInt32(FILIGREE_SIGMOID), slopes: 0...0.25, gain: 16)
    case .softplus:
      Properties(name: "softplus", code: UInt32(FILIGREE_SOFTPLUS), slopes: 0...1)
    // φ″ = (2 − z²) ϕ(z) vanishes at ±√2.
    case .gelu:
      Properties(
        name: "gelu", code: UInt32(FILIGREE_GELU),
        slopes: -0.1289041451851550...1.1289041451851552)
    // Found numerically (z = ±1.4155…), and rounded outward.
    case .geluByTanh:
      Properties(
        name: "gelu-tanh", code: UInt32(FILIGREE_GELU_BY_TANH), slopes: -0.1290842...1.1290842)
    case .selu:
      Properties(
        name: "selu", code: UInt32(FILIGREE_SELU), slopes: 0...1.7580993408473769, gain: 1)
    case .softsign:
      Properties(name: "softsign", code: UInt32(FILIGREE_SOFTSIGN), slopes: 0...1, gain: 1)
    case .clip:
      Properties(
        name: "clip", code: UInt32(FILIGREE_CLIP), slopes: 0...1, isPiecewiseLinear: true)
    case .hardSwish:
      Properties(name: "hard-swish", code: UInt32(FILIGREE_HARD_SWISH), slopes: -0.5...1.5)
    // Found numerically (z = −2.2564…, 1.4907…), and rounded outward.
    case .mish:
      Properties(name: "mish", code: UInt32(FILIGREE_MISH), slopes: -0.1131...1.0890)
    case .errorFunction:
      Properties(
        name: "erf", code: UInt32(FILIGREE_ERF), slopes: 0...1.1283791670955126, gain: 1)
    case .exponential:
      Properties(name: "exp", code: UInt32(FILIGREE_EXP), slopes: 0 ... .infinity)
    case .sine: Properties(name: "sin", code: UInt32(FILIGREE_SIN), slopes: -1...1, gain: 1)
    case .cosine: Properties(name: "cos", code: UInt32(FILIGREE_COS), slopes: -1...1, gain: 1)
    case .leakyRelu(let slope):
      Properties(
        name: "leaky-relu(\(Float(slope)))", code: UInt32(FILIGREE_LEAKY_RELU),
        slopes: min(1, slope)...max(1, slope), gain: 2 / (1 + slope * slope),
        isPiecewiseLinear: true)
    case .elu(let scale):
      Properties(
        name: "elu(\(Float(scale)))", code: UInt32(FILIGREE_ELU),
        slopes: min(0, scale)...max(1, scale), gain: 1.5)
    }
  }

  /// The parameter of the function; 0 if it has none.
  var parameter: Double {
    switch self {
    case .leakyRelu(let slope): slope
    case .elu(let scale): scale
    default: 0
    }
  }

  var code: UInt32 { properties.code }

  /// The interval in which φ′ lies everywhere.
  public var slopeRange: ClosedRange<Double> { properties.slopes }
  /// Variance of the initial weights, times the fan-in.
  public var gain: Double { properties.gain }
  public var isPiecewiseLinear: Bool { properties.isPiecewiseLinear }
  public var isTrainable: Bool { properties.isTrainable }

  /// φ(z)
  public func value(_ z: Double) -> Double { filigree_activation(code, parameter, 0, z) }

  /// φ′(z); at a kink the slope on its left.
  public func slope(_ z: Double) -> Double { filigree_activation(code, parameter, 1, z) }

  /// φ″(z); 0 at kinks.
  public func curvature(_ z: Double) -> Double { filigree_activation(code, parameter, 2, z) }
}

extension Activation: CaseIterable {
  /// The functions without a parameter, and the others with a usual one.
  public static let allCases: [Activation] = [
    .identity, .relu, .silu, .tanh, .square, .sigmoid, .softplus, .gelu, .geluByTanh, .selu,
    .softsign, .clip, .hardSwish, .mish, .errorFunction, .exponential, .sine, .cosine,
    .leakyRelu(slope: Double(Float(0.01))), .elu(scale: 1),
  ]
}

extension Activation: RawRepresentable, Codable {
  /// Its name, with the parameter in brackets where it has one.
  public var rawValue: String { properties.name }

  public init?(rawValue: String) {
    if let known = Self.allCases.first(where: { $0.rawValue == rawValue }) {
      self = known
      return
    }
    guard rawValue.hasSuffix(")"), let open = rawValue.firstIndex(of: "("),
      let single = Float(rawValue[rawValue.index(after: open)...].dropLast()), single.isFinite
    else { return nil }
    // As files hold it.
    let number = Double(single)
    switch rawValue[..<open] {
    case "leaky-relu": self = .leakyRelu(slope: number)
    case "elu": self = .elu(scale: number)
    default: return nil
    }
  }
}
