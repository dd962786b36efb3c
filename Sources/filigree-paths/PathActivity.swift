import Dynamics
import LinearAlgebra
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

/// How often paths are active, over data; empty without data.
struct PathActivity {
  static let note =
    "active: share of the samples at which every unit on the way has a positive slope; effect: "
    + "mean over the samples of the product times the slopes. Ranked by |effect| among the "
    + "\(candidates) strongest products to each output."

  /// Among this many paths of largest product to each output (or of a pair) those of largest effect are sought.
  static let candidates = 200
  /// They are ranked on at most this many samples, evenly spaced; the figures shown are of all samples.
  private static let samplesForRanking = 2000

  private var found: [[PathNode]: (meanSlope: Double, activeShare: Double)] = [:]

  init(_ paths: [Path], of network: Network, over data: Matrix?, _ scaling: Standardisation) {
    guard let data, !paths.isEmpty else { return }
    var batch = JacobianBatch(network)
    let activity = batch.activity(of: paths.map { network.units(on: $0) }, over: data, scaling)
    for (path, activity) in zip(paths, activity) { found[path.nodes] = activity }
  }

  subscript(_ path: Path) -> (meanSlope: Double, activeShare: Double)? { found[path.nodes] }

  /// The paths of largest |effect|; in the order given, and the first, without data.
  static func strongest(
    _ count: Int, of paths: [Path], in network: Network, over data: Matrix?,
    _ scaling: Standardisation
  ) -> [Path] {
    guard let data, !paths.isEmpty else { return Array(paths.prefix(count)) }
    let step = (data.rows + samplesForRanking - 1) / samplesForRanking
    let some = data.submatrix(
      rows: Array(stride(from: 0, to: data.rows, by: step)), columns: Array(0..<data.columns))
    let activity = PathActivity(paths, of: network, over: some, scaling)
    let effects = paths.map { abs($0.product * (activity[$0]?.meanSlope ?? 0)) }
    return paths.indices.sorted { effects[$0] != effects[$1] ? effects[$0] > effects[$1] : $0 < $1 }
      .prefix(count).map { paths[$0] }
  }
}

extension Network {
  /// The hidden units on a path, numbered through all layers.
  fileprivate func units(on path: Path) -> [Int] {
    let outputs = Set(outputLayers)
    return path.nodes.compactMap { node in
      guard case .unit(let layer, let unit) = node, !outputs.contains(layer) else { return nil }
      return layers[..<layer].reduce(unit) { $0 + $1.unitCount }
    }
  }
}
