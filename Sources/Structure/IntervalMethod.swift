/// How an interval of 95 % for Φ is found.
public enum IntervalMethod: String, CaseIterable, Sendable {
  case jackknife, bootstrap, asymptotic

  /// Nil where it cannot be found: too few members, or Φ undefined without one of them.
  public func interval(of selection: Selection) -> ClosedRange<Double>? {
    switch self {
    case .jackknife: return selection.jackknifeInterval()
    case .bootstrap: return selection.bootstrapInterval()
    case .asymptotic:
      guard let stability = selection.stability, let variance = selection.asymptoticVariance else {
        return nil
      }
      // The normal distribution's 97.5 % quantile.
      let reach = 1.959964 * variance.squareRoot()
      return (stability - reach)...max(stability - reach, min(1, stability + reach))
    }
  }
}
