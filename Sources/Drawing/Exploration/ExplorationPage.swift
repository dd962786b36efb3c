import Foundation
import GraphDrawing

extension Exploration {
  /// One self-contained page. Names are data: nothing in them is read as markup or script.
  ///
  /// - Throws: what `JSONEncoder` throws.
  public func page() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = String(decoding: try encoder.encode(content), as: UTF8.self)
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
      <title>\(XMLText.escaped(content.title))</title>
      <style>\(Self.palette)\(Self.style)</style>
      </head>
      \(Self.body(title: XMLText.escaped(content.title)))
      <script type="application/json" id="model">\(Self.inert(data))</script>
      <script>\(Self.script)</script>
      </html>

      """
  }

  /// Nothing is loaded from elsewhere, whatever a name contains.
  private static let policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

  /// JSON in which nothing ends the element that holds it.
  private static func inert(_ json: String) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(json.utf8.count)
    for byte in json.utf8 {
      switch byte {
      case UInt8(ascii: "<"): result += Array("\\u003c".utf8)
      case UInt8(ascii: ">"): result += Array("\\u003e".utf8)
      case UInt8(ascii: "&"): result += Array("\\u0026".utf8)
      default: result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The colours of ``DrawingStyle``, so that page and pictures look alike.
  private static var palette: String {
    let (state, control, other) = (
      DrawingStyle.colours(.state), DrawingStyle.colours(.control),
      DrawingStyle.colours(.observable)
    )
    let output = DrawingStyle.outputColours
    return """
      :root, .light { --ink: \(DrawingStyle.ink); --positive: \(DrawingStyle.positive); \
      --negative: \(DrawingStyle.negative); --mixed: \(RelevanceMap.mixed); \
      --state-fill: \(state.fill); --state: \(state.line); --input-fill: \(control.fill); \
      --input: \(control.line); --observable-fill: \(other.fill); --observable: \(other.line); \
      --output-fill: \(output.fill); --output: \(output.line); }

      """
  }
}
