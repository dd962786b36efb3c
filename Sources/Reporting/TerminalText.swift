import Foundation

/// Text from files, names and arguments on its way to a terminal. A control character would drive it, a mark of
/// direction would show a text in another order than its own, and either could hide or forge a message.
extension Unicode.Scalar {
  /// Whether a terminal obeys it instead of showing it: C0, DEL, C1, separators of lines, marks and overrides of
  /// direction, invisible tags.
  public var drivesTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF,
      0xFFF9...0xFFFB, 0xE0000...0xE007F:
      true
    default: false
    }
  }
}

extension String {
  /// Whatever drives a terminal made visible as U+FFFD, line feeds too.
  public var singleLine: String { safe(keeping: []) }

  /// The same, but lines stay lines: for text whose line feeds are our own.
  public var terminalSafe: String { safe(keeping: ["\n"]) }

  package func safe(keeping kept: Set<Unicode.Scalar>) -> String {
    guard unicodeScalars.contains(where: { $0.drivesTerminal && !kept.contains($0) }) else {
      return self
    }
    var result = ""
    for scalar in unicodeScalars {
      result.unicodeScalars.append(
        scalar.drivesTerminal && !kept.contains(scalar) ? "\u{FFFD}" : scalar)
    }
    return result
  }

  /// Of JSON: what is left of such characters in its texts (the encoder escapes only C0) as \u and four digits,
  /// which means the same to every reader.
  package var escapedJSON: String {
    guard unicodeScalars.contains(where: { $0.drivesTerminal && $0 != "\n" }) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if scalar.drivesTerminal && scalar != "\n" {
        for unit in String(scalar).utf16 { result += String(format: "\\u%04x", unit) }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The text of an error, in which arguments stand that may hold line feeds of their own.
  package static func safeMessage(_ text: String, arguments: [String]) -> String {
    var text = text
    for argument in arguments {
      for part in [argument] + argument.split(separator: "=", maxSplits: 1).map(String.init)
      where part != part.singleLine && !part.isEmpty {
        text = text.replacing(part, with: part.singleLine)
      }
    }
    return text.terminalSafe
  }
}
