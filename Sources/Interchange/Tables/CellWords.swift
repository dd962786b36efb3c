/// Meanings of words in cells that should hold numbers.
enum CellWords {
  /// Small letters, without blanks at the ends.
  static func plain(_ text: String) -> String {
    text.trimmed.lowercased()
  }

  /// What historians, loggers, spreadsheets and databases write where there is no value.
  static let missing: Set<String> = [
    "", "na", "n/a", "n.a.", "n.a", "#n/a", "#n/a n/a", "#na", "<na>", "nan", "-nan", "+nan",
    "nan(ind)",
    "-nan(ind)", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "1.#inf", "null", "(null)", "<null>",
    "#null!", "none",
    "nil", "nul", "\\n", "missing", "nodata", "no data", "no_data", "no value", "no good data",
    "no good data for calculation", "not available", "unavailable", "not connect", "not connected",
    "disconnected", "bad", "bad input", "bad data", "bad quality", "bad total", "bad_quality",
    "badq", "bad value",
    "i/o timeout", "io timeout", "timeout", "time out", "comm fail", "comm failure", "comm error",
    "com fail", "configure", "not configured", "pt created", "point created", "scan off",
    "scan timeout",
    "intf shut", "shutdown", "under range", "over range", "out of range", "underrange", "overrange",
    "out of serv", "out of service", "calc failed", "calc fail", "calc error", "calc crash",
    "error", "err", "fault",
    "failed", "failure", "fail", "invalid", "invalid data", "invalid float", "no sample",
    "no result",
    "offline", "off-line", "unknown", "undefined", "undef", "overflow", "-", "--", "---", "----",
    "–", "—", ".", "..",
    "...", "?", "??", "???", "*", "**", "***", "****", "*****", "#", "###", "####", "#####",
    "######", "#######",
    "########", "x", "xx", "#value!", "#ref!", "#div/0!", "#num!", "#name?", "#getting_data",
    "#wert!",
    "#bezug!", "#nv", "#zahl!", "#spill!", "#calc!", "ungültig", "kein wert", "keine daten",
    "schlecht", "leer", "fehler", "sin datos",
    "nv", "n.v.", "k.a.", "uncertain", "questionable", "no update", "not updated", "stale",
    "arc off-line", "access denied", "digital state", "doubtful",
  ]

  /// The two states of a switch.
  static func switched(_ word: String) -> Double? {
    switch word {
    case "on", "true", "yes", "open", "opened", "running", "run", "active", "start", "started",
      "ein", "an", "ja", "wahr", "auf":
      1
    case "off", "false", "no", "closed", "close", "stopped", "stop", "inactive", "idle", "aus",
      "nein", "falsch", "zu":
      0
    default: nil
    }
  }

  /// Numbers that stand for missing values in files from loggers, well logs and old data banks; taken as such only
  /// where they lie far from all other values in their column.
  static let sentinels: Set<Double> = {
    var result: Set<Double> = [
      -999.25, -999.9, -999.99, -99.9, -99.99, 999.9, 999.99, 1e20, 1e30, -1e30, 1e35, -1e35, 1e36,
      9.96920996838687e36, -1e20,
      -1e31, 1e31, 1e37, 1e38, -1e38, 3.4028234663852886e38, -3.4028234663852886e38,
      1.7976931348623157e308, -1.7976931348623157e308,
      32767, -32768, 65535, 2_147_483_647, -2_147_483_648, 4_294_967_295, 8191, 16383, -32767, 7999,
      32766, 3.4e38, -3.4e38,
    ]
    var nines = 99.0
    while nines < 1e10 {
      result.insert(nines)
      result.insert(-nines)
      nines = nines * 10 + 9
    }
    var eights = 888.0
    while eights < 1e8 {
      result.insert(eights)
      result.insert(-eights)
      eights = eights * 10 + 8
    }
    return result
  }()

  /// Words that grade a value instead of being one.
  static let good: Set<String> = [
    "good", "ok", "good quality", "valid", "normal", "192", "gut", "g", "true", "0x00",
    "good, non-specific",
  ]
}

extension String {
  /// Without blanks and tabs at its ends, by scalars.
  var trimmed: String {
    var scalars = unicodeScalars[...]
    func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
      scalar.map { $0 == " " || $0 == "\t" || $0 == "\u{A0}" } ?? false
    }
    while isBlank(scalars.first) { scalars = scalars.dropFirst() }
    while isBlank(scalars.last) { scalars = scalars.dropLast() }
    return String(scalars)
  }
}
