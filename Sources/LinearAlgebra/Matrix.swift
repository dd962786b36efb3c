/// A dense matrix of `Double`, stored row by row.
public struct Matrix: Equatable, Codable, Sendable {
  public let rows: Int
  public let columns: Int
  /// Element (r, c) is `elements[r * columns + c]`.
  public var elements: [Double]

  /// - Precondition: `elements.count == rows * columns`.
  public init(rows: Int, columns: Int, elements: [Double]) {
    precondition(rows >= 0 && columns >= 0 && elements.count == rows * columns)
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  public init(rows: Int, columns: Int, repeating value: Double = 0) {
    self.init(
      rows: rows, columns: columns, elements: Array(repeating: value, count: rows * columns))
  }

  public init(rows: Int, columns: Int, _ element: (_ row: Int, _ column: Int) -> Double) {
    self.init(rows: rows, columns: columns)
    for r in 0..<rows {
      for c in 0..<columns { elements[r * columns + c] = element(r, c) }
    }
  }

  /// Rows of equal length.
  public init(_ nested: [[Double]]) {
    let columns = nested.first?.count ?? 0
    precondition(nested.allSatisfy { $0.count == columns })
    self.init(rows: nested.count, columns: columns, elements: Array(nested.joined()))
  }

  public static func identity(_ size: Int) -> Matrix {
    Matrix(rows: size, columns: size) { $0 == $1 ? 1 : 0 }
  }

  @inlinable public subscript(row: Int, column: Int) -> Double {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  public func row(_ index: Int) -> ArraySlice<Double> {
    elements[(index * columns)..<((index + 1) * columns)]
  }

  public func column(_ index: Int) -> [Double] {
    (0..<rows).map { self[$0, index] }
  }

  /// A matrix of this shape with each element transformed.
  public func map(_ transform: (Double) -> Double) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements.map(transform))
  }

  public var transposed: Matrix {
    Matrix(rows: columns, columns: rows) { self[$1, $0] }
  }

  /// The chosen rows and columns, in the order given.
  public func submatrix(rows chosenRows: [Int], columns chosenColumns: [Int]) -> Matrix {
    Matrix(rows: chosenRows.count, columns: chosenColumns.count) {
      self[chosenRows[$0], chosenColumns[$1]]
    }
  }

  public static func * (a: Matrix, b: Matrix) -> Matrix {
    precondition(a.columns == b.rows)
    var product = Matrix(rows: a.rows, columns: b.columns)
    for r in 0..<a.rows {
      for k in 0..<a.columns {
        let factor = a[r, k]
        if factor == 0 { continue }
        for c in 0..<b.columns { product[r, c] += factor * b[k, c] }
      }
    }
    return product
  }

  public static func * (a: Matrix, x: [Double]) -> [Double] {
    precondition(a.columns == x.count)
    return (0..<a.rows).map { r in
      var sum = 0.0
      for c in 0..<a.columns { sum += a[r, c] * x[c] }
      return sum
    }
  }

  public static func + (a: Matrix, b: Matrix) -> Matrix {
    precondition(a.rows == b.rows && a.columns == b.columns)
    return Matrix(
      rows: a.rows, columns: a.columns, elements: zip(a.elements, b.elements).map { $0 + $1 })
  }

  public static func - (a: Matrix, b: Matrix) -> Matrix {
    precondition(a.rows == b.rows && a.columns == b.columns)
    return Matrix(
      rows: a.rows, columns: a.columns, elements: zip(a.elements, b.elements).map { $0 - $1 })
  }

  public static func += (a: inout Matrix, b: Matrix) { a = a + b }
}
