import GraphDrawing
import Structure

extension PlantTruth.Outcome {
  /// What a drawing shows: pairs that are selected or should have been.
  static let drawn: [PlantTruth.Outcome] = [.found, .missed, .spurious, .weakFound]

  /// In legends and tooltips.
  var meaning: String {
    switch self {
    case .found: "found"
    case .missed: "missed"
    case .spurious: "spurious"
    case .weakFound: "too weak to count"
    case .weakNotFound: "too weak to count, not found"
    case .rightlyAbsent: "absent"
    }
  }

  func style(share: Double) -> Attributes {
    let (kind, colour, dashes): (String, String, String) =
      switch self {
      case .found: ("found", "#00785A", "solid")
      case .missed: ("missed", "#CC7A00", "dotted")
      case .spurious: ("spurious", DrawingStyle.negative, "dashed")
      case .weakFound, .weakNotFound, .rightlyAbsent: ("weak", "#999999", "solid")
      }
    let least = self == .missed || self == .spurious ? 0.9 : 0
    return [
      "color": .keyword(colour + (least > 0 ? "" : DrawingStyle.opacity(share))),
      "style": .keyword(dashes), "arrowhead": "none",
      "penwidth": .number(max(least, DrawingStyle.width(share))),
      "class": .keyword("dependency \(kind)"),
    ]
  }
}
