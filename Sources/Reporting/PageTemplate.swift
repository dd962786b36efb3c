import GraphDrawing
import Mustache

/// The template of a page in which nothing is markup that was a name.
public struct PageTemplate {
  /// Mustache escapes characters; here scalars are, see `XMLText`.
  private struct EscapedScalars: MustacheContentType {
    func escapeText(_ text: String) -> String { XMLText.attribute(text) }
  }

  private static let contentType: String = {
    MustacheContentTypes.register(EscapedScalars(), named: "SCALARS")
    return "SCALARS"
  }()

  private let template: MustacheTemplate

  /// - Parameter text: in Mustache's language.
  /// - Throws: what Mustache throws of a template that does not parse.
  public init(_ text: String) throws {
    template = try MustacheTemplate(string: "{{% CONTENT_TYPE: \(Self.contentType)}}" + text)
  }

  /// - Parameter values: what the template names; text between two braces is escaped.
  public func render(_ values: [String: Any]) -> String { template.render(values) }
}
