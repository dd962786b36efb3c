extension Sparsifier {
  /// The minimax concave penalty on every weight: as `proximal` near zero, and no pull on weights that are large.
  public static let concave = Sparsifier(
    name: "mcp", meaning: "λ Σ|w| that levels off, so that large weights are not pulled"
  ) { weights, strength in
    ConcavePenalty(
      strength: strength, reach: ConcavePenalty.usualReach, among: weights.all)
  }
}

/// R = Σ ρ(wᵢ), ρ(w) = λ|w| (1 − |w|/(2r)) up to |w| = r and λ r/2 beyond: the minimax concave penalty (Zhang 2010,
/// with r = γλ). Its slope falls from λ at zero to nothing at the reach r, so estimates of large weights are unbiased.
public struct ConcavePenalty: Penalty {
  public var strength: Double
  /// r, in units of the weights.
  public var reach: Double
  public var among: [Int]

  /// Weights of networks on standardised data are of the order of one; a tenth is what a penalty need not pull on.
  public static let usualReach = 0.1

  public init(strength: Double, reach: Double, among: [Int]) {
    self.strength = strength
    self.reach = reach
    self.among = among
  }

  public func value(at weights: [Double]) -> Double {
    among.reduce(0) { sum, i in
      let size = min(abs(weights[i]), reach)
      return sum + strength * size * (1 - size / (2 * reach))
    }
  }

  /// Where ½ h (w − z)² outweighs the penalty's curvature λ/r, w = sign(z) (|z| − λ/h)/(1 − λ/(h r)) between λ/h and
  /// r, zero below and z above (firm thresholding, Gao & Bruce 1997). Else the sum is concave between 0 and r, and
  /// one of zero and z is the minimum: zero where h z² ≤ λ r.
  public func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    var w = z
    for i in among {
      let size = abs(z[i])
      if h[i] * reach > strength {
        guard size < reach else { continue }
        let shrunk = max(0, size - strength / h[i]) / (1 - strength / (h[i] * reach))
        w[i] = z[i] < 0 ? -shrunk : shrunk
      } else if h[i] * z[i] * z[i] <= strength * reach {
        w[i] = 0
      }
    }
    return w
  }

  /// max of |gᵢ + λ sign(wᵢ) (1 − |wᵢ|/r)₊| where wᵢ ≠ 0, and of |gᵢ| − λ where wᵢ = 0; of other parameters |gᵢ|.
  public func residual(at weights: [Double], gradient: [Double]) -> Double {
    let limited = Set(among)
    return weights.indices.reduce(0) { largest, i in
      let (w, g) = (weights[i], gradient[i])
      guard limited.contains(i) else { return max(largest, abs(g)) }
      let pull = strength * max(0, 1 - abs(w) / reach)
      return max(largest, w == 0 ? abs(g) - strength : abs(g + (w < 0 ? -pull : pull)))
    }
  }
}
