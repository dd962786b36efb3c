import Foundation
import GraphDrawing

/// How much of a drawing is shown. What is left out first comes first in `steps`.
public struct Detail: Equatable, Sendable {
  /// Of edges.
  public var showsLabels = true
  /// Small boxes with short names and without units, small steps, few panels beside each other.
  public var isNarrow = false
  /// Names above columns become numbers with a list below, and cells lose theirs.
  public var usesNumbers = false
  /// Only so many of the strongest pairs; nil for all.
  public var mostPairs: Int?
  /// Points across which titles, legends and rows of panels are broken; nil for as many as they take.
  public var room: Double?

  public static let full = Detail()

  /// From everything to least.
  static func steps(room: Double) -> [Detail] {
    var steps = [Detail(room: room)]
    var next = steps[0]
    next.showsLabels = false
    steps.append(next)
    next.isNarrow = true
    steps.append(next)
    next.usesNumbers = true
    steps.append(next)
    next.mostPairs = 40
    steps.append(next)
    return steps
  }
}

/// A drawing made for the width at which it is looked at: its type is never smaller there than can be read.
public struct PageFit: Equatable, Sendable {
  /// In points.
  public static let leastType = 6.5
  /// In points: 1/72 inch.
  public let width: Double
  /// Nil where a drawing may be as high as it is.
  public let height: Double?
  private static let pad = 4.0

  /// A column of 85 mm, the width of a page of 180 mm, or any other; a slide is 13.3 by 7.5 inches.
  ///
  /// - Parameter text: "slide", or a number with mm, cm, in or pt; nil is returned for anything else and for widths
  ///   below 40 mm or above 5 m.
  public init?(_ text: String) {
    if text == "slide" {
      (width, height) = (960, 540)
      return
    }
    let units = ["mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72, "pt": 1]
    guard let unit = units[String(text.suffix(2))], let number = Double(text.dropLast(2)) else {
      return nil
    }
    let width = number * unit
    guard (113...14_200).contains(width) else { return nil }
    (self.width, height) = (width, nil)
  }

  /// The drawing with as much of its detail as fits, scaled to the width.
  ///
  /// - Throws: `PageFitProblem` where type would be too small even with the least detail.
  public func fit(_ draw: (Detail) -> Graph) throws(PageFitProblem) -> Graph {
    var least: (width: Double, height: Double)?
    // Type of seven points may shrink a little.
    for detail in Detail.steps(room: (width - 2 * Self.pad) * 1.05) {
      let graph = draw(detail)
      guard let bounds = graph.bounds else { return graph }
      let size = (bounds.width + 2 * Self.pad, bounds.height + 2 * Self.pad)
      let scale = min(width / size.0, height.map { $0 / size.1 } ?? .infinity)
      let type = graph.smallestType
      if type * scale >= Self.leastType { return scaled(graph, size, scale) }
      let needed = (size.0 * Self.leastType / type, size.1 * Self.leastType / type)
      if least.map({ needed.0 < $0.width }) ?? true { least = needed }
    }
    throw PageFitProblem(least: least ?? (0, 0), height: height)
  }

  private func scaled(_ graph: Graph, _ size: (Double, Double), _ scale: Double) -> Graph {
    var graph = graph
    graph.attributes["pad"] = .number(Self.pad / 72)
    // The mark makes Graphviz enlarge as well as shrink.
    graph.attributes["size"] = .keyword(
      String(format: "%.4f,%.4f!", size.0 * scale / 72, size.1 * scale / 72))
    return graph
  }
}

/// A drawing that cannot be read at the width asked for.
public struct PageFitProblem: Error, CustomStringConvertible {
  public let description: String

  init(least: (width: Double, height: Double), height: Double?) {
    let millimetres = (least.width * 25.4 / 72).rounded(.up)
    description =
      "with type of \(PageFit.leastType) points the drawing is at least \(Int(millimetres)) mm wide"
      + (height == nil ? "" : String(format: " and %.0f mm high", least.height * 25.4 / 72))
  }
}

extension Graph {
  /// The smallest type of any text, in points.
  var smallestType: Double {
    nodes.compactMap { node -> Double? in
      guard case .text(let text)? = node.attributes["label"], !text.isEmpty,
        case .number(let size)? = node.attributes["fontsize"]
      else { return nil }
      return size
    }.min() ?? PageFit.leastType
  }
}
