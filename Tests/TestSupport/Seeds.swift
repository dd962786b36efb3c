import Foundation

/// The seeds over which a test of what training learns is run, and how far from its limit each of them ends.
///
/// A threshold that one seed just passes is no test: `Scripts/margins` goes through twenty seeds and prints the
/// smallest margin of every such test; the suite itself goes through a few.
public enum Seeds {
  private static let wanted = ProcessInfo.processInfo.environment["FILIGREE_SEEDS"]
    .flatMap { UInt64($0) }

  /// 1, 2, … as many as usual, or as FILIGREE_SEEDS says.
  public static func first(_ usual: UInt64) -> ClosedRange<UInt64> { 1...max(1, wanted ?? usual) }

  /// Tells how far below its limit a figure lies: limit / value, 1 at the edge. Printed only where margins are asked
  /// for.
  public static func note(_ claim: String, seed: UInt64, _ value: Double, below limit: Double) {
    guard wanted != nil else { return }
    let margin = value <= 0 ? Double.infinity : limit / value
    print("margin\t\(claim)\t\(seed)\t\(value)\t\(limit)\t\(margin)")
  }
}
