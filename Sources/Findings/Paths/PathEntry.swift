import Networks
import Structure

/// A path as it is reported.
struct PathEntry: Encodable {
  var nodes: [String]
  /// Of its weights, standardised.
  var product: Double
  /// Over data: share of the samples at which all units on the way respond with a positive slope, and mean of the
  /// product times their slopes.
  var activeShare: Double?
  var meanContribution: Double?

  init(_ path: Path, of model: Model, _ activity: PathActivity) {
    nodes = path.nodes.map(model.name(of:))
    product = path.product
    activeShare = activity[path]?.activeShare
    meanContribution = activity[path].map { $0.meanSlope * path.product }
  }
}

extension PathActivity {
  static let note =
    "active: share of the samples at which every unit on the way has a positive slope; effect: "
    + "mean over the samples of the product times the slopes. Ranked by |effect| among the "
    + "\(candidates) strongest products to each output."
}
