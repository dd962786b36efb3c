import LinearAlgebra

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

extension WholeWeights {
  /// Sets a weight to zero, with its moments.
  mutating func clear(_ index: Int) {
    parameters[index] = 0
    moment1[index] = 0
    moment2[index] = 0
  }
}

/// A full step that ends at a penalty's proximal point.
struct ProximalSteps: Pruner {
  let penalty: any Penalty
  private var atZero: [Bool] = []

  init(penalty: any Penalty) { self.penalty = penalty }

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
