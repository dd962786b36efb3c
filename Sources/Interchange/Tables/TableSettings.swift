import Foundation

/// What a user states about a table; whatever is left out is found by examining it.
///
/// The names are those of the tools' options, and of the keys of a side file in YAML.
public struct TableSettings: Codable, Equatable, Sendable {
  /// Which comes first in dates such as 03/04/2024.
  public enum DateOrder: String, Codable, Sendable, CaseIterable {
    case dayFirst = "dmy"
    case monthFirst = "mdy"
  }

  public enum Outliers: String, Codable, Sendable, CaseIterable {
    /// Taken for missing.
    case drop
    /// Told of, and kept.
    case report
  }

  /// The column of time, by its name, its heading or its number from 1.
  public var time: String?
  /// s, ms, us, ns, min, h, d; epoch (s), epoch-ms, epoch-us, epoch-ns; excel, matlab (days).
  public var timeUnit: String?
  public var dateOrder: DateOrder?
  /// The spacing of rows in a table without time, such as "5 s".
  public var sampling: String?
  /// "." or ",".
  public var decimal: String?
  /// The column that distinguishes runs.
  public var trajectory: String?
  public var states: [String]?
  public var inputs: [String]?
  public var ignore: [String]?
  public var units: [String: String]?
  public var longNames: [String: String]?
  /// A new spacing of samples, such as "5 s".
  public var every: String?
  /// "split", or "fill N": how many missing samples in a row are bridged.
  public var gaps: String?
  /// Words and numbers that stand for missing values, besides the known ones.
  public var missing: [String]?
  public var outliers: Outliers?

  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case time, sampling, decimal, trajectory, states, inputs, ignore, units, every, gaps, missing,
      outliers
    case timeUnit = "time-unit"
    case dateOrder = "date-order"
    case longNames = "long-names"
  }

  /// The keys of a side file.
  public static var keys: [String] { CodingKeys.allCases.map(\.rawValue) }

  /// These settings, with those of `other` where they say nothing.
  public func completed(by other: TableSettings) -> TableSettings {
    var result = other
    result.time = time ?? other.time
    result.timeUnit = timeUnit ?? other.timeUnit
    result.dateOrder = dateOrder ?? other.dateOrder
    result.sampling = sampling ?? other.sampling
    result.decimal = decimal ?? other.decimal
    result.trajectory = trajectory ?? other.trajectory
    result.states = states ?? other.states
    result.inputs = inputs ?? other.inputs
    result.ignore = ignore ?? other.ignore
    result.units = (other.units ?? [:]).merging(units ?? [:]) { $1 }
    result.longNames = (other.longNames ?? [:]).merging(longNames ?? [:]) { $1 }
    result.every = every ?? other.every
    result.gaps = gaps ?? other.gaps
    result.missing = missing ?? other.missing
    result.outliers = outliers ?? other.outliers
    return result
  }

  /// What is impossible about the settings, in words; nil if nothing is.
  public var problem: String? {
    if let timeUnit, TimeUnit(word: timeUnit) == nil {
      return "time-unit \(timeUnit): must be one of \(TimeUnit.words.joined(separator: ", "))"
    }
    if let decimal, decimal != ".", decimal != "," {
      return "decimal \(decimal): must be \".\" or \",\""
    }
    for (key, text) in [("every", every), ("sampling", sampling)] {
      if let text, Duration.seconds(text) == nil {
        return "\(key) \(text): must be a time above zero, such as 5s, 250ms or 1min"
      }
    }
    if let gaps, GapRule(gaps) == nil {
      return "gaps \(gaps): must be \"split\" or \"fill N\", N samples at most"
    }
    return nil
  }

  /// A length of time in words.
  enum Duration {
    /// "5s", "0.5 min", "250ms"; a number alone is in seconds. Nil for other texts, and for durations not above
    /// zero.
    static func seconds(_ text: String) -> Double? {
      let trimmed = text.trimmingCharacters(in: .whitespaces)
      let number = trimmed.prefix { $0.isNumber || ".eE+-".contains($0) }
      var (digits, unit) = (String(number), String(trimmed.dropFirst(number.count)))
      // "5e" cannot be meant: an e at the end belongs to no unit either.
      if digits.last == "e" || digits.last == "E" { (digits, unit) = ("", "") }
      unit = unit.trimmingCharacters(in: .whitespaces)
      guard let value = Double(digits),
        let factor = TimeUnit.seconds(of: unit.isEmpty ? "s" : unit),
        (value * factor).isFinite, value * factor > 0
      else { return nil }
      return value * factor
    }
  }

  /// What becomes of missing samples.
  enum GapRule: Equatable {
    case split
    case fill(Int)

    /// Bridged by default: what a smoother can bridge without inventing a motion.
    static let usual = GapRule.fill(10)

    init?(_ text: String) {
      let words = text.lowercased().split { $0 == " " || $0 == ":" || $0 == "=" }
      switch (words.first, words.count) {
      case ("split", 1): self = .split
      case ("fill", 2):
        guard let count = Int(words[1]), (1...1_000_000_000).contains(count) else { return nil }
        self = .fill(count)
      default: return nil
      }
    }

    /// The most missing samples in a row that are bridged.
    var limit: Int { if case .fill(let count) = self { count } else { 0 } }
  }
}
