/// Dates and times of day out of bytes.
///
/// ISO 8601 with or without a zone; day, month and year in any order with points, slashes, bars or blanks
/// between them and the month as a number or an English word; times of day with fractions, a point or a
/// comma before these, AM and PM. A year of two digits lies between 1970 and 2069.
struct CalendarStamp: Equatable {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// Since 1970-01-01T00:00:00, in UTC where there was a zone; of a time of day alone since midnight.
  var nanoseconds: Int64
  var hasDate = false
  var hasClock = false
  var hasZone = false
  /// The first two numbers of a date in which these may be day and month or the other way round.
  var first = 0
  var second = 0
  var isOrderOpen = false
  /// Digits of the fraction of a second; −1 where there are no seconds.
  var decimals = 0

  /// - Parameter dayFirst: how to read 03/04/2024.
  /// - Returns: nil for bytes that are no stamp, or a day that no calendar has.
  static func parse(_ bytes: Bytes, _ start: Int, _ end: Int, dayFirst: Bool) -> CalendarStamp? {
    var reader = Reader(bytes: bytes, position: start, end: end)
    return reader.stamp(dayFirst: dayFirst)
  }

  /// Of year, month, day, hour, minute and second, each in a column of its own; hours may run to 24.
  static func nanoseconds(parts: [Double]) -> Int64? {
    let (year, month, day) = (parts[0], parts[1], parts[2])
    guard (1600...2261).contains(year), (1...12).contains(month), year == year.rounded(),
      month == month.rounded(), day == day.rounded(),
      day >= 1, day <= Double(length(of: Int(month), Int(year))),
      (0...24).contains(parts[3]), (0...60).contains(parts[4]), (0...61).contains(parts[5])
    else { return nil }
    let days = Int64(Self.days(year: Int(year), month: Int(month), day: Int(day)))
    let clock = parts[3] * 3600 + parts[4] * 60 + parts[5]
    return days * 86_400_000_000_000 + Int64((clock * 1e9).rounded())
  }

  /// Whether digits alone may be a date of the years 1900 to 2099: yyyymmdd, with hours, minutes and seconds behind
  /// it or not.
  static func isCompact(_ bytes: Bytes, _ start: Int, _ end: Int) -> Bool {
    guard [8, 10, 12, 14].contains(end - start),
      bytes[start..<end].allSatisfy({ $0 &- 0x30 < 10 }),
      bytes[start..<(start + 2)].elementsEqual("19".utf8)
        || bytes[start..<(start + 2)].elementsEqual("20".utf8)
    else { return false }
    return parse(bytes, start, end, dayFirst: true) != nil
  }

  /// Days from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms", days_from_civil).
  static func days(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146097 + dayOfEra - 719468
  }

