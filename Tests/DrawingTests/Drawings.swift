import GraphDrawing

extension Graph.Node {
  /// The classes.
  var kind: String { keyword("class") }
  var label: String? { if case .text(let text)? = attributes["label"] { text } else { nil } }
  var tooltip: String? { if case .text(let text)? = attributes["tooltip"] { text } else { nil } }

  private func keyword(_ name: String) -> String {
    if case .keyword(let word)? = attributes[name] { word } else { "" }
  }
}

extension Graph.Edge {
  var kind: String { keyword("class") }
  var drawingID: String { keyword("id") }
  var tooltip: String? { if case .text(let text)? = attributes["tooltip"] { text } else { nil } }

  private func keyword(_ name: String) -> String {
    if case .keyword(let word)? = attributes[name] { word } else { "" }
  }
}

extension Graph {
  /// Boxes, units, labels and lines of text that cover each other.
  var overlaps: [String] {
    let framed = nodes.compactMap { node in
      node.frame.flatMap { $0.width > 1 ? (id: node.id, frame: $0) : nil }
    }
    var found: [String] = []
    for (index, a) in framed.enumerated() {
      for b in framed[(index + 1)...] {
        let wide = min(a.frame.right, b.frame.right) - max(a.frame.left, b.frame.left)
        let high = min(a.frame.top, b.frame.top) - max(a.frame.bottom, b.frame.bottom)
        if wide > 0.01 && high > 0.01 { found.append("\(a.id) and \(b.id)") }
      }
    }
    return found
  }
}
