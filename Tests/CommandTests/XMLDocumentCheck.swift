import Foundation
import FoundationXML

enum XMLDocumentCheck {
  static func isWellFormed(_ data: Data) -> Bool { XMLParser(data: data).parse() }
}