  /// Year, month and day of a number of days since 1970-01-01 (civil_from_days, ibid.).
  static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days + 719468
    let era = (z >= 0 ? z : z - 146096) / 146097
    let dayOfEra = z - era * 146097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
  }

  /// "2024-03-31T00:55:00", with Z for UTC.
  static func text(nanoseconds: Int64, isUTC: Bool) -> String {
    func padded(_ value: Int, _ width: Int = 2) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let perDay: Int64 = 86_400_000_000_000
    let day = Int((nanoseconds >= 0 ? nanoseconds : nanoseconds - perDay + 1) / perDay)
    let rest = nanoseconds - Int64(day) * perDay
    let date = date(days: day)
    let seconds = Int(rest / 1_000_000_000)
    let fraction = Int(rest % 1_000_000_000)
    var text = "\(padded(date.year, 4))-\(padded(date.month))-\(padded(date.day))T"
    text += "\(padded(seconds / 3600)):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))"
    if fraction > 0 {
      var digits = padded(fraction, 9)
      while digits.last == "0" { digits.removeLast() }
      text += "." + digits
    }
    return text + (isUTC ? "Z" : "")
  }

  private struct Reader {
    let bytes: Bytes
    var position: Int
    let end: Int

    var next: UInt8? { position < end ? bytes[position] : nil }

    mutating func skip(_ byte: UInt8) -> Bool {
      guard next == byte else { return false }
      position += 1
      return true
    }

    mutating func skipBlanks() { while next == 0x20 { position += 1 } }

    /// At most nine digits.
    mutating func digits() -> (value: Int, count: Int)? {
      var value = 0
      var count = 0
      while let byte = next, byte &- 0x30 < 10, count < 9 {
        value = value * 10 + Int(byte - 0x30)
        count += 1
        position += 1
      }
      return count > 0 ? (value, count) : nil
    }

    mutating func word() -> [UInt8] {
      var result: [UInt8] = []
      while let byte = next, (0x61...0x7A).contains(byte | 0x20) {
        result.append(byte | 0x20)
        position += 1
      }
      return result
    }

    /// yyyymmddhh, with minutes and seconds or without.
    private mutating func compact() -> CalendarStamp? {
      let begin = position
      guard [10, 12, 14].contains(end - begin) else { return nil }
      var parts: [Double] = [0, 1, 1, 0, 0, 0]
      var width = 4
      for part in parts.indices where position < end {
        var value = 0
        for _ in 0..<width {
          guard let byte = next, byte &- 0x30 < 10 else {
            position = begin
            return nil
          }
          value = value * 10 + Int(byte - 0x30)
          position += 1
        }
        parts[part] = Double(value)
        width = 2
      }
      guard parts[3] < 24, parts[4] < 60, parts[5] < 60,
        let moment = CalendarStamp.nanoseconds(parts: parts)
      else { return nil }
      return CalendarStamp(
        nanoseconds: moment, hasDate: true, hasClock: true, decimals: end - begin == 14 ? 0 : -1)
    }

    /// "May 03 08:00:00 CEST 2024", as date(1) and Java write it.
    private mutating func yearLast() -> CalendarStamp? {
      var result = CalendarStamp(nanoseconds: 0)
      guard let month = month() else { return nil }
      skipBlanks()
      guard let day = digits(), day.count <= 2, skip(0x20), readClock(&result), result.decimals >= 0
      else { return nil }
      skipBlanks()
      if let byte = next, byte &- 0x30 >= 10 {
        guard readZone(&result) else { return nil }
        skipBlanks()
      }
      guard let year = digits(), year.count == 4, position == end,
        (1600...2261).contains(year.value),
        (1...CalendarStamp.length(of: month, year.value)).contains(day.value)
      else { return nil }
      let days = CalendarStamp.days(year: year.value, month: month, day: day.value)
      result.nanoseconds += Int64(days) * 86_400_000_000_000
      result.hasDate = true
      return result
    }

    mutating func stamp(dayFirst: Bool) -> CalendarStamp? {
      if let found = compact() { return found }
      var result = CalendarStamp(nanoseconds: 0)
      skipWeekday()
      let begin = position
      if let byte = next, byte &- 0x30 >= 10 {
        if let found = yearLast() { return found }
        position = begin
      }
      if readDate(&result, dayFirst: dayFirst) {
        result.hasDate = true
        if next == 0x54 || next == 0x74 || next == 0x5F { position += 1 }
        _ = skip(0x2C)
        skipBlanks()
        if position == end { return result }
        if next == 0x3A { position += 1 }
      } else {
        position = begin
        result = CalendarStamp(nanoseconds: 0)
      }
      guard readClock(&result), readZone(&result) else { return nil }
      skipBlanks()
      return position == end ? result : nil
    }

    /// "Sun, " before a date.
    mutating func skipWeekday() {
      let begin = position
      let letters = word()
      let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
      guard letters.count >= 3, days.contains(String(decoding: letters.prefix(3), as: UTF8.self)),
        next == 0x20 || next == 0x2C
      else {
        position = begin
        return
      }
      _ = skip(0x2C)
      skipBlanks()
    }

    private mutating func month() -> Int? {
      let letters = word()
      guard letters.count >= 3 else { return nil }
      let names = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
      ]
      _ = skip(0x2E)
      return names.firstIndex(of: String(decoding: letters.prefix(3), as: UTF8.self)).map { $0 + 1 }
    }

    private mutating func mark() -> Bool {
      guard let byte = next, [0x2D, 0x2F, 0x2E, 0x20, 0x2C].contains(byte) else { return false }
      position += 1
      skipBlanks()
      return true
    }

    mutating func readDate(_ result: inout CalendarStamp, dayFirst: Bool) -> Bool {
      var (year, month, day) = (0, 0, 0)
      if let first = digits() {
        if first.count == 8 {
          (year, month, day) = (first.value / 10000, first.value / 100 % 100, first.value % 100)
        } else if first.count == 4 {
          guard mark(), let second = number() else { return false }
          if position == end {
            // "2000-01": the first day of a month.
            (year, month, day) = (first.value, second.value, 1)
          } else {
            guard mark(), let third = digits() else { return false }
            (year, month, day) = (first.value, second.value, third.value)
          }
        } else {
          guard first.count <= 2, let kind = next, mark(), let second = number(), mark(),
            let third = digits(), third.count == 4 || third.count == 2
          else { return false }
          year = third.count == 4 ? third.value : third.value + (third.value < 70 ? 2000 : 1900)
          if second.isWord {
            (day, month) = (first.value, second.value)
          } else {
            // Points stand between day, month and year only in that order.
            result.isOrderOpen = kind != 0x2E
            (result.first, result.second) = (first.value, second.value)
            let isDayFirst = dayFirst || kind == 0x2E
            (day, month) =
              isDayFirst ? (first.value, second.value) : (second.value, first.value)
          }
        }
      } else {
        guard let named = self.month() else { return false }
        skipBlanks()
        guard let second = digits(), mark(), let third = digits(), third.count == 4 else {
          return false
        }
        (year, month, day) = (third.value, named, second.value)
      }
      guard (1600...2261).contains(year), (1...12).contains(month),
        (1...CalendarStamp.length(of: month, year)).contains(day)
      else { return false }
      result.nanoseconds =
        Int64(CalendarStamp.days(year: year, month: month, day: day)) &* 86_400_000_000_000
      return true
    }

    /// A month as digits or as a word.
    private mutating func number() -> (value: Int, isWord: Bool)? {
      if let value = digits() { return value.count <= 2 ? (value.value, false) : nil }
      return month().map { ($0, true) }
    }

    mutating func readClock(_ result: inout CalendarStamp) -> Bool {
      guard let first = digits() else { return false }
      // "T080000" and "T0800", as in the basic format of ISO 8601.
      let isBasic = result.hasDate && (first.count == 4 || first.count == 6) && next != 0x3A
      var (hour, minute) = (first, first)
      var seconds = 0
      if isBasic {
        let clock = first.count == 6 ? first.value : first.value * 100
        (hour, minute) = ((clock / 10000, 2), (clock / 100 % 100, 2))
        seconds = clock % 100
      } else {
        guard hour.count <= (result.hasDate ? 2 : 4), skip(0x3A), let found = digits() else {
          return false
        }
        minute = found
      }
      guard minute.count == 2, minute.value < 60, seconds <= 60 else { return false }
      var fraction: Int64 = 0
      result.decimals = -1
      if isBasic ? first.count == 6 : skip(0x3A) {
        if !isBasic {
          guard let found = digits(), found.count == 2, found.value <= 60 else { return false }
          seconds = found.value
        }
        result.decimals = 0
        if next == 0x2E || next == 0x2C || next == 0x3A {
          position += 1
          guard let digits = digits() else { return false }
          result.decimals = digits.count
          fraction = Int64(digits.value)
          for _ in digits.count..<9 { fraction *= 10 }
          // More than nanoseconds: what follows is dropped.
          while let byte = next, byte &- 0x30 < 10 { position += 1 }
        }
      }
      var hours = hour.value
      let begin = position
      skipBlanks()
      let half = word()
      if half == Array("am".utf8) || half == Array("pm".utf8) {
        guard (1...12).contains(hours) else { return false }
        hours = hours % 12 + (half[0] == 0x70 ? 12 : 0)
      } else {
        position = begin
      }
      guard !result.hasDate || hours <= 24 else { return false }
      result.hasClock = true
      result.nanoseconds +=
        (Int64(hours) * 3600 + Int64(minute.value) * 60 + Int64(seconds)) * 1_000_000_000 + fraction
      return true
    }

    /// Z, ±hh, ±hhmm, ±hh:mm, and the abbreviations that are not used for two zones.
    mutating func readZone(_ result: inout CalendarStamp) -> Bool {
      let begin = position
      skipBlanks()
      guard let byte = next else { return true }
      var offset = 0
      if byte == 0x2B || byte == 0x2D {
        position += 1
        guard let hours = digits() else { return false }
        var minutes = 0
        if hours.count == 4 {
          (offset, minutes) = (hours.value / 100, hours.value % 100)
        } else {
          guard hours.count <= 2 else { return false }
          offset = hours.value
          if skip(0x3A) {
            guard let found = digits(), found.count == 2 else { return false }
            minutes = found.value
          }
        }
        guard offset <= 15, minutes < 60 else { return false }
        offset = (offset * 60 + minutes) * (byte == 0x2D ? -1 : 1)
      } else {
        let zones = [
          "z": 0, "utc": 0, "gmt": 0, "cet": 60, "cest": 120, "eet": 120, "eest": 180, "edt": -240,
          "pst": -480, "pdt": -420, "mez": 60, "mesz": 120,
        ]
        guard let minutes = zones[String(decoding: word(), as: UTF8.self)] else {
          position = begin
          return false
        }
        offset = minutes
      }
      result.hasZone = true
      result.nanoseconds -= Int64(offset) * 60_000_000_000
      return true
    }
  }

  fileprivate static func length(of month: Int, _ year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }
}
