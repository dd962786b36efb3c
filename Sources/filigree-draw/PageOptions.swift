import CommandSupport
import Drawing

/// For what size a drawing is made, and how it is written.
struct PageOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case svg, png, pdf, dot, graphml, html
  }

  @Option(
    help: ArgumentHelp(
      """
      Make the drawing for this width: 85mm, 180mm, slide, or any other in mm, cm, in or pt. Its type is at least \
      6.5 points there; what finds no room is left out, labels of edges first.
      """, valueName: "width"))
  var width: String?

  @Flag(help: "Call variables by what they are in words, where the model knows it.")
  var longNames = false

  @Option(help: "With --output -, which writes to standard output: the format.")
  var format: Format?

  @Option(parsing: .unconditional, help: "Resolution of a .png in dots per inch.")
  var resolution = 150

  /// The size; nil where a drawing is as large as it is.
  var fit: PageFit? { width.flatMap { PageFit($0) } }

  func validate() throws {
    guard (10...2400).contains(resolution) else {
      throw ValidationError("--resolution \(resolution): must be between 10 and 2400.")
    }
    if let width, fit == nil {
      throw ValidationError("--width \(width): give slide, or a width such as 85mm, at least 40mm.")
    }
  }
}
