/// How much a page holds. What is beyond is left out in the order of these fields, and the page says so.
public struct ExplorationLimits: Sendable {
  /// Members with curves of their own; of more, the lowest and the highest at each value are shown.
  public var memberCurves = 12
  /// Pairs with curves, values of each member and paths: the strongest.
  public var detailedPairs = 500
  /// Paths of all members together.
  public var routes = 20_000
  /// Edges of the networks of all members together; members beyond are shown by their pairs only.
  public var edges = 60_000
  /// Weights of a network above which it is drawn by groups of units.
  public var weights = 20_000
  /// Pairs of input and output: the strongest.
  public var pairs = 20_000

  public init() {}

  /// Paths of a pair.
  static let routesOfPair = 5
  /// Of so many paths of largest product those of largest effect are sought.
  static let candidates = 20
  /// Effects of paths are means over at most so many samples, evenly spaced.
  static let samplesOfRoutes = 2000
}
