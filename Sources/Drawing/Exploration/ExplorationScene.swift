import GraphDrawing
import Structure

/// Nodes and edges of a drawing as a page's script reads them.
struct ExplorationScene {
  private(set) var nodes: [ExplorationContent.Node] = []
  private(set) var edges = ExplorationContent.Edges()
  private(set) var width = 0.0
  private(set) var height = 0.0
  /// By identifier.
  private(set) var numbers: [String: Int] = [:]

  /// - Parameters:
  ///   - graph: with all nodes and edges at fixed places.
  ///   - groups: of a drawing by groups, what is in each.
  init(_ graph: Graph, groups: CoarseModel.Groups? = nil) {
    guard let bounds = graph.bounds else { return }
    (width, height) = (bounds.width.place, bounds.height.place)
    for node in graph.nodes {
      guard let frame = node.frame, let made = Self.node(node, frame, in: bounds, groups) else {
        continue
      }
      numbers[node.id] = nodes.count
      nodes.append(made)
    }
    add(graph.edges, in: graph)
  }

  // MARK: Nodes

  private static func node(
    _ node: Graph.Node, _ frame: Graph.Frame, in bounds: Graph.Frame, _ groups: CoarseModel.Groups?
  ) -> ExplorationContent.Node? {
    let classes = node.word("class").split(separator: " ")
    guard let first = classes.first else { return nil }
    var made = ExplorationContent.Node(
      kind: .text, x: (frame.centre.x - bounds.left).place, y: (bounds.top - frame.centre.y).place,
      width: frame.width.place, height: frame.height.place)
    if case .text(let label)? = node.attributes["label"], !label.isEmpty { made.label = label }
    if case .text(let name)? = node.data?["name"] { made.name = name }
    if case .number(let size)? = node.attributes["fontsize"] { made.size = size }
    switch first {
    case "input", "output":
      made.kind = first == "input" ? .input : .output
      guard let number = number(node.id) else { return nil }
      made.number = number
      if let groups {
        made.numbers = first == "input" ? groups.inputs[number] : groups.outputs[number]
      }
    case "unit":
      made.kind = .unit
      made.label = nil
      if case .number(let share)? = node.data?["active"] { made.active = share.significant() }
      if case .text(let text)? = node.attributes["tooltip"], groups != nil { made.name = text }
    default: made.tone = tone(node.word("fontcolor"))
    }
    return made
  }

  /// "tower-2-input-7" is input 7.
  private static func number(_ id: String) -> Int? {
    id.split(separator: "-").last.flatMap { Int($0) }
  }

  private static func tone(_ colour: String) -> String {
    switch colour {
    case DrawingStyle.positive: "positive"
    case DrawingStyle.negative: "negative"
    default: "faint"
    }
  }

  // MARK: Edges

  private mutating func add(_ drawn: [Graph.Edge], in graph: Graph) {
    var frames: [String: Graph.Frame] = [:]
    for node in graph.nodes { frames[node.id] = node.frame }
    var (effects, bends, leaves, arrives, counts) =
      ([Double](), [Double](), [Double](), [Double](), [Int]())
    for edge in drawn {
      guard let source = numbers[edge.from], let target = numbers[edge.to], edge.curve.count == 4,
        let from = frames[edge.from], let to = frames[edge.to]
      else { continue }
      edges.source.append(source)
      edges.target.append(target)
      edges.weight.append(edge.value("weight").significant())
      effects.append(edge.value("effect").significant())
      bends.append((edge.curve[1].y - edge.curve[0].y).place)
      leaves.append((from.centre.y - edge.curve[0].y).place)
      arrives.append((to.centre.y - edge.curve[3].y).place)
      if case .integer(let count)? = edge.data?["weights"] { counts.append(count) }
    }
    if drawn.contains(where: { $0.data?["effect"] != nil }) { edges.effect = effects }
    if bends.contains(where: { $0 != 0 }) { edges.bend = bends.map { -$0 } }
    if leaves.contains(where: { $0 != 0 }) { edges.leaves = leaves }
    if arrives.contains(where: { $0 != 0 }) { edges.arrives = arrives }
    if counts.count == edges.source.count { edges.count = counts }
  }

  /// The nodes of a path from an input to an output, by number; nil where one is not drawn.
  ///
  /// - Parameters:
  ///   - path: by input, units and output.
  ///   - outputs: the number of each output by its unit.
  ///   - band: the tower in which its input is drawn.
  func nodes(_ path: [PathNode], outputs: [PathNode: Int], band: Int?) -> [Int]? {
    let found = path.compactMap { node -> Int? in
      switch node {
      case .input(let input):
        return band.flatMap { numbers["tower-\($0)-input-\(input)"] } ?? numbers["input-\(input)"]
      case .unit(let layer, let unit):
        return outputs[node].flatMap { numbers["output-\($0)"] } ?? numbers["unit-\(layer)-\(unit)"]
      }
    }
    return found.count == path.count ? found : nil
  }
}

extension Graph.Node {
  fileprivate func word(_ attribute: String) -> String {
    if case .keyword(let word)? = attributes[attribute] { word } else { "" }
  }
}

extension Graph.Edge {
  fileprivate func value(_ name: String) -> Double {
    if case .number(let value)? = data?[name] { value } else { 0 }
  }
}
