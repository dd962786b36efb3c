/// What a variable is to the plant.
public enum Role: String, Codable, Sendable {
  case state
  /// A quantity that the operator or a controller sets.
  case control = "input"
  /// A quantity that is recorded but drives nothing; training leaves it alone.
  case observable
}

/// A measured quantity: its name as the user writes it, its unit and its meaning.
public struct Variable: Equatable, Codable, Sendable {
  public var name: String
  /// Unit as text, for example "kg/s"; empty where unknown or dimensionless.
  public var unit: String
  public var longName: String
  public var role: Role
  /// For a lagged value: which variable, and how far back.
  public var lag: Lag?

  public init(
    _ name: String, unit: String = "", longName: String = "", role: Role, lag: Lag? = nil
  ) {
    self.name = name
    self.unit = unit
    self.longName = longName
    self.role = role
    self.lag = lag
  }

  /// "name [unit]", or the name alone.
  public var label: String { unit.isEmpty ? name : "\(name) [\(unit)]" }

  /// The variable's rate of change: same name, unit per second.
  public var rate: Variable {
    Variable(
      name, unit: Self.perSecond(unit),
      longName: longName.isEmpty ? "" : "rate of change of \(longName)", role: role)
  }

  private static func perSecond(_ unit: String) -> String {
    switch unit {
    case "": "1/s"
    case let unit where unit.hasSuffix("/s"): unit + "²"
    default: unit + "/s"
    }
  }
}
