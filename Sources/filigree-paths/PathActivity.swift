import Dynamics
import Interpretation
import LinearAlgebra
import Networks

/// How much of the time paths carry something, over data; empty without data.
struct PathActivity {
  static let note =
    "active: share of the samples at which every unit on the way has a positive slope; effect: "
    + "mean over the samples of the product times the slopes."

  private var found: [[PathNode]: (meanSlope: Double, activeShare: Double)] = [:]

  init(_ paths: [Path], of network: Network, over data: Matrix?, _ scaling: Standardisation) {
    guard let data, !paths.isEmpty else { return }
    var batch = JacobianBatch(network)
    let activity = batch.activity(of: paths.map { network.units(on: $0) }, over: data, scaling)
    for (path, activity) in zip(paths, activity) { found[path.nodes] = activity }
  }

  subscript(_ path: Path) -> (meanSlope: Double, activeShare: Double)? { found[path.nodes] }
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
