extension Graph {
  /// The graph for other programs in GraphML (Brandes, Eiglsperger, Lerner, *GraphML Primer*), which networkx, igraph,
  /// Gephi, yEd and Cytoscape read: nodes and edges that carry data, with these; titles, labels and legends are left
  /// out. Places of nodes are their data `x` and `y`, in points, y upwards. The same graph always gives the same text.
  public var graphML: String {
    let nodes = nodes.filter { $0.data != nil }.map { ($0.id, $0.wholeData) }
    let names = Set(nodes.map(\.0))
    let edges = edges.filter { $0.data != nil && names.contains($0.from) && names.contains($0.to) }
    let nodeKeys = GraphML.keys("n", nodes.map(\.1))
    let edgeKeys = GraphML.keys("e", edges.map { $0.data ?? [:] })
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <graphml xmlns="http://graphml.graphdrawing.org/xmlns" \
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
      xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">

      """
    text += GraphML.declaration("title", "graph", "title", "string")
    text += GraphML.declaration("summary", "graph", "summary", "string")
    for key in nodeKeys { text += GraphML.declaration(key.id, "node", key.name, key.type) }
    for key in edgeKeys { text += GraphML.declaration(key.id, "edge", key.name, key.type) }
    text += "  <graph id=\"\(XMLText.attribute(name))\" edgedefault=\"directed\">\n"
    text += GraphML.data("title", .text(title), indent: 4)
    text += GraphML.data("summary", .text(summary), indent: 4)
    for (id, data) in nodes {
      text += "    <node id=\"\(XMLText.attribute(id))\">\n"
      text += GraphML.data(data, nodeKeys) + "    </node>\n"
    }
    for edge in edges {
      var id = ""
      if case .keyword(let word)? = edge.attributes["id"] {
        id = " id=\"\(XMLText.attribute(word))\""
      }
      text +=
        "    <edge\(id) source=\"\(XMLText.attribute(edge.from))\" target=\"\(XMLText.attribute(edge.to))\">\n"
      text += GraphML.data(edge.data ?? [:], edgeKeys) + "    </edge>\n"
    }
    return text + "  </graph>\n</graphml>\n"
  }
}

extension Graph.Node {
  /// With where it is.
  fileprivate var wholeData: GraphData {
    guard let data, let frame else { return data ?? [:] }
    return data.merging(["x": .number(frame.centre.x), "y": .number(frame.centre.y)]) { given, _ in
      given
    }
  }
}

/// The spelling of GraphML.
private enum GraphML {
  struct Key {
    var id: String
    var name: String
    var type: String
  }

  /// By name; a key that has numbers and integers is one of numbers, one that has any text is of texts.
  static func keys(_ prefix: String, _ all: [GraphData]) -> [Key] {
    var types: [String: String] = [:]
    for (name, value) in all.joined() {
      let type =
        switch value {
        case .text: "string"
        case .number: "double"
        case .integer: "long"
        }
      guard let known = types[name], known != type else {
        types[name] = type
        continue
      }
      types[name] = known == "string" || type == "string" ? "string" : "double"
    }
    return types.sorted { $0.key < $1.key }.enumerated().map {
      Key(id: "\(prefix)\($0)", name: $1.key, type: $1.value)
    }
  }

  static func declaration(_ id: String, _ target: String, _ name: String, _ type: String) -> String
  {
    "  <key id=\"\(id)\" for=\"\(target)\" attr.name=\"\(XMLText.attribute(name))\" attr.type=\"\(type)\"/>\n"
  }

  static func data(_ data: GraphData, _ keys: [Key]) -> String {
    keys.map { key in data[key.name].map { Self.data(key.id, $0, indent: 6) } ?? "" }.joined()
  }

  static func data(_ key: String, _ value: GraphValue, indent: Int) -> String {
    let text =
      switch value {
      case .text(let text): XMLText.escaped(text)
      case .integer(let number): String(number)
      case .number(let number):
        number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-INF" : "INF") : "\(number)"
      }
    return String(repeating: " ", count: indent) + "<data key=\"\(key)\">\(text)</data>\n"
  }
}
