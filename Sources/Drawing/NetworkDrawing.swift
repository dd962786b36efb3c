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
    /// The model over data: edges then show effects, and units that act as lines or never are folded away; nil for
    /// weights.
    public var acting: ActingNetwork?
    /// Whether inputs and outputs may change places to save crossings, where there is one tower.
    public var movesEnds = false
    /// How much of each rate is explained, of an ensemble's member; nil where that is not known.
    public var explained: ExplainedShares?
    /// Above this number of weights they are gathered into edges between groups.
    public var mostEdges = 20_000
    /// How much is shown where the drawing is made for a width.
    public var detail = Detail.full

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
        ShownNetwork(coarse.model),
        description: NetworkDescription(coarse.model, groups: coarse.groups))
      counts += ", gathered into \(coarse.groups.weights.count) edges between groups"
    } else {
      subject = NetworkPanel.Subject(
        ShownNetwork(model, acting: options.acting, focus: options.focus, crops: options.crops),
        activity: options.activity)
    }
    let bands = subject.bandsInFocus(model.network.bands, crops: options.crops)
    let layout = options.layout ?? (model.network.bands.count > 1 ? .towers : .layers)
    let (body, crossings) = Self.body(subject, bands, layout, options)
    self.crossings = crossings
    if options.crops {
      let shown = subject.structure.network.survivingWeightCount
      counts += ", \(shown) \(options.acting == nil ? "weights" : "edges") shown"
    }
    if layout != .dot {
      counts +=
        crossings == 1 ? ", 1 crossing" : ", \(DrawingStyle.grouped(UInt64(crossings))) crossings"
    }
    var graph = DrawingStyle.graph("network", title: title, summary: counts)
    graph.add(body)
    let captions = Captions(
      title: title, counts: counts,
      legend: Self.legend(
        subject, isRelative: layout == .towers && bands.count > 1, isByTower: layout == .towers,
        options)
        + (options.explained.map { [$0.legend(model.outputs.map(\.name))] } ?? []),
      caption: NetworkDescription.recipe(model.recipe))
    if layout == .dot {
      graph = graph.placedByGraphviz(captions)
    } else {
      captions.add(to: &graph, options.detail)
    }
    self.graph = graph
  }

  private static func legend(
    _ subject: NetworkPanel.Subject, isRelative: Bool, isByTower: Bool, _ options: Options
  ) -> [[Captions.Sample]] {
    if let acting = options.acting {
      return [
        isRelative
          ? .relativeScale("effects over the data, relative to the largest on its rate")
          : .scale("effect over the data, in deviations", strongest: subject.strongest)
      ]
        + NetworkDescription.effects(
          acting, sums: subject.effects?.sums.count ?? 0,
          hasNumbers: isByTower || subject.model.outputs.count == 1)
        + (subject.activity == nil ? [] : [.activity])
    }
    let scale = subject.description.groups == nil ? "weight" : "root of the sum of squared weights"
    return [
      isRelative
        ? .relativeScale("by weight, relative to the largest weight of its rate")
        : .scale("by \(scale)", strongest: subject.strongest)
    ] + (subject.activity == nil ? [] : [.activity])
  }

  /// The network alone, and how many pairs of its edges cross.
  ///
  /// - Parameters:
  ///   - subject: what is drawn.
  ///   - bands: the layers to be drawn, by towers.
  ///   - layout: where they stand.
  ///   - options: how much is shown, and in which order.
  static func body(
    _ subject: NetworkPanel.Subject, _ bands: [[Int]], _ layout: Layout, _ options: Options
  ) -> (graph: Graph, crossings: Int) {
    let isNarrow = options.detail.isNarrow
    guard layout == .towers else {
      let panel = NetworkPanel(
        subject, bands: bands, size: isNarrow ? .column : .full, movesEnds: options.movesEnds)
      return (panel.graph(headings: layout == .layers), panel.crossings)
    }
    // Rates are standardised each by itself: one large weight of one tower says nothing of the others.
    let strongest = bands.map { subject.strongest(of: $0) }
    let panels = towers(subject, bands, strongest: strongest, size: isNarrow ? .column : .panel)
    return (
      Sheet.columns(
        panels.map { $0.graph(headings: false) }, gap: isNarrow ? (16, 16) : (36, 22),
        room: options.detail.room),
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
