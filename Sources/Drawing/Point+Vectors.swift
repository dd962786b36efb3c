import GraphDrawing

extension Point {
  static func + (a: Point, b: Point) -> Point { Point(a.x + b.x, a.y + b.y) }
  static func - (a: Point, b: Point) -> Point { Point(a.x - b.x, a.y - b.y) }
  static func * (a: Point, factor: Double) -> Point { Point(a.x * factor, a.y * factor) }
  var length: Double { (x * x + y * y).squareRoot() }
  var unit: Point { length > 0 ? self * (1 / length) : Point(1, 0) }
}
