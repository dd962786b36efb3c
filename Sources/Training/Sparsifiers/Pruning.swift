import Foundation
import Networks

/// All parameters of a network in training with their gradients and Adam's moments, as a pruner works on them.
struct WholeWeights {
  var parameters: [Float]
  var gradient: [Float]
  var moment1: [Float]
  var moment2: [Float]
}

/// The position of a full step in the training.
struct PruningStep {
  /// Adam's, at this step.
  var learningRate: Double
  /// 1/(1 − β₁ᵗ) and 1/(1 − β₂ᵗ)
  var correction1: Double
  var correction2: Double
  /// Steps since the last full one, this one included.
  var steps: Int
  /// Share of the steps that may change which weights are zero.
  var progress: Double

  /// The metric in which Adam moved the weights: (√v̂ + ε)/(η · steps), with one step for weights that were at
  /// zero, which only this step moved.
  func metric(_ weights: WholeWeights, atZero: [Bool]) -> [Double] {
    zip(weights.moment2, atZero).map {
      ((Double($0) * correction2).squareRoot() + 1e-8) / (learningRate * ($1 ? 1 : Double(steps)))
    }
  }
}

/// What a sparsifier does at the full steps of a training, which compute the gradient of every weight;
/// between them weights at zero stay there. One for each network.
protocol Pruner: Sendable {
  /// What it keeps beside parameters and moments from one full step to the next.
  var latent: [Float] { get set }
  /// The initial parameters of a training, from the drawn ones.
  func weights(from parameters: [Float]) -> [Float]
  /// Before Adam moves all parameters.
  mutating func prepare(_ weights: inout WholeWeights)
  /// After it.
  mutating func finish(_ weights: inout WholeWeights, _ step: PruningStep)
  /// What it adds to the loss.
  func penalty(_ parameters: [Float]) -> Double
}

extension Pruner {
  var latent: [Float] {
    get { [] }
    set { precondition(newValue.isEmpty) }
  }
  func weights(from parameters: [Float]) -> [Float] { parameters }
  mutating func prepare(_ weights: inout WholeWeights) {}
  func penalty(_ parameters: [Float]) -> Double { 0 }
}

extension Sparsifier {
  /// nil if Adam's own step does everything.
  func pruner(_ wired: WiredNetwork, _ recipe: Recipe) -> (any Pruner)? {
    let weights = wired.weightsByLayer
    switch self {
    case .none, .l1, .proximal: return nil
    case .groupLasso:
      let rows = wired.factorRows(firstUnitRow: 1 + wired.network.inputCount)
      let inputs = (0..<wired.network.inputCount).map { input in
        rows.indices.filter { rows[$0] == 1 + input }
      }
      let others = rows.indices.filter { rows[$0] > wired.network.inputCount }.map { [$0] }
      return GroupShrinkage(
        penalty: GroupPenalty(strength: recipe.strength, groups: inputs + others))
    case .magnitude:
      let all = weights.flatMap { $0 }
      return MagnitudePruning(
        weights: all, final: max(1, Int((recipe.density * Double(all.count)).rounded())))
    case .rigl:
      return Regrowth(
        layers: weights.map { layer in
          (weights: layer, count: max(1, Int((recipe.density * Double(layer.count)).rounded())))
        })
    case .softThreshold:
      return LearnedThresholds(
        layers: weights, parameters: wired.parameters.map { Float($0.value) },
        decay: Float(recipe.strength))
    }
  }
}

/// Group lasso on inputs: all weights that read an input vanish together. Every other weight is a group of its own:
/// without a penalty they would grow as the inputs' weights shrink, and nothing would ever vanish.
struct GroupShrinkage: Pruner {
  let penalty: GroupPenalty
  private var atZero: [Bool] = []

  init(penalty: GroupPenalty) { self.penalty = penalty }

  mutating func prepare(_ weights: inout WholeWeights) {
    atZero = weights.parameters.map { $0 == 0 }
  }

  mutating func finish(_ weights: inout WholeWeights, _ step: PruningStep) {
    let point = penalty.proximalPoint(
      of: weights.parameters.map { Double($0) }, metric: step.metric(weights, atZero: atZero))
    // What nothing pulls on is only made smaller as long as its group lives.
    weights.parameters = point.map { abs($0) < 1e-20 ? 0 : Float($0) }
  }

  func penalty(_ parameters: [Float]) -> Double {
    penalty.value(at: parameters.map { Double($0) })
  }
}

/// Gradual magnitude pruning (Zhu & Gupta 2017): from a tenth of the steps to seven tenths the number of
/// weights falls along a cubic, s = s_f (1 − (1 − t)³) the share at zero; then the mask stays.
struct MagnitudePruning: Pruner {
  let weights: [Int]
  /// Weights at the end.
  let final: Int

  static let begin = 0.1
  static let end = 0.7

  func count(progress: Double) -> Int {
    let t = min(max((progress - Self.begin) / (Self.end - Self.begin), 0), 1)
    let share = 1 - Double.pow(1 - t, 3)
    return weights.count - Int((share * Double(weights.count - final)).rounded())
  }

  mutating func finish(_ all: inout WholeWeights, _ step: PruningStep) {
    // By magnitude alone, as published: the plain metric.
    let limit = CardinalityLimit(count: count(progress: step.progress), among: weights)
    let z = all.parameters.map { Double($0) }
    let point = limit.proximalPoint(of: z, metric: z.map { _ in 1 })
    for index in weights where point[index] == 0 { all.clear(index) }
  }
}

/// RigL (Evci et al. 2020): a fixed number of weights in each layer; at every full step a share of these, falling
/// along half a cosine, is dropped (the smallest), and as many others with the largest gradients grow from zero.
struct Regrowth: Pruner {
  let layers: [(weights: [Int], count: Int)]
  private var wasActive: [Bool] = []

  /// Of the weights, at the first full step.
  static let share = 0.3
  /// From then on the mask stays.
  static let end = 0.75

  init(layers: [(weights: [Int], count: Int)]) { self.layers = layers }

  mutating func prepare(_ weights: inout WholeWeights) {
    wasActive = weights.parameters.map { $0 != 0 }
  }

  mutating func finish(_ all: inout WholeWeights, _ step: PruningStep) {
    let share =
      step.progress < Self.end
      ? Self.share / 2 * (1 + Double.cos(.pi * step.progress / Self.end)) : 0
    for layer in layers {
      let active = layer.weights.filter { wasActive[$0] }
      let dropped = Int((share * Double(active.count)).rounded())
      let kept = active.largest(active.count - dropped) { abs(all.parameters[$0]) }
      // What was just dropped may not come back at once.
      let others = layer.weights.filter { !wasActive[$0] }
      let room = step.progress < Self.end ? max(0, layer.count - kept.count) : 0
      let grown = others.largest(room) { abs(all.gradient[$0]) }
      let stays = Set(kept + grown)
      for index in layer.weights where !stays.contains(index) { all.clear(index) }
    }
  }
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

extension WholeWeights {
  /// Sets a weight to zero, with its moments.
  mutating func clear(_ index: Int) {
    parameters[index] = 0
    moment1[index] = 0
    moment2[index] = 0
  }
}

extension [Int] {
  /// The `count` with the largest sizes; of equals the first.
  fileprivate func largest(_ count: Int, by size: (Int) -> Float) -> [Int] {
    let sizes = map(size)
    let order = indices.sorted { sizes[$0] == sizes[$1] ? $0 < $1 : sizes[$0] > sizes[$1] }
    return order.prefix(Swift.max(0, count)).map { self[$0] }
  }
}
