/// A term R(w) added to a loss, or a constraint on which weights may differ from zero (R is then 0 where the
/// constraint holds and ∞ elsewhere): what makes weights vanish.
///
/// All arrays hold one number per parameter of a network; parameters that R does not concern, such as biases, are
/// unaffected. A minimum w of loss + R satisfies −∇loss(w) ∈ ∂R(w); the residual measures the violation of this
/// condition.
public protocol Penalty: Sendable {
  /// R(w)
  func value(at weights: [Double]) -> Double

  /// argmin over w of ½ Σ hᵢ (wᵢ − zᵢ)² + R(w), hᵢ > 0: applied after a step of a method that works in the metric
  /// h. With Adam h = (√v̂ + ε)/η (Yun, Lozano & Yang 2021).
  func proximalPoint(of z: [Double], metric h: [Double]) -> [Double]

  /// The largest entry of the distance from −gradient to ∂R(w): zero at an optimum, in the loss's units
  /// per unit of weight.
  func residual(at weights: [Double], gradient: [Double]) -> Double

  /// Which parameters may differ from zero at `weights` and near it.
  func support(at weights: [Double]) -> [Bool]
}

extension Penalty {
  public func support(at weights: [Double]) -> [Bool] { weights.map { $0 != 0 } }
}

/// R = Σ λᵢ|wᵢ| (Tibshirani 1996), with a strength for every weight: one for all, others for the weights that
/// read inputs, or 1/|ŵᵢ| of a first fit (the adaptive lasso, Zou 2006). λᵢ = 0 leaves a parameter alone.
public struct L1Penalty: Penalty {
  public var strengths: [Double]

  public init(strengths: [Double]) { self.strengths = strengths }

  public func value(at weights: [Double]) -> Double {
    zip(strengths, weights).reduce(0) { $0 + $1.0 * abs($1.1) }
  }

  /// sign(zᵢ) max(|zᵢ| − λᵢ/hᵢ, 0)
  public func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    z.indices.map { i in
      let shrunk = abs(z[i]) - strengths[i] / h[i]
      return strengths[i] == 0 ? z[i] : shrunk > 0 ? (z[i] < 0 ? -shrunk : shrunk) : 0
    }
  }

  /// max of |gᵢ + λᵢ sign wᵢ| where wᵢ ≠ 0, and of |gᵢ| − λᵢ where wᵢ = 0.
  public func residual(at weights: [Double], gradient: [Double]) -> Double {
    weights.indices.reduce(0) { largest, i in
      let (w, g) = (weights[i], gradient[i])
      return max(
        largest,
        w == 0 ? abs(g) - strengths[i] : abs(g + (w < 0 ? -strengths[i] : strengths[i])))
    }
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

/// Only some parameters may differ from zero: a frozen mask.
public struct FixedSupport: Penalty {
  public var mask: [Bool]

  public init(mask: [Bool]) { self.mask = mask }

  public func value(at weights: [Double]) -> Double {
    zip(weights, mask).allSatisfy { $0 == 0 || $1 } ? 0 : .infinity
  }

  public func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    zip(z, mask).map { $1 ? $0 : 0 }
  }

  public func residual(at weights: [Double], gradient: [Double]) -> Double {
    zip(gradient, mask).reduce(0) { $1.1 ? max($0, abs($1.0)) : $0 }
  }

  public func support(at weights: [Double]) -> [Bool] { mask }
}
