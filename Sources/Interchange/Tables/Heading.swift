import Dynamics

/// The name, unit and role in a column's heading.
///
/// `name [unit] (input)` as this program writes it; also `name (unit)` where the text in brackets is a known unit.
struct Heading: Equatable {
  var name: String
  var unit: String
  var role: Role?

  /// By scalars, not characters: brackets and spaces count as such even before a combining accent.
  init(_ text: String) {
    var rest = text.unicodeScalars[...]
    for candidate in [Role.control, .observable, .state] {
      let suffix = "(\(candidate.rawValue))".unicodeScalars
      guard rest.suffix(suffix.count).elementsEqual(suffix) else { continue }
      role = candidate
      rest = Self.withoutSpace(rest.dropLast(suffix.count))
      break
    }
    unit = ""
    if rest.last == "]", let open = Self.start(rest, "[", "]") {
      unit = String(rest[rest.index(after: open)...].dropLast())
      rest = Self.withoutSpace(rest[..<open])
    } else if rest.last == ")", let open = Self.start(rest, "(", ")"), open > rest.startIndex {
      let inside = String(rest[rest.index(after: open)...].dropLast())
      let isApart = rest[rest.index(before: open)] == " "
      // "f(t)" is a function, "mass (t)" a mass in tonnes.
      if UnitWords.isUnit(inside), isApart || UnitWords.isUnmistakable(inside) {
        unit = inside
        rest = Self.withoutSpace(rest[..<open])
      }
    }
    name = String(rest)
  }

  private static func withoutSpace(_ text: Substring.UnicodeScalarView)
    -> Substring.UnicodeScalarView
  {
    text.last == " " ? text.dropLast() : text
  }

  /// The bracket that the last one closes; units may hold brackets, as in "mol [H2O]".
  private static func start(
    _ text: Substring.UnicodeScalarView, _ open: Unicode.Scalar, _ close: Unicode.Scalar
  ) -> String.Index? {
    var depth = 0
    for index in text.indices.reversed() {
      if text[index] == close { depth += 1 }
      if text[index] == open { depth -= 1 }
      if depth == 0 { return index }
    }
    return text.lastIndex(of: open)
  }
}

/// Whether a text is a unit.
enum UnitWords {
  private static let bases: Set<String> = [
    "m", "g", "s", "A", "K", "mol", "cd", "Hz", "N", "Pa", "J", "W", "C", "V", "F", "Ω", "Ohm",
    "ohm", "S", "Wb", "T",
    "H", "lm", "lx", "Bq", "L", "l", "bar", "barg", "bara", "Wh", "VA", "VAr", "var", "eV", "cal",
    "t",
    "rad", "sec", "Nm", "e", "M", "B", "b", "ppm",
  ]
  private static let whole: Set<String> = [
    "°C", "℃", "degC", "deg C", "°F", "℉", "degF", "deg F", "K", "%", "pct", "percent", "‰", "ppb",
    "psi", "psig", "psia", "min", "h",
    "hr", "hrs", "hour", "hours", "d", "day", "days", "rpm", "1/min", "deg", "°", "lb", "lbs",
    "gal", "in", "ft", "inch", "cfm", "gpm", "lpm",
    "slpm", "sccm", "pH", "dB", "dBm", "atm", "torr", "mmHg", "inHg", "mbar", "-", "--", "–", "[-]",
    "1", "count", "counts", "cnt", "seconds", "minutes", "usec", "msec", "Nm3",
    "Sm3", "a.u.", "au", "mph", "kph", "kmh", "kn", "yr", "year", "week", "none", "n/a", "unitless",
    "bool", "rel", "Celsius", "Kelvin", "volt", "volts", "ampere", "amps", "watt", "watts",
    "newton", "pascal", "Grad C", "U/min", "vol%", "wt%", "%RH", "% RH", "rH",
  ]
  private static let prefixes = [
    "", "p", "n", "u", "µ", "μ", "m", "c", "d", "h", "k", "M", "G", "T",
  ]

  /// Units made of what is known, as "kg/m³", "W m-2 K-1", "m^2/s".
  static func isUnit(_ text: String) -> Bool {
    let bare = unbracketed(text)
    guard !bare.isEmpty, bare.count <= 24 else { return false }
    if whole.contains(bare) { return true }
    let marks: Set<Character> = [
      "/", "·", "*", ".", "^", " ", "-", "(", ")", "²", "³", "⁻", "¹", "_",
    ]
    let parts = bare.split { marks.contains($0) || $0.isASCII && $0.isNumber }
    return !parts.isEmpty
      && parts.allSatisfy { part in
        let word = String(part)
        return whole.contains(word)
          || prefixes.contains { prefix in
            word.hasPrefix(prefix) && bases.contains(String(word.dropFirst(prefix.count)))
          }
      }
  }

  /// More than one letter, or a sign that is no letter.
  static func isUnmistakable(_ text: String) -> Bool {
    text.count > 1 || text == "%" || text == "°" || text == "℃" || text == "‰"
  }

  static func unbracketed(_ text: String) -> String {
    var bare = text.trimmed
    for (open, close) in [("[", "]"), ("(", ")")]
    where bare.hasPrefix(open) && bare.hasSuffix(close) && bare.count > 2 {
      bare = String(bare.dropFirst().dropLast())
    }
    return bare.trimmed
  }

  /// Whether cells under headings are their units: most are, and none is a word of another kind.
  static func areUnits(_ cells: [String]) -> Bool {
    let filled = cells.map(\.trimmed).filter { !$0.isEmpty }
    guard !filled.isEmpty else { return false }
    let known = filled.count {
      // TS and RN: times and row numbers of Campbell's loggers.
      isUnit($0) || $0 == "TS" || $0 == "RN" || $0.hasPrefix("[") && $0.hasSuffix("]")
        || $0.hasPrefix("(") && $0.hasSuffix(")")
    }
    return known * 10 >= filled.count * 6
  }
}
