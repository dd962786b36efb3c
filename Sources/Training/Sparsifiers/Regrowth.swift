import LinearAlgebra

extension Sparsifier {
  /// A fixed number of weights in each layer, the smallest exchanged for weights with large gradients: RigL, see
  /// `Regrowth`. Every full step changes the mask, so the last epoch has no more of them than others.
  public static let rigl = Sparsifier(
    name: "rigl", meaning: "the smallest, others grow", amount: .density, selects: true,
    fullSteps: .revisits, startsThinned: true,
    pruner: { wired, density in
      Regrowth(
        layers: wired.weightsByLayer.map { layer in
          (weights: layer, count: max(1, Int((density * Double(layer.count)).rounded())))
        })
    })
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

extension [Int] {
  /// The `count` with the largest sizes; of equals the first.
  fileprivate func largest(_ count: Int, by size: (Int) -> Float) -> [Int] {
    let sizes = map(size)
    let order = indices.sorted { sizes[$0] == sizes[$1] ? $0 < $1 : sizes[$0] > sizes[$1] }
    return order.prefix(Swift.max(0, count)).map { self[$0] }
  }
}
