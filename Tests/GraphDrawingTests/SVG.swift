import Foundation
import FoundationXML
import Testing

/// What a drawing in SVG holds, read by an XML parser.
struct SVG {
  struct Element {
    var name: String
    var attributes: [String: String]
    var text = ""
    /// The class of the innermost group of a node, an edge or the graph around it, and its number.
    var group: String
    var groupNumber: Int
  }

  let elements: [Element]

  /// Fails the test where the bytes are not well-formed XML.
  init(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let reader = Reader()
    let parser = XMLParser(data: Data(bytes))
    parser.delegate = reader
    let isWellFormed = parser.parse()
    try #require(
      isWellFormed, "\(String(describing: parser.parserError))", sourceLocation: sourceLocation)
    elements = reader.elements
  }

  /// The groups of a class: "node", "edge" or "graph".
  func groups(_ kind: String) -> [Group] {
    let members = Dictionary(grouping: elements.filter { $0.group == kind }, by: \.groupNumber)
    return members.sorted { $0.key < $1.key }.map { Group(elements: $0.value) }
  }

  struct Group {
    var elements: [Element]

    var id: String? { elements[0].attributes["id"] }
    var title: String? { elements.first { $0.name == "title" }.map { plain($0.text) } }
    var tooltip: String? {
      elements.lazy.compactMap { $0.attributes["xlink:title"] }.first.map(plain)
    }
    /// The lines of text.
    var lines: [String] { elements.filter { $0.name == "text" }.map { plain($0.text) } }

    func numbers(_ element: String, _ keys: String...) throws -> [Double] {
      let found = try #require(elements.first { $0.name == element })
      return try keys.map { try #require(Double(found.attributes[$0] ?? "")) }
    }
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []
    private var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      var element = Element(name: name, attributes: attributes, group: "", groupNumber: -1)
      if name == "g", let kind = attributes["class"] {
        (element.group, element.groupNumber) = (kind, elements.count)
      } else if let parent = open.last {
        (element.group, element.groupNumber) = (
          elements[parent].group, elements[parent].groupNumber
        )
      }
      open.append(elements.count)
      elements.append(element)
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if let current = open.last { elements[current].text += text }
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
      open.removeLast()
    }
  }
}

/// Graphviz writes the second of two spaces as one that does not break.
func plain(_ text: String) -> String { text.replacingOccurrences(of: "\u{A0}", with: " ") }
