import Dynamics
import Foundation
import LinearAlgebra

/// Rows put into runs and into order, and how far apart they are.
///
/// A run is what the table names as one; a clock that starts again begins another run. Within a run rows are sorted
/// by time, and repeated rows count once. Stamps count as equally spaced if they lie within the value of their last
/// digit, or within a twentieth of a step, of an even clock.
struct Sampling {
  /// Seconds from one sample to the next.
  var step = 0.0
  /// For each run, where its rows lie on the even clock, in numbers of steps; nil where no sample is missing.
  var places: [[Int]]?
  /// The first place, in words, where the rows are not equally spaced.
  var unevenness: String?

  // MARK: Spacing

  init() {}

  init(_ table: inout RawTable) {
    let usual = Self.medianStep(table)
    guard usual > 0 else { return }
    if let reason = table.unevenness {
      unevenness = reason
      return
    }
    if takeEven(table) { return }
    if takeCoarse(&table) { return }
    let isMultiple = takeMultiples(&table, usual)
    if !isMultiple { unevenness = unevenness ?? "the rows are not equally spaced" }
  }

  /// One step everywhere, to one part in a million.
  private mutating func takeEven(_ table: RawTable) -> Bool {
    guard let first = table.segments.first(where: { $0.rows.count > 1 }) else { return false }
    let start = first.rows.lowerBound
    let candidate = table.times[start + 1] - table.times[start]
    for segment in table.segments {
      for row in segment.rows.dropFirst() {
        let difference = table.times[row] - table.times[row - 1]
        guard SampleTimes.areEven(step: candidate, difference: difference, at: table.times[row])
        else { return false }
      }
    }
    step = candidate
    return true
  }

  /// Several samples with one stamp: rows are even where each lies within its stamp's last digit.
  private mutating func takeCoarse(_ table: inout RawTable) -> Bool {
    guard table.resolution > 0 else { return false }
    var (equal, count) = (0, 0)
    // The slope of stamps over rows, by least squares: first and last stamp alone say little of it.
    var (squares, products) = (0.0, 0.0)
    for segment in table.segments where segment.rows.count > 1 {
      let middle = Double(segment.rows.count - 1) / 2
      for (place, row) in segment.rows.enumerated() {
        if place > 0, table.times[row] == table.times[row - 1] { equal += 1 }
        squares += (Double(place) - middle) * (Double(place) - middle)
        products +=
          (Double(place) - middle) * (table.times[row] - table.times[segment.rows.lowerBound])
      }
      count += segment.rows.count - 1
    }
    guard equal > 0, count > 2, squares > 0, products > 0 else { return false }
    let candidate = products / squares
    for segment in table.segments {
      let start = table.times[segment.rows.lowerBound]
      var (low, high) = (0.0, 0.0)
      for (place, row) in segment.rows.enumerated() {
        let deviation = table.times[row] - start - Double(place) * candidate
        (low, high) = (min(low, deviation), max(high, deviation))
      }
      guard high - low <= 1.6 * table.resolution + candidate else { return false }
    }
    step = Self.handy(candidate, within: table.resolution / Double(count))
    table.report.add(
      .assumed,
      "times are rounded to \(Words.time(table.resolution)), several rows to one: taken as equally spaced"
    )
    return true
  }

