import Scheduling

/// What a plan says of the cluster that carries it out; it decides no result.
public struct ClusterSettings: Equatable, Sendable {
  public var resources = Resources()
  /// Tasks of a job that may run at once; nil for as many as there are places.
  public var atOnce: Int?
  /// Seconds of work that are worth the start of a task.
  public var chunk = 60.0
  /// Rounds in a row that may bring nothing before a study is given up.
  public var attempts = 2

  public init() {}

  static let keys = [
    "partition", "account", "qos", "constraint", "time", "memory", "cores", "at-once", "chunk",
    "attempts",
  ]

  /// Seconds from "90s", "30m", "2h", "1d", "1-12:00:00" or "12:00:00".
  static func seconds(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    if let last = text.last, let unit = units[last] {
      guard let number = Double(text.dropLast()), number > 0, number * Double(unit) < 1e9 else {
        return nil
      }
      return Int((number * Double(unit)).rounded(.up))
    }
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    let clock = (halves.last ?? "").split(separator: ":", omittingEmptySubsequences: false)
      .map { Int($0) }
    let days = halves.count == 2 ? Int(halves[0]) : 0
    guard halves.count <= 2, let days, (0...3650).contains(days), clock.count == 3,
      let hours = clock[0], let minutes = clock[1], let rest = clock[2],
      (0...1000).contains(hours), (0..<60).contains(minutes), (0..<60).contains(rest)
    else { return nil }
    let sum = days * 86_400 + hours * 3600 + minutes * 60 + rest
    return sum > 0 ? sum : nil
  }

  /// Mebibytes from "500M", "4G" or "1T".
  static func mebibytes(_ text: String) -> Int? {
    let units: [Character: Double] = ["M": 1, "G": 1024, "T": 1_048_576]
    guard let last = text.last, let unit = units[last], let number = Double(text.dropLast()),
      number > 0, number * unit < 1e9
    else { return nil }
    return max(1, Int((number * unit).rounded(.up)))
  }

  /// Whether a word can be the name of a partition, an account or the like: such words go to other programs.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.count <= 200 && !text.hasPrefix("-")
      && text.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber || "-_.+,:&|()[]*/=@".contains($0))
      }
  }
}
