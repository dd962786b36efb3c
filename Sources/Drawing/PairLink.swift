import GraphDrawing

/// An edge between an input and an output.
struct PairLink {
  var output: Int
  var input: Int
  /// Which of two edges is drawn on top, and which is labelled where there are too many.
  var strength: Double
  /// Above all that are not.
  var isOnTop = false
  /// Colour, width, dashes and class.
  var attributes: Attributes
  /// Beside the line.
  var label: String?
  var tooltip: String
  /// Whether an arrow's head is hollow, where there is one.
  var isHollow = false
  /// For programs.
  var data: GraphData = [:]
}