  /// Whole multiples of a step: what lacks are missing samples.
  private mutating func takeMultiples(_ table: inout RawTable, _ usual: Double) -> Bool {
    var base = usual
    var numbers: [[Int]] = []
    // The median of rounded stamps is rounded too: the step is what fits all of them.
    for _ in 0..<3 {
      numbers = table.segments.map { segment in
        var place = 0
        return segment.rows.map { row in
          if row > segment.rows.lowerBound {
            place += max(
              1, Int(min(1e9, ((table.times[row] - table.times[row - 1]) / base).rounded())))
          }
          return place
        }
      }
      let span = table.segments.reduce(0.0) {
        $1.rows.isEmpty
          ? $0 : $0 + table.times[$1.rows.upperBound - 1] - table.times[$1.rows.lowerBound]
      }
      let count = numbers.reduce(0) { $0 + ($1.last ?? 0) }
      guard count > 0, span > 0 else { return false }
      let better = span / Double(count)
      if abs(better / base - 1) < 1e-9 { break }
      base = better
    }
    let tolerance = max(0.05 * base, min(1.01 * table.resolution, 0.5 * base))
    var worst = 0.0
    for (segment, places) in zip(table.segments, numbers) {
      guard segment.rows.count > 1 else { continue }
      let steps = zip(places, places.dropFirst()).map { $1 - $0 }.sorted()
      if steps[steps.count / 2] != 1 {
        let first = segment.rows.lowerBound
        unevenness =
          "trajectory \(segment.name.isEmpty ? "0" : segment.name), sample 1: the time step is "
          + "\(table.times[first + 1] - table.times[first]) s there, but \(base) s elsewhere"
        return false
      }
      for index in places.indices.dropFirst() {
        let row = segment.rows.lowerBound + index
        let difference = table.times[row] - table.times[row - 1]
        let deviation = abs(difference - Double(places[index] - places[index - 1]) * base)
        worst = max(worst, deviation)
        if deviation > 2 * tolerance {
          unevenness =
            "trajectory \(segment.name.isEmpty ? "0" : segment.name), sample \(index): the time step is "
            + "\(Words.number(difference)) s there, but \(Words.number(usual)) s at most places"
          return false
        }
      }
    }
    let count = max(1, numbers.reduce(0) { $0 + ($1.last ?? 0) })
    let drift = Self.drift(table, numbers, base)
    guard drift <= 2 * tolerance || worst <= 0.02 * base + 2 * table.resolution else {
      unevenness =
        "stamps lie up to \(Words.time(drift)) beside an even clock of \(Words.time(base))"
      return false
    }
    let isRounding = drift <= 1.05 * table.resolution && worst <= 1.05 * table.resolution
    step = Self.handy(base, within: max(drift, table.resolution) / Double(count))
    let isComplete = zip(table.segments, numbers).allSatisfy {
      $0.rows.count == ($1.last ?? -1) + 1
    }
    places = isComplete ? nil : numbers
    let isExact = worst <= 1e-6 * base
    if !isExact {
      table.report.add(
        .assumed,
        isRounding
          ? "times are rounded to \(Words.time(table.resolution)): taken as equally spaced"
          : "times lie up to \(Words.time(drift, digits: 2)) beside an even clock: taken as equally spaced"
      )
    }
    return true
  }

  /// The largest distance of a stamp from the even clock that fits its run best.
  private static func drift(_ table: RawTable, _ numbers: [[Int]], _ base: Double) -> Double {
    var worst = 0.0
    for (segment, places) in zip(table.segments, numbers) where !segment.rows.isEmpty {
      let start = table.times[segment.rows.lowerBound]
      var (low, high) = (0.0, 0.0)
      for (place, row) in zip(places, segment.rows) {
        let deviation = table.times[row] - start - Double(place) * base
        (low, high) = (min(low, deviation), max(high, deviation))
      }
      worst = max(worst, (high - low) / 2)
    }
    return worst
  }

  /// The number of fewest digits, or the whole number of samples a second, that is as near.
  static func handy(_ value: Double, within tolerance: Double) -> Double {
    guard value > 0, value.isFinite else { return value }
    let reach = min(max(tolerance, 1e-9 * value), 0.01 * value)
    let exponent = Int(Double.log10(value).rounded(.down))
    for digits in 0..<3 {
      let power = digits - exponent
      let scale = Double.pow(10, abs(power))
      let rounded =
        power >= 0 ? (value * scale).rounded() / scale : (value / scale).rounded() * scale
      if abs(rounded - value) <= reach { return rounded }
    }
    let rate = (1 / value).rounded()
    if rate >= 1, abs(1 / rate - value) <= reach { return 1 / rate }
    for digits in 3..<12 {
      let power = digits - exponent
      let scale = Double.pow(10, abs(power))
      let rounded =
        power >= 0 ? (value * scale).rounded() / scale : (value / scale).rounded() * scale
      if abs(rounded - value) <= reach { return rounded }
    }
    return value
  }
}
