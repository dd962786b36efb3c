extension RowReader {
  /// Times as they stand in the table.
  struct TimeColumn {
    /// Whole numbers of a clock, exactly; or nanoseconds since 1970.
    var whole: [Int64] = []
    /// Numbers of a clock with decimals.
    var numbers: [Double] = []
    var isStamp = false
    /// The most digits behind the decimal sign.
    var decimals = 0
    var hasZone = false
    var lacksZone = false
    var hasDate = false
    var hasClock = false
    /// How many parts a date in several columns has: the last one is the unit of the clock.
    var lastPart: Int?
    /// Where day and month could be either: the largest first and second number.
    var isOrderOpen = false
    var largestFirst = 0
    var largestSecond = 0
    var example = ""
    /// A number that is not whole was met.
    var isFractional = false
    /// This row's, before the row is complete.
    var pending: Int64 = 0
    var pendingNumber = 0.0
    var isPending = false
  }
}
