/// What the numbers of a column of time count.
struct TimeUnit: Equatable {
  /// In words that options take.
  var word: String
  var seconds: Double
  /// The origin of numbers of this kind.
  var origin = Origin.own

  enum Origin: Equatable {
    /// The start of the record, or unknown.
    case own
    /// 1970-01-01.
    case epoch
    /// 1899-12-30, the serial days of spreadsheets.
    case excel
    /// Year 0, MATLAB's datenum.
    case matlab
    /// 1601-01-01, hundreds of nanoseconds.
    case windows

    /// Days from here to 1970-01-01.
    var daysBeforeEpoch: Double? {
      switch self {
      case .own: nil
      case .epoch: 0
      case .excel: 25569
      case .matlab: 719529
      case .windows: 134774
      }
    }
  }

  /// The mean of the Gregorian calendar, in seconds.
  static let month = 2_629_746.0
  static let second = TimeUnit(word: "s", seconds: 1)

  private static let special: [TimeUnit] = [
    TimeUnit(word: "epoch", seconds: 1, origin: .epoch),
    TimeUnit(word: "epoch-ms", seconds: 1e-3, origin: .epoch),
    TimeUnit(word: "epoch-us", seconds: 1e-6, origin: .epoch),
    TimeUnit(word: "epoch-ns", seconds: 1e-9, origin: .epoch),
    TimeUnit(word: "excel", seconds: 86400, origin: .excel),
    TimeUnit(word: "matlab", seconds: 86400, origin: .matlab),
    TimeUnit(word: "windows", seconds: 1e-7, origin: .windows),
  ]

  static var words: [String] {
    ["s", "ms", "us", "ns", "min", "h", "d"] + special.map(\.word)
  }

  init(word: String, seconds: Double, origin: Origin = .own) {
    self.word = word
    self.seconds = seconds
    self.origin = origin
  }

  /// As an option or a heading names it; nil for an unknown word.
  init?(word: String) {
    let plain = word.lowercased()
    if let found = Self.special.first(where: { $0.word == plain }) {
      self = found
    } else if let seconds = Self.seconds(of: word) {
      self.init(word: word, seconds: seconds)
    } else {
      return nil
    }
  }

  /// Seconds of a unit of time; nil for a word that is none.
  static func seconds(of word: String) -> Double? {
    let names: [(Double, Set<String>)] = [
      (1, ["s", "sec", "secs", "second", "seconds", "sek", "sekunde", "sekunden", "secondes"]),
      (1e-3, ["ms", "msec", "msecs", "millisecond", "milliseconds", "millisekunden"]),
      (1e-6, ["us", "µs", "μs", "usec", "microsecond", "microseconds"]),
      (1e-9, ["ns", "nsec", "nanosecond", "nanoseconds"]),
      (60, ["min", "mins", "minute", "minutes", "minuten"]),
      (3600, ["h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heures"]),
      (86400, ["d", "day", "days", "tag", "tage", "jours"]),
      (12 * month, ["yr", "year", "years", "jahr", "jahre"]),
    ]
    let plain = word.lowercased()
    return names.first { $0.1.contains(plain) }?.0
  }

  /// The unit recognised from numbers alone: calendar times are far larger than the clock of any record.
  ///
  /// - Parameters:
  ///   - first, last: the least and the largest number.
  ///   - step: the median distance.
  ///   - isWhole: whether all are whole numbers.
  static func recognised(first: Double, last: Double, step: Double, isWhole: Bool) -> TimeUnit? {
    func lies(_ range: ClosedRange<Double>) -> Bool {
      range.contains(first) && range.contains(last)
    }
    func named(_ word: String) -> TimeUnit? { special.first { $0.word == word } }
    // 1990 to 2100 in each of them.
    if lies(6.31e8...4.11e9) && (isWhole || step >= 1e-4) { return named("epoch") }
    if lies(6.31e11...4.11e12) { return named("epoch-ms") }
    if lies(6.31e14...4.11e15) { return named("epoch-us") }
    if lies(6.31e17...4.11e18) { return named("epoch-ns") }
    if lies(1.227e17...1.575e17) { return named("windows") }
    // A step of less than a day beside numbers of this size is a fraction of a day.
    if lies(32874...73050) && !isWhole && step < 1 { return named("excel") }
    if lies(726834...767010) && !isWhole && step < 1 { return named("matlab") }
    return nil
  }
}
