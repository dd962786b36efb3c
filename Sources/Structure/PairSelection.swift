import Evidence
import Foundation
import Networks

/// Which pairs of output and input count: the one rule of all tables, drawings and studies.
///
/// A pair is *connected* where a path of weights leads from the input to the output. Over data it is *relevant* where
/// its R = mean |∂f/∂z| in standardised units lies above a threshold, zero or more. R is zero exactly where no path is
/// left, so that every relevant pair is connected.
public struct PairSelection: Equatable, Sendable {
  /// R above which a pair counts; nil where every connected pair does.
  public let threshold: Double?

  /// Every connected pair.
  public static let connected = PairSelection(threshold: nil)

  /// The threshold of relevance where nobody says another.
  public static let usualThreshold = EnsembleEvidence.relevanceThreshold

  /// - Precondition: the threshold is not negative.
  public static func relevant(above threshold: Double = usualThreshold) -> PairSelection {
    precondition(threshold >= 0)
    return PairSelection(threshold: threshold)
  }

  private init(threshold: Double?) { self.threshold = threshold }

  /// Whether a pair of this R counts; without a threshold, whether any path carries it.
  public func selects(_ relevance: Double) -> Bool { relevance > threshold ?? 0 }

  /// What each member of an ensemble selects by its own relevances.
  /// - Parameter relevances: members × pairs.
  public func selection(of relevances: [[Double]]) -> Selection {
    Selection(chosen: relevances.map { $0.map(selects) })
  }

  /// - Parameters:
  ///   - ensemble: whose members choose.
  ///   - relevance: of its members over data; where there is none, paths decide.
  public func selection(of ensemble: Ensemble, _ relevance: EnsembleRelevance?) -> Selection {
    guard threshold != nil, let relevance else { return Selection(connectedPairsOf: ensemble) }
    return selection(of: relevance.members.map(\.meanMagnitude.elements))
  }

  /// "connected by a path", "mean |J| above 0.01"
  public var words: String {
    threshold.map { String(format: "mean |J| above %.3g", $0) } ?? "connected by a path"
  }
}
