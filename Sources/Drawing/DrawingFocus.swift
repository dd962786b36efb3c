import Networks
import Structure

/// What is to stand out in a network drawing; the rest fades.
public struct DrawingFocus: Equatable, Sendable {
  /// By number; empty for all.
  public var outputs: [Int]
  public var inputs: [Int]
  /// The number of strongest paths to show between them; nil for all paths.
  public var strongest: Int?

  public init(outputs: [Int] = [], inputs: [Int] = [], strongest: Int? = nil) {
    self.outputs = outputs
    self.inputs = inputs
    self.strongest = strongest
  }

  public var isEverything: Bool { outputs.isEmpty && inputs.isEmpty && strongest == nil }

  /// Whether no weight of the live network is in focus.
  public func isEmpty(in network: Network) -> Bool {
    edges(of: LiveStructure(network).network).isEmpty
  }

  /// A weight, by what it connects.
  struct Edge: Hashable {
    var source: PathNode
    var target: PathNode
  }

  /// The weights on the paths in focus; those of largest product are the strongest.
  func edges(of network: Network) -> Set<Edge> {
    strongest.map { strongestEdges(network, $0) } ?? connectingEdges(network)
  }

  static func edges(along nodes: [PathNode]) -> [Edge] {
    zip(nodes, nodes.dropFirst()).map { Edge(source: $0, target: $1) }
  }

  private func strongestEdges(_ network: Network, _ count: Int) -> Set<Edge> {
    let analysis = PathAnalysis(network)
    let wanted = outputs.isEmpty ? Array(network.outputUnits.indices) : outputs
    let sources = inputs.isEmpty ? [nil] : inputs.map(Optional.some)
    let paths = sources.flatMap { source in
      let found = analysis.strongestPaths(count, from: source)
      return wanted.flatMap { found[$0] }
    }
    let chosen = paths.enumerated().sorted {
      let (a, b) = (abs($0.element.product), abs($1.element.product))
      return a != b ? a > b : $0.offset < $1.offset
    }.prefix(count)
    return Set(chosen.flatMap { Self.edges(along: $0.element.nodes) })
  }

  /// On some path from a wanted input to a wanted output.
  private func connectingEdges(_ network: Network) -> Set<Edge> {
    let graph = EdgeList(network)
    var leads = [Bool](repeating: false, count: graph.inputCount + graph.unitCount)
    for output in outputs.isEmpty ? Array(graph.outputs.indices) : outputs {
      for unit in graph.unitsBehind(graph.outputs[output]) { leads[graph.inputCount + unit] = true }
    }
    var comes = leads.map { _ in false }
    for input in inputs.isEmpty ? Array(0..<graph.inputCount) : inputs { comes[input] = true }
    var edges: Set<Edge> = []
    for unit in 0..<graph.unitCount {
      let target = graph.inputCount + unit
      for edge in graph.edges(into: unit) where comes[graph.source[edge]] {
        comes[target] = true
        if leads[target] {
          edges.insert(Edge(source: graph.node(graph.source[edge]), target: graph.node(target)))
        }
      }
    }
    return edges
  }
}
