import Foundation

/// Text from files, names and arguments that is to be shown on a terminal. A control character would control the
/// terminal, a directional mark would change the order of the text, and either could hide or forge a message.
extension Unicode.Scalar {
  /// Whether a terminal acts on it instead of showing it: C0, DEL, C1, line separators, directional marks and
  /// overrides, invisible tags.
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
  /// The text with everything that controls a terminal shown as U+FFFD, line feeds included.
  public var singleLine: String { safe(keeping: []) }

  /// The text made safe with line feeds kept: for text whose line feeds are our own.
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

  /// For JSON: such characters (the encoder escapes only C0) as \u and four digits, which means the same to every
  /// reader.
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

  /// The text of an error that contains arguments, which may contain line feeds.
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
