import LinearAlgebra

extension Sparsifier {
  /// The smallest weights, more and more of them: gradual magnitude pruning, see `MagnitudePruning`.
  public static let magnitude = Sparsifier(
    name: "magnitude", meaning: "the smallest, more and more", amount: .density, selects: true,
    settles: MagnitudePruning.end,
    pruner: { wired, density in
      let all = wired.weightsByLayer.flatMap { $0 }
      return MagnitudePruning(
        weights: all, final: max(1, Int((density * Double(all.count)).rounded())))
    })
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

/// At most `count` of the weights `among` differ from zero: those of largest magnitude are kept.
public struct CardinalityLimit: Penalty {
  public var count: Int
  public var among: [Int]

  public init(count: Int, among: [Int]) {
    self.count = count
    self.among = among
  }

  public func value(at weights: [Double]) -> Double {
    among.count { weights[$0] != 0 } <= count ? 0 : .infinity
  }

  /// The projection in the metric h keeps the largest hᵢ zᵢ²; of equals the first.
  public func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    var w = z
    let order = among.sorted { a, b in
      let (x, y) = (h[a] * z[a] * z[a], h[b] * z[b] * z[b])
      return x == y ? a < b : x > y
    }
    for i in order.dropFirst(count) { w[i] = 0 }
    return w
  }

  /// |g| of the parameters that are not zero, and of all if fewer than `count` are: a necessary condition
  /// (Beck & Eldar 2013, basic feasibility), which leaves open whether others would do better.
  public func residual(at weights: [Double], gradient: [Double]) -> Double {
    let isFull = among.count { weights[$0] != 0 } >= count
    let limited = Set(among)
    return weights.indices.reduce(0) { largest, i in
      isFull && weights[i] == 0 && limited.contains(i) ? largest : max(largest, abs(gradient[i]))
    }
  }
}
