extension Sparsifier {
  /// λ (Σ‖w_i‖₂ + Σ|w|), over inputs i with w_i all weights of a network that read it, and over all other weights:
  /// whole inputs vanish. Every other weight is a group of its own: without a penalty they would grow as the inputs'
  /// weights shrink, and nothing would ever vanish.
  public static let groupLasso = Sparsifier(name: "group-lasso", meaning: "whole inputs") {
    weights, strength in
    GroupPenalty(
      strength: strength, groups: weights.byInput + weights.others.map { [$0] })
  }
}

/// R = λ Σ_G ‖w_G‖₂ over groups of parameters (Yuan & Lin 2006): a group vanishes as a whole, for example
/// all weights that read an input.
public struct GroupPenalty: Penalty {
  public var strength: Double
  /// Disjoint.
  public var groups: [[Int]]

  public init(strength: Double, groups: [[Int]]) {
    self.strength = strength
    self.groups = groups
  }

  private func norm(_ values: [Double], _ group: [Int]) -> Double {
    group.reduce(0) { $0 + values[$1] * values[$1] }.squareRoot()
  }

  public func value(at weights: [Double]) -> Double {
    strength * groups.reduce(0) { $0 + norm(weights, $1) }
  }

  /// For each group zero if ‖h z‖ ≤ λ; else wᵢ = hᵢ zᵢ r/(hᵢ r + λ) with r = ‖w‖ the root of
  /// Σ (hᵢ zᵢ/(hᵢ r + λ))² = 1.
  public func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    var w = z
    guard strength > 0 else { return w }
    for group in groups {
      let pull = group.map { h[$0] * z[$0] }
      guard pull.reduce(0, { $0 + $1 * $1 }).squareRoot() > strength else {
        for i in group { w[i] = 0 }
        continue
      }
      let r = root(group, pull, h, below: norm(z, group))
      for (i, p) in zip(group, pull) { w[i] = p * r / (h[i] * r + strength) }
    }
    return w
  }

  /// By bisection: the sum falls from above 1 at 0 to below 1 at ‖z‖.
  private func root(_ group: [Int], _ pull: [Double], _ h: [Double], below: Double) -> Double {
    var (low, high) = (0.0, below)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      guard middle > low && middle < high else { break }
      let sum = zip(group, pull).reduce(0.0) { sum, part in
        let term = part.1 / (h[part.0] * middle + strength)
        return sum + term * term
      }
      if sum > 1 { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// For each group the largest entry of g + λ w/‖w‖, or ‖g‖ − λ where it is zero; for parameters in no
  /// group |g|.
  public func residual(at weights: [Double], gradient: [Double]) -> Double {
    var isFree = weights.map { _ in true }
    var largest = 0.0
    for group in groups {
      let length = norm(weights, group)
      for i in group {
        isFree[i] = false
        if length > 0 {
          largest = max(largest, abs(gradient[i] + strength * weights[i] / length))
        }
      }
      if length == 0 { largest = max(largest, norm(gradient, group) - strength) }
    }
    return gradient.indices.reduce(largest) { isFree[$1] ? max($0, abs(gradient[$1])) : $0 }
  }
}
