import Dynamics
import LinearAlgebra
import Networks

/// How much of the time paths carry something, over data; empty without data.
public struct PathActivity: Sendable {
  /// Of so many paths of largest product to each output (or of a pair) those of largest effect are sought.
  public static let candidates = 200
  /// They are ranked by at most so many samples, evenly spaced; what is shown is of all.
  private static let samplesForRanking = 2000

  private var found: [[PathNode]: (meanSlope: Double, activeShare: Double)] = [:]

  /// - Parameters:
  ///   - paths: of the network, from inputs to outputs.
  ///   - network: of standardised inputs and outputs.
  ///   - data: samples × inputs in physical units; nil for none.
  ///   - scaling: of the inputs.
  public init(_ paths: [Path], of network: Network, over data: Matrix?, _ scaling: Standardisation)
  {
    guard let data, !paths.isEmpty else { return }
    var batch = JacobianBatch(network)
    let activity = batch.activity(of: paths.map { network.units(on: $0) }, over: data, scaling)
    for (path, activity) in zip(paths, activity) { found[path.nodes] = activity }
  }

  public subscript(_ path: Path) -> (meanSlope: Double, activeShare: Double)? { found[path.nodes] }

  /// The paths of largest |effect|; in the order given, and the first, without data.
  public static func strongest(
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
