import Dynamics
import GraphDrawing
import Networks
import Structure

/// A pruned network in the usual layout: inputs on the left, rates on the right, between them what is left of the
/// hidden layers. Dead units are not drawn.
public struct NetworkDrawing {
  public enum Layout: Sendable {
    /// Each tower separately, beside the inputs that it reads, in columns of a page.
    case towers
    /// All inputs once, on the left; each tower a band.
    case layers
    /// Graphviz's `dot` places nodes and edges.
    case dot
  }

  public struct Options: Sendable {
    /// `towers` where there are several, `layers` otherwise, by default.
    public var layout: Layout?
    public var focus = DrawingFocus()
    /// Leaves out what is not in focus, which otherwise fades.
    public var crops = false
    public var activity: UnitActivity?
    /// Whether inputs and outputs may change places to save crossings, where there is one tower.
    public var movesEnds = false
    /// How much of each rate is explained, of an ensemble's member; nil where that is not known.
    public var explained: ExplainedShares?
    /// Above this number of weights they are gathered into edges between groups.
    public var mostEdges = 20_000

    public init() {}
  }

  /// Pairs of edges between neighbouring columns that cross; none are counted where `dot` draws.
  public let crossings: Int
  public let graph: Graph

  public init(_ model: Model, title: String, options: Options = Options()) {
    let structure = LiveStructure(model.network)
    var counts = NetworkDescription.counts(structure, of: model)
    let subject: NetworkPanel.Subject
    if structure.network.survivingWeightCount > options.mostEdges {
      let coarse = CoarseModel(model, structure)
      subject = NetworkPanel.Subject(
        coarse.model, description: NetworkDescription(coarse.model, groups: coarse.groups))
      counts += ", gathered into \(coarse.groups.weights.count) edges between groups"
    } else {
      let shown =
        options.crops ? options.focus.cropped(model, structure) : model
      subject = NetworkPanel.Subject(
        shown, focus: options.crops ? DrawingFocus() : options.focus, activity: options.activity)
    }
    let bands = subject.bandsInFocus(model.network.bands, crops: options.crops)
    let layout = options.layout ?? (model.network.bands.count > 1 ? .towers : .layers)
    let (body, crossings) = Self.body(subject, bands, layout, movesEnds: options.movesEnds)
    self.crossings = crossings
    if options.crops {
      counts += ", \(subject.structure.network.survivingWeightCount) weights shown"
    }
    if layout != .dot {
      counts +=
        crossings == 1 ? ", 1 crossing" : ", \(DrawingStyle.grouped(UInt64(crossings))) crossings"
    }
    var graph = DrawingStyle.graph("network", title: title, summary: counts)
    graph.add(body)
    let scale = subject.description.groups == nil ? "weight" : "root of the sum of squared weights"
    let captions = Captions(
      title: title, counts: counts,
      legend: [
        layout == .towers && bands.count > 1
          ? .relativeScale("largest weight of its rate")
          : .scale(scale, strongest: subject.strongest)
      ]
        + (subject.activity == nil ? [] : [.activity])
        + (options.explained.map { [$0.legend(model.outputs.map(\.name))] } ?? []),
      caption: NetworkDescription.recipe(model.recipe))
    if layout == .dot {
      graph = graph.placedByGraphviz(captions)
    } else {
      captions.add(to: &graph)
    }
    self.graph = graph
  }

  private static func body(
    _ subject: NetworkPanel.Subject, _ bands: [[Int]], _ layout: Layout, movesEnds: Bool
  ) -> (graph: Graph, crossings: Int) {
    guard layout == .towers else {
      let panel = NetworkPanel(subject, bands: bands, size: .full, movesEnds: movesEnds)
      return (panel.graph(headings: layout == .layers), panel.crossings)
    }
    // Rates are standardised each by itself: one large weight of one tower says nothing of the others.
    let strongest = bands.map { subject.structure.network.largestWeight(of: $0) }
    let panels = towers(subject, bands, strongest: strongest, size: .panel)
    return (
      Sheet.columns(panels.map { $0.graph(headings: false) }, gap: (36, 22)),
      panels.reduce(0) { $0 + $1.crossings }
    )
  }

  /// A panel for each tower, with boxes alike.
  ///
  /// - Parameters:
  ///   - inputs: what each shows; what it reads where it is nil.
  ///   - strongest: the weight of the widest edge of each; the model's where it is nil.
  static func towers(
    _ subject: NetworkPanel.Subject, _ bands: [[Int]], inputs: [[Int]]? = nil,
    strongest: [Double]? = nil, size: DrawingSize
  ) -> [NetworkPanel] {
    let shown =
      inputs
      ?? bands.map { band in
        let isRead = subject.structure.network.inputsRead(by: band)
        return isRead.indices.filter { isRead[$0] }
      }
    let widths = (
      inputs: VariableColumn.width(
        of: Set(shown.joined()).sorted().map { subject.model.inputs[$0] }, isOutput: false,
        size: size),
      outputs: VariableColumn.width(of: subject.model.outputs, isOutput: true, size: size)
    )
    return bands.enumerated().map { number, band in
      NetworkPanel(
        subject, bands: [band], inputs: shown[number], size: size, prefix: "tower-\(number)-",
        widths: widths, strongest: strongest?[number])
    }
  }
}

extension NetworkPanel.Subject {
  /// Without towers that are not in focus where the rest is cropped.
  fileprivate func bandsInFocus(_ bands: [[Int]], crops: Bool) -> [[Int]] {
    guard crops else { return bands }
    let left = bands.filter { structure.network.inputsRead(by: $0).contains(true) }
    return left.isEmpty ? bands : left
  }
}

extension DrawingFocus {
  /// The model with only the weights in focus.
  fileprivate func cropped(_ model: Model, _ structure: LiveStructure) -> Model {
    guard !isEverything else { return model }
    let wanted = edges(of: structure.network)
    var result = model
    result.network = structure.network
    for layer in result.network.layers.indices {
      for number in result.network.layers[layer].connections.indices {
        let connection = result.network.layers[layer].connections[number]
        for unit in 0..<connection.weight.rows {
          for column in 0..<connection.weight.columns
          where !wanted.contains(
            Edge(
              source: PathNode(connection.source, column), target: .unit(layer: layer, index: unit))
          ) {
            result.network.layers[layer].connections[number].weight[unit, column] = 0
          }
        }
      }
    }
    return result
  }
}

extension Graph {
  /// Without places, for `dot` to find them; title, counts and caption as the graph's label.
  func placedByGraphviz(_ captions: Captions) -> Graph {
    var result = self
    for (index, node) in nodes.enumerated() {
      guard let frame = node.frame else { continue }
      result.nodes[index].frame = nil
      result.nodes[index].attributes.merge([
        "width": .number(frame.width / 72), "height": .number(frame.height / 72),
        "fixedsize": "true",
      ]) { $1 }
    }
    for index in edges.indices {
      result.edges[index].curve = []
      result.edges[index].tip = nil
    }
    result.attributes.merge([
      "rankdir": "LR", "ranksep": 1.2, "nodesep": 0.08, "labelloc": "t", "fontsize": 11.0,
      "label": .text(
        [captions.title, captions.counts, captions.caption].filter { !$0.isEmpty }
          .joined(separator: "\n")),
    ]) { $1 }
    return result
  }
}
