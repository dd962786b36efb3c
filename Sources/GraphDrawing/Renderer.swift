import CGraphviz
import Synchronization

/// Draws graphs through libgraphviz, in process.
///
/// One long-lived context serves all calls; libgraphviz is not thread-safe, not even for reading, so one lock is
/// held from parsing to the last byte. Safe to call from any thread.
public enum Renderer {
  /// The layout programs of Graphviz that are used here.
  public enum Layout: String, Sendable {
    /// Layers by Graphviz's own method.
    case dot
    /// Nodes and edges at their `pos`.
    case fixed = "nop2"
  }

  public enum Format: String, CaseIterable, Sendable {
    case svg, png, pdf

    /// Graphviz's name of the renderer: text as text in SVG, cairo for the others.
    fileprivate var renderer: String {
      switch self {
      case .svg: "svg:svg"
      case .png: "png:cairo"
      case .pdf: "pdf:cairo"
      }
    }
  }

  private static let context = Mutex<Context?>(nil)

  /// - Throws: `GraphvizError` with what Graphviz said.
  public static func render(_ graph: Graph, as format: Format, layout: Layout = .fixed)
    throws(GraphvizError) -> [UInt8]
  {
    let named = format == .svg ? graph : graph.withPangoFonts
    let bytes = try render(dot: named.dot, as: format, layout: layout)
    if format == .pdf { return UndatedPDF.of(bytes) }
    guard format == .svg, !graph.title.isEmpty else { return bytes }
    return AccessibleSVG.described(bytes, title: graph.title, summary: graph.summary)
  }

  /// Draws a graph given in the DOT language.
  /// - Throws: `GraphvizError` with what Graphviz said, for example of a syntax error.
  public static func render(dot: String, as format: Format, layout: Layout = .dot)
    throws(GraphvizError) -> [UInt8]
  {
    try context.withLock { (held: inout sending Context?) throws(GraphvizError) -> [UInt8] in
      if held == nil { held = try Context() }
      Diagnostics.clear()
      let graph = try ParsedGraph(dot)
      guard let context = held?.pointer else { throw GraphvizError(message: "no context") }
      let placed = try PlacedGraph(graph, context: context, layout: layout)
      return try placed.rendered(as: format.renderer)
    }
  }

  /// Every C object has one owner that frees it.
  private struct Context {
    let pointer: OpaquePointer

    init() throws(GraphvizError) {
      Diagnostics.install()
      guard let pointer = gvContext() else { throw GraphvizError(message: "no context") }
      self.pointer = pointer
    }
  }

  private struct ParsedGraph: ~Copyable {
    let pointer: UnsafeMutablePointer<Agraph_t>

    init(_ dot: String) throws(GraphvizError) {
      filigree_reset_scanner()
      guard let pointer = agmemread(dot) else { throw Diagnostics.error("the graph has an error") }
      self.pointer = pointer
    }

    deinit { agclose(pointer) }
  }

  private struct PlacedGraph: ~Copyable {
    private let graph: ParsedGraph
    private let context: OpaquePointer

    init(_ graph: consuming ParsedGraph, context: OpaquePointer, layout: Layout)
      throws(GraphvizError)
    {
      self.context = context
      let status = gvLayout(context, graph.pointer, layout.rawValue)
      self.graph = graph
      if status != 0 { throw Diagnostics.error("the layout failed") }
    }

    deinit { gvFreeLayout(context, graph.pointer) }

    func rendered(as format: String) throws(GraphvizError) -> [UInt8] {
      var data: UnsafeMutablePointer<CChar>?
      var length = 0
      let status = filigree_render(context, graph.pointer, format, &data, &length)
      defer { gvFreeRenderData(data) }
      guard status == 0, let data, length > 0 else {
        throw Diagnostics.error("drawing as \(format) failed")
      }
      return Array(UnsafeRawBufferPointer(start: data, count: length))
    }
  }

  /// What Graphviz reports while the lock is held, piece by piece.
  private enum Diagnostics {
    private static let text = Mutex("")

    static func install() {
      _ = agseterrf { piece in
        if let piece { Diagnostics.append(String(cString: piece)) }
        return 0
      }
    }

    private static func append(_ piece: String) { text.withLock { $0 += piece } }

    static func clear() { text.withLock { $0 = "" } }

    static func error(_ fallback: String) -> GraphvizError {
      let said = text.withLock { $0 }
      let lines = said.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
      }
      return GraphvizError(message: lines.isEmpty ? fallback : lines.joined(separator: "; "))
    }
  }
}

extension Graph {
  /// Fonts by names for which Pango finds Helvetica's metrics: asked for "Helvetica" itself it finds a Type 1 font
  /// that it cannot set, and takes a wider one instead.
  fileprivate var withPangoFonts: Graph {
    func renamed(_ attributes: Attributes) -> Attributes {
      switch attributes["fontname"] {
      case .keyword("Helvetica"): attributes.merging(["fontname": "Arial"]) { $1 }
      case .keyword("Helvetica-Bold"): attributes.merging(["fontname": "Arial Bold"]) { $1 }
      default: attributes
      }
    }
    var result = self
    result.attributes = renamed(attributes)
    for index in nodes.indices { result.nodes[index].attributes = renamed(nodes[index].attributes) }
    for index in edges.indices { result.edges[index].attributes = renamed(edges[index].attributes) }
    return result
  }
}

/// What Graphviz said when it failed.
public struct GraphvizError: Error, Equatable, CustomStringConvertible {
  public let message: String
  public var description: String { "Graphviz: \(message)" }
}
