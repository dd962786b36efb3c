import Evidence
import Networks

/// How much of each output's variance an ensemble explains on trajectories that were held out while it was trained:
/// R² = 1 − mean squared error over variance. What a model does not read says nothing of a plant where it explains
/// nothing.
public struct ExplainedShares: Equatable, Sendable {
  /// Below this next to nothing is explained.
  public static let least = 0.05

  /// R² by output; nil where nothing was held out.
  public let shares: [Double?]

  /// Nil where nothing is known.
  public init?(_ shares: [Double?]) {
    guard shares.contains(where: { $0 != nil }) else { return nil }
    self.shares = shares
  }

  public func isNothing(_ output: Int) -> Bool {
    shares[output].map { !($0 >= Self.least) } ?? false
  }

  /// The outputs of which nothing is explained.
  public var unexplained: [Int] { shares.indices.filter(isNothing) }
}

extension Ensemble {
  /// Nil for ensembles that carry no evidence.
  public var explained: ExplainedShares? { evidence.flatMap { ExplainedShares($0.explained) } }

  /// What the data say of a pair; nil for ensembles that carry no evidence.
  public func evidence(_ output: Int, _ input: Int) -> PairEvidence? {
    evidence?.pairs[output][input]
  }

  /// What each member selected before they decided together; nil where that is not known.
  public var selectionAlone: Selection? {
    guard let evidence, !evidence.alone.isEmpty else { return nil }
    let chosen = evidence.alone.map { Array($0.joined()) }
    guard chosen.allSatisfy({ $0.count == inputs.count * outputs.count }) else { return nil }
    return Selection(chosen: chosen)
  }

  /// The members, counted from 0, none of whose outputs depends on any input.
  public var emptyMembers: [Int] { members.indices.filter { members[$0].network.isEmpty } }
}

extension Network {
  /// Whether no path leads from any input to any output, so that every output is a constant.
  public var isEmpty: Bool {
    var isReached: [[Bool]] = []
    for layer in layers {
      isReached.append(
        (0..<layer.unitCount).map { unit in
          layer.connections.contains { connection in
            let weights = connection.weight.row(unit)
            return switch connection.source {
            case .inputs: weights.contains { $0 != 0 }
            case .layer(let source): zip(weights, isReached[source]).contains { $0 != 0 && $1 }
            }
          }
        })
    }
    return !outputUnits.contains { isReached[$0.layer][$0.unit] }
  }
}

extension Selection {
  /// Whether no member selects any pair: then all say the same, and agree on nothing.
  public var isEmpty: Bool { chosen.allSatisfy { !$0.contains(true) } }
}
