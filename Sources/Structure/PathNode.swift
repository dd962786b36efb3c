import Networks

/// A place on a path.
public enum PathNode: Hashable, Comparable, Sendable {
  case input(Int)
  case unit(layer: Int, index: Int)
}

extension PathNode {
  /// The unit in `column` of what a connection reads.
  package init(_ source: Network.Source, _ column: Int) {
    switch source {
    case .inputs: self = .input(column)
    case .layer(let layer): self = .unit(layer: layer, index: column)
    }
  }
}
