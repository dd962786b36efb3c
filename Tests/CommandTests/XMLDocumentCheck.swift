import Foundation
import FoundationXML

enum XMLDocumentCheck {
  static func isWellFormed(_ data: Data) -> Bool { XMLParser(data: data).parse() }

  /// How many elements there are of each name; nil for what is not well-formed.
  static func elements(_ data: Data) -> [String: Int]? {
    let counter = Counter()
    let parser = XMLParser(data: data)
    parser.delegate = counter
    return parser.parse() ? counter.counts : nil
  }

  private final class Counter: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      counts[name, default: 0] += 1
    }
  }
}
