/// Many tasks grouped into fewer, each long enough to be worth its start.
public enum Parts {
  /// Groups of neighbouring tasks. A group ends when it would take longer than wanted, so that tasks longer than that
  /// are alone.
  ///
  /// - Parameters:
  ///   - seconds: how long each task takes.
  ///   - wanted: seconds of a group.
  ///   - most: groups that there may be; where there would be more, `wanted` grows.
  /// - Returns: ranges that cover all tasks in their order; at most `most` of them.
  public static func ranges(seconds: [Double], wanted: Double, most: Int) -> [Range<Int>] {
    precondition(most > 0)
    var limit = max(wanted, seconds.reduce(0, +) / Double(most))
    var ranges = grouped(seconds, limit)
    while ranges.count > most {
      limit *= 1.25
      ranges = grouped(seconds, limit)
      // Tasks that take no time, or none that can be added, are dealt out by number.
      guard limit.isFinite && limit > 0 else {
        let size = (seconds.count + most - 1) / most
        return stride(from: 0, to: seconds.count, by: size).map {
          $0..<min($0 + size, seconds.count)
        }
      }
    }
    return ranges
  }

  private static func grouped(_ seconds: [Double], _ limit: Double) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var sum = 0.0
    for (index, time) in seconds.enumerated() {
      if let last = ranges.last, sum + time <= limit {
        ranges[ranges.count - 1] = last.lowerBound..<(index + 1)
        sum += time
      } else {
        ranges.append(index..<(index + 1))
        sum = time
      }
    }
    return ranges
  }
}
