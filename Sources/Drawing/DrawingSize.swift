/// Measures of a drawing, in points.
struct DrawingSize: Equatable {
  var unitDiameter: Double
  /// Between units of a column.
  var unitStep: Double
  /// Between columns of units.
  var columnStep: Double
  var bandGap: Double
  var boxHeight: Double
  /// Least distance between boxes below each other, middle to middle.
  var boxStep: Double
  var fontSize: Double
  var narrowestBox: Double
  var widestBox: Double
  /// Whether boxes say the unit of what they name.
  var showsUnits: Bool

  /// One network on a page or a slide.
  static let full = DrawingSize(
    unitDiameter: 9, unitStep: 14, columnStep: 130, bandGap: 16, boxHeight: 20, boxStep: 30,
    fontSize: 10, narrowestBox: 64, widestBox: 190, showsUnits: true)

  /// A tower among others on a page.
  static let panel = DrawingSize(
    unitDiameter: 9, unitStep: 13, columnStep: 90, bandGap: 16, boxHeight: 18, boxStep: 22,
    fontSize: 10, narrowestBox: 50, widestBox: 150, showsUnits: true)

  /// A drawing in a column of a page.
  static let column = DrawingSize(
    unitDiameter: 7, unitStep: 9, columnStep: 44, bandGap: 12, boxHeight: 13, boxStep: 16,
    fontSize: 8, narrowestBox: 34, widestBox: 62, showsUnits: false)

  /// One of many networks on a sheet.
  static let thumbnail = DrawingSize(
    unitDiameter: 5, unitStep: 7, columnStep: 55, bandGap: 8, boxHeight: 10, boxStep: 12,
    fontSize: 6,
    narrowestBox: 28, widestBox: 60, showsUnits: false)
}
