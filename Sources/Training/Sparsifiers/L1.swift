extension Sparsifier {
  /// λ Σ|w| added to the loss, its subgradient to the gradient (the published recipe). Leaves no exact zeros; use
  /// with a cut.
  public static let l1 = Sparsifier(
    name: "l1", meaning: "λ Σ|w| in the loss, as published; no exact zeros", amount: .strength,
    selects: false, adam: .l1Gradient)

  /// The proximal step of λ Σ|w| in Adam's own metric (Yun, Lozano & Yang 2021): after the Adam step
  /// w ← sign(w) max(|w| − ηλ/(√v̂ + ε), 0). Exact zeros. The kernels do this within Adam's step; what it amounts
  /// to is `L1Penalty`, to which tests hold them.
  public static let proximal = Sparsifier(
    name: "proximal", meaning: "the same with exact zeros, the default", amount: .strength,
    selects: true, adam: .proximal)
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
