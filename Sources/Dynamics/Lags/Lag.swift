/// Which variable a lagged feature is, and at which lag.
public struct Lag: Hashable, Codable, Sendable {
  /// The variable's name in the data.
  public var of: String
  /// Samples before the sample that a prediction starts from; −1 is the predicted sample.
  public var by: Int

  public init(of name: String, by samples: Int) {
    of = name
    by = samples
  }
}

extension Variable {
  /// The variable whose values these are: its own name, or that of which it is a lagged copy.
  public var source: String { lag?.of ?? name }

  /// Samples before the one that a prediction starts from: 0 for a variable that is not lagged.
  public var delay: Int { lag?.by ?? 0 }

  /// This quantity `samples` samples earlier, named "pump(t−2)"; the variable itself for 0, "pump(t+1)" for −1.
  public func lagged(by samples: Int) -> Variable {
    guard samples != 0 else { return self }
    var copy = self
    copy.name = "\(name)(t\(samples > 0 ? "−" : "+")\(abs(samples)))"
    copy.lag = Lag(of: name, by: samples)
    return copy
  }
}

extension [Variable] {
  /// The number of samples needed before the one that a prediction starts from.
  public var history: Int { Swift.max(0, map(\.delay).max() ?? 0) }

  /// Whether any variable is lagged.
  public var haveLags: Bool { contains { $0.lag != nil } }

  /// The variables of which these are lagged copies, each once, in the order of their first appearance.
  public var sources: [String] {
    var seen = Set<String>()
    return map(\.source).filter { seen.insert($0).inserted }
  }
}

/// Which lags of states and controls a model reads (NARX: Billings 2013, *Nonlinear System Identification*): x(t) …
/// x(t − n) of each state, u(t − d) … u(t − d − m) of each control.
public struct LagOrders: Equatable, Sendable {
  /// The lags of a control.
  public struct Control: Equatable, Sendable {
    /// d: samples until it acts; −1 where the plant responds within the predicted step.
    public var delay: Int
    /// m + 1: the number of lags read, from the delay on.
    public var count: Int

    public init(delay: Int, count: Int) {
      self.delay = delay
      self.count = count
    }
  }

  /// n: the number of past values of each state.
  public var stateLags: Int
  /// One for each control, in their order.
  public var controls: [Control]

  public init(stateLags: Int, controls: [Control]) {
    self.stateLags = stateLags
    self.controls = controls
  }

  /// The features: all states now, then each state's past, then control by control.
  public func features(states: [Variable], controls variables: [Variable]) -> [Variable] {
    precondition(variables.count == controls.count)
    let past = states.flatMap { state in
      stateLags > 0 ? (1...stateLags).map { state.lagged(by: $0) } : []
    }
    let acting = zip(variables, controls).flatMap { variable, moments in
      (0..<moments.count).map { variable.lagged(by: moments.delay + $0) }
    }
    return states + past + acting
  }
}

extension LagOrders: CustomStringConvertible {
  /// "2 lags of the states; input moments 3 from delay −1".
  public var description: String {
    let acting = controls.map { "\($0.count) from delay \($0.delay)" }.joined(separator: ", ")
    return "\(stateLags) state lags; input moments \(acting.isEmpty ? "none" : acting)"
  }
}
