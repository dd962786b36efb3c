import Foundation

/// What was found in a table, what was assumed, and what was done to it.
public struct TableReport: Codable, Equatable, Sendable {
  public struct Note: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, Sendable {
      /// How the table is written.
      case layout
      /// What was assumed because nothing was stated.
      case assumed
      /// What was changed.
      case done
      /// What is left out.
      case leftOut = "left_out"
      /// What is noteworthy and was left unchanged.
      case found
    }
    public var kind: Kind
    public var text: String

    public init(_ kind: Kind, _ text: String) {
      self.kind = kind
      self.text = text
    }
  }

  public var file: String
  /// "180 samples, 5 s apart, 15 min in all".
  public var summary = ""
  public var notes: [Note] = []
  /// The spacing to which unequally spaced rows should be resampled, as `--every` takes it.
  public var every: String?

  public init(file: String) { self.file = file }

  /// A length of time in the unit in which its number is handy: "15 min".
  public static func time(_ seconds: Double) -> String { Words.time(seconds, digits: 3) }

  mutating func add(_ kind: Note.Kind, _ text: String) {
    let note = Note(kind, text)
    if !notes.contains(note) { notes.append(note) }
  }

  /// All notes on one line; if that gets too long, what was changed comes first.
  public func line(limit: Int = 8) -> String {
    let order: [Note.Kind] = [.done, .leftOut, .assumed, .found, .layout]
    let ranked = order.flatMap { kind in notes.filter { $0.kind == kind } }
    let texts = ranked.prefix(limit).map(\.text)
    let rest = ranked.count - texts.count
    return ([summary] + texts + (rest > 0 ? ["… and \(rest) more (filigree-data check)"] : []))
      .filter { !$0.isEmpty }.joined(separator: "; ")
  }
}

/// Texts of numbers, times and counts in notes.
enum Words {
  /// At most this many significant digits, without needless zeros.
  static func number(_ value: Double, digits: Int = 6) -> String {
    guard value.isFinite else { return "\(value)" }
    if value == 0 { return "0" }
    var text = String(format: "%.\(digits)g", value)
    if text.contains("e") {
      text = text.replacing("e+0", with: "e").replacing("e+", with: "e").replacing(
        "e-0", with: "e-")
    }
    return text
  }

  /// "5 s", "1 ms", "15 min", in the unit in which the number is handy.
  static func time(_ seconds: Double, digits: Int = 4) -> String {
    let magnitude = abs(seconds)
    let (factor, unit): (Double, String) =
      switch magnitude {
      case 0: (1, "s")
      case ..<1e-6: (1e-9, "ns")
      case ..<0.9995e-3: (1e-6, "µs")
      case ..<0.9995: (1e-3, "ms")
      case ..<180: (1, "s")
      case ..<10800: (60, "min")
      case ..<259200: (3600, "h")
      case 8.64e7...: (12 * TimeUnit.month, "yr")
      default: (86400, "d")
      }
    return number(seconds / factor, digits: digits) + " " + unit
  }

  static func counted(_ count: Int, _ noun: String) -> String {
    let plural = noun.hasSuffix("y") ? "\(noun.dropLast())ies" : "\(noun)s"
    return "\(grouped(count)) \(count == 1 ? noun : plural)"
  }

  /// "1,234,567".
  static func grouped(_ count: Int) -> String {
    guard count >= 100_000 else { return "\(count)" }
    var result = ""
    for (index, digit) in "\(count)".reversed().enumerated() {
      if index > 0 && index % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return String(result.reversed())
  }

  /// The first few names, and how many more.
  static func listed(_ names: [String], limit: Int = 6) -> String {
    let text = names.prefix(limit).map { shown($0) }.joined(separator: ", ")
    return names.count > limit ? "\(text) and \(names.count - limit) more" : text
  }

  /// A name or a cell as a message may show it: short, on one line, without control characters.
  static func shown(_ text: String, limit: Int = 60) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
      let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return text.unicodeScalars.count > limit ? result + "…" : result
  }
}
