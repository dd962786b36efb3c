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
