/// How the networks that one member delivers were chosen by their free runs.
public struct FreeRunChoice: Equatable, Codable, Sendable {
  /// What a member can deliver, from what is preferred to what is the last resort.
  public enum Kind: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    /// The networks as they are after elimination and the last fit.
    case networks
    /// The same, fitted also to the way back from where their free runs strayed to.
    case steadied
    /// The networks with all inputs, before elimination.
    case dense = "before elimination"
    /// Direct weights from the same inputs.
    case line
    /// That nothing changes: never delivered, but what is must beat it.
    case persistence = "no change"
  }

  public var member: Int
  /// The mean of |e|/σ of free runs (see `FreeRunJudge`), of those that were tried.
  public var errors: [Kind: Double]
  public var delivered: Kind

  /// A candidate takes the place of one that is preferred if its error is below this share of the other's.
  static let gain = 1 / 1.05
  /// Errors below this are never worth a replacement.
  static let negligible = 0.01

  /// - Parameter errors: of those that were tried.
  package static func best(_ errors: [Kind: Double]) -> Kind {
    Kind.allCases.filter { $0 != .persistence }.reduce(.networks) { chosen, next in
      guard let now = errors[chosen], let other = errors[next], now > negligible else {
        return chosen
      }
      return other < gain * now ? next : chosen
    }
  }

  /// Whether networks need no replacement: they are hardly worse than a line, and than that nothing changes.
  package static func suffices(_ errors: [Kind: Double]) -> Bool {
    let networks = errors[.networks] ?? .infinity
    let others = [errors[.line], errors[.persistence]].compactMap { $0 }
    return networks <= negligible || others.allSatisfy { networks <= $0 / gain }
  }
}
