import LinearAlgebra

extension Sparsifier {
  /// Thresholds that are learned, one for each layer: see `LearnedThresholds`.
  public static let softThreshold = Sparsifier(
    name: "soft-threshold", meaning: "thresholds that are learned", amount: .strength,
    selects: true, fullSteps: .all,
    pruner: { wired, strength in
      LearnedThresholds(
        layers: wired.weightsByLayer, parameters: wired.parameters.map { Float($0.value) },
        decay: Float(strength))
    })
}

/// Soft-threshold reparameterisation (Kusupati et al. 2020): the weights are w = sign(v) max(|v| − σ(s), 0)
/// of latent v with a threshold σ(s) = 1/(1 + e⁻ˢ) for each layer, s learned like v; λ decays v and s
/// alike, which draws s up and the thresholds with it.
struct LearnedThresholds: Pruner {
  let layers: [[Int]]
  let decay: Float
  private var v: [Float]
  private var s: [Float]
  private var moments: [(first: Float, second: Float)]
  private var slopes: [Float]

  /// Thresholds begin at σ(−8) = 0.0003.
  static let start: Float = -8

  init(layers: [[Int]], parameters: [Float], decay: Float) {
    self.layers = layers
    self.decay = decay
    v = parameters
    s = layers.map { _ in Self.start }
    moments = layers.map { _ in (0, 0) }
    slopes = layers.map { _ in 0 }
  }

  var latent: [Float] {
    get { v + s + moments.flatMap { [$0.first, $0.second] } }
    set {
      precondition(newValue.count == v.count + 3 * s.count)
      let rest = newValue.dropFirst(v.count)
      let pairs = Array(rest.dropFirst(s.count))
      moments = s.indices.map { (pairs[2 * $0], pairs[2 * $0 + 1]) }
      s = Array(rest.prefix(s.count))
      v = Array(newValue.prefix(v.count))
    }
  }

  private func threshold(_ layer: Int) -> Float { 1 / (1 + Float(Double.exp(-Double(s[layer])))) }

  /// The weights of latent `v`; biases are what they are.
  func weights(from v: [Float]) -> [Float] {
    var weights = v
    for (number, layer) in layers.enumerated() {
      let threshold = threshold(number)
      for index in layer {
        let shrunk = abs(v[index]) - threshold
        weights[index] = shrunk > 0 ? (v[index] < 0 ? -shrunk : shrunk) : 0
      }
    }
    return weights
  }

  mutating func prepare(_ all: inout WholeWeights) {
    for (number, layer) in layers.enumerated() {
      let threshold = threshold(number)
      var sum: Float = 0
      for index in layer {
        if abs(v[index]) > threshold {
          sum += v[index] < 0 ? -all.gradient[index] : all.gradient[index]
        } else {
          all.gradient[index] = 0
        }
        all.gradient[index] += decay * v[index]
      }
      slopes[number] = -threshold * (1 - threshold) * sum + decay * s[number]
    }
    all.parameters = v
  }

  mutating func finish(_ all: inout WholeWeights, _ step: PruningStep) {
    v = all.parameters
    for number in layers.indices {
      // Adam's own rule with its usual constants.
      moments[number].first += 0.1 * (slopes[number] - moments[number].first)
      moments[number].second +=
        0.001 * (slopes[number] * slopes[number] - moments[number].second)
      let scale = (moments[number].second * Float(step.correction2)).squareRoot() + 1e-8
      s[number] -=
        Float(step.learningRate * step.correction1) * moments[number].first / scale
    }
    all.parameters = weights(from: v)
  }
}
