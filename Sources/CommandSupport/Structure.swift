import Interpretation
import Networks

extension Model {
  /// A node of a path as people name it: an input's name, "T_bath.h1.7" for unit 7 of a hidden
  /// layer, an output's name with a dot for its rate.
  public func name(of node: PathNode) -> String {
    switch node {
    case .input(let index): return inputs[index].name
    case .unit(let layer, let unit):
      let outputUnits = network.outputUnits
      if let output = outputUnits.firstIndex(where: { $0.layer == layer && $0.unit == unit }) {
        return "d/dt \(outputs[output].name)"
      }
      return "\(network.layers[layer].name).\(unit)"
    }
  }

  public func text(of path: Path) -> String {
    path.nodes.map(name(of:)).joined(separator: " → ")
  }
}
