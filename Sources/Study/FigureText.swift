import Foundation

/// Figures as a report shows them.
enum FigureText {
  /// Three significant digits.
  static func number(_ value: Double) -> String {
    value.isFinite ? String(format: "%.3g", value) : "–"
  }

  static func signed(_ value: Double) -> String {
    (value < 0 ? "−" : "+") + String(format: "%.2f", abs(value))
  }

  static func interval(_ interval: ClosedRange<Double>) -> String {
    func digits(_ value: Double) -> String {
      (value < 0 ? "−" : "") + String(format: "%.2g", abs(value))
    }
    return "(\(digits(interval.lowerBound)) to \(digits(interval.upperBound)))"
  }

  /// A figure with its interval.
  static func figure(_ value: Double, _ interval: ClosedRange<Double>) -> String {
    (value < 0 ? "−" : "") + String(format: "%.2g", abs(value)) + " " + Self.interval(interval)
  }
}
