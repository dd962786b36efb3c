/// What sample times of a file must be: increasing and equally spaced, to one part in 10⁶ of the step
/// (and 10⁹ of the time itself, for rounding).
enum SampleTimes {
  static func areEven(step: Double, difference: Double, at time: Double) -> Bool {
    step > 0 && abs(difference - step) <= 1e-6 * step + 1e-9 * abs(time)
  }

  /// Seconds of a unit as CF writes it ("s", "hours since …"); no unit means seconds, nil an unknown one.
  static func seconds(unit: String?) -> Double? {
    guard let word = unit?.split(separator: " ").first else { return 1 }
    let names: [(Double, Set<String>)] = [
      (1, ["s", "sec", "second", "seconds"]), (60, ["min", "minute", "minutes"]),
      (3600, ["h", "hr", "hour", "hours"]), (86400, ["d", "day", "days"]),
    ]
    return names.first { $0.1.contains(word.lowercased()) }?.0
  }

  static func complaint(step: Double, difference: Double) -> String {
    step > 0
      ? "the time step is \(difference) s there, but \(step) s at the start; samples must be equally "
        + "spaced to one part in a million: resample them"
      : "time does not increase from the first sample to the second (step \(step) s)"
  }
}
