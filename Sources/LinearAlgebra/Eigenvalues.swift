/// A complex number λ of a spectrum.
public struct Eigenvalue: Equatable, Sendable {
  public var real: Double
  public var imaginary: Double

  public init(_ real: Double, _ imaginary: Double = 0) {
    self.real = real
    self.imaginary = imaginary
  }

  /// |λ|
  public var length: Double {
    let scale = max(abs(real), abs(imaginary))
    guard scale > 0, scale.isFinite else { return scale }
    let (a, b) = (real / scale, imaginary / scale)
    return scale * (a * a + b * b).squareRoot()
  }
}

extension Matrix {
  /// The eigenvalues of this square matrix, the largest in magnitude first; conjugate pairs stand together, the
  /// one above the real axis first. Nil where they do not converge.
  ///
  /// Balancing, Hessenberg form by Householder reflections, and Francis's implicit double shifts (Golub & Van Loan,
  /// *Matrix Computations*, 7.4 and 7.5), with sums in a fixed order: LAPACK's last bits depend on the processor,
  /// and the ranking of modes depends on these bits.
  ///
  /// - Precondition: all elements are finite.
  public func eigenvalues() -> [Eigenvalue]? {
    precondition(rows == columns)
    let (isolated, rest) = isolatedEigenvalues()
    var spectrum = Spectrum(rest.balanced())
    return spectrum.values().map { $0 + isolated }?.sorted {
      $0.length != $1.length
        ? $0.length > $1.length
        : $0.real != $1.real ? $0.real > $1.real : $0.imaginary > $1.imaginary
    }
  }

  /// The eigenvalues found on the diagonal because their row, or their column, has no other element once earlier
  /// ones are removed, and the remaining matrix: states that only integrate, or drive nothing.
  private func isolatedEigenvalues() -> (isolated: [Eigenvalue], rest: Matrix) {
    var left = Array(0..<rows)
    var isolated: [Eigenvalue] = []
    func stands(_ index: Int) -> Bool {
      left.allSatisfy { $0 == index || self[index, $0] == 0 }
        || left.allSatisfy { $0 == index || self[$0, index] == 0 }
    }
    while let place = left.firstIndex(where: stands) {
      let index = left.remove(at: place)
      isolated.append(Eigenvalue(self[index, index]))
    }
    return (isolated, submatrix(rows: left, columns: left))
  }

  /// D⁻¹ A D with powers of two in D, which round nothing, so that rows and columns have similar sums (Parlett &
  /// Reinsch 1969).
  private func balanced() -> Matrix {
    var result = self
    var changes = true
    while changes {
      changes = false
      for index in 0..<rows {
        var (column, row) = (0.0, 0.0)
        for other in 0..<rows where other != index {
          column += abs(result[other, index])
          row += abs(result[index, other])
        }
        guard column > 0, row > 0 else { continue }
        let before = column + row
        var factor = 1.0
        while column < row / 2 && factor < 0x1p200 { (factor, column) = (factor * 2, column * 4) }
        while column >= row * 2 && factor > 0x1p-200 { (factor, column) = (factor / 2, column / 4) }
        guard (column + row) / factor < 0.95 * before else { continue }
        changes = true
        for other in 0..<rows {
          result[index, other] /= factor
          result[other, index] *= factor
        }
      }
    }
    return result
  }
}

/// A matrix on its way to quasi-triangular form.
private struct Spectrum {
  private var h: Matrix
  private let size: Int

  init(_ matrix: Matrix) {
    h = matrix
    size = matrix.rows
    for column in 0..<max(0, size - 2) { clear(below: column) }
  }

  /// Reflects rows and columns so that only the first element below the diagonal of this column is left.
  private mutating func clear(below column: Int) {
    let rows = (column + 1)..<size
    guard let (direction, scale) = Self.reflection(rows.map { h[$0, column] }) else { return }
    reflectRows(rows, direction, scale, columns: column..<size)
    reflectColumns(rows, direction, scale, rows: 0..<size)
    for row in rows.dropFirst() { h[row, column] = 0 }
  }

  /// v and β with (I − β v vᵀ) x along the first axis; nil where it is already.
  private static func reflection(_ x: [Double]) -> (direction: [Double], scale: Double)? {
    let largest = x.dropFirst().reduce(0) { max($0, abs($1)) }
    guard largest > 0 else { return nil }
    let size = max(largest, abs(x[0]))
    var direction = x.map { $0 / size }
    let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    direction[0] += direction[0] < 0 ? -length : length
    return (direction, 2 / direction.reduce(0) { $0 + $1 * $1 })
  }

  private mutating func reflectRows(
    _ rows: Range<Int>, _ direction: [Double], _ scale: Double, columns: Range<Int>
  ) {
    for column in columns {
      var sum = 0.0
      for (index, row) in rows.enumerated() { sum += direction[index] * h[row, column] }
      sum *= scale
      for (index, row) in rows.enumerated() { h[row, column] -= sum * direction[index] }
    }
  }

  private mutating func reflectColumns(
    _ columns: Range<Int>, _ direction: [Double], _ scale: Double, rows: Range<Int>
  ) {
    for row in rows {
      var sum = 0.0
      for (index, column) in columns.enumerated() { sum += direction[index] * h[row, column] }
      sum *= scale
      for (index, column) in columns.enumerated() { h[row, column] -= sum * direction[index] }
    }
  }

  mutating func values() -> [Eigenvalue]? {
    var values: [Eigenvalue] = []
    var last = size - 1
    var steps = 0
    while last >= 0 {
      let first = firstOfBlock(endingAt: last)
      if first == last {
        values.append(Eigenvalue(h[last, last]))
        last -= 1
        steps = 0
      } else if first == last - 1 {
        values += pair(first)
        last -= 2
        steps = 0
      } else {
        guard steps < 100 else { return nil }
        steps += 1
        sweep(first, last, isExceptional: steps % 10 == 0)
      }
    }
    return values
  }

  /// The block that ends here begins where the element below the diagonal is negligible.
  private mutating func firstOfBlock(endingAt last: Int) -> Int {
    var row = last
    while row > 0 {
      let scale = abs(h[row - 1, row - 1]) + abs(h[row, row])
      if abs(h[row, row - 1]) <= 0x1p-52 * (scale > 0 ? scale : 1) {
        h[row, row - 1] = 0
        return row
      }
      row -= 1
    }
    return 0
  }

  /// Of the block of rows `row` and `row` + 1.
  private func pair(_ row: Int) -> [Eigenvalue] {
    let (a, b, c, d) = (h[row, row], h[row, row + 1], h[row + 1, row], h[row + 1, row + 1])
    let half = (a - d) / 2
    let square = half * half + b * c
    guard square >= 0 else {
      let imaginary = (-square).squareRoot()
      return [Eigenvalue(d + half, imaginary), Eigenvalue(d + half, -imaginary)]
    }
    let far = half + (half < 0 ? -square.squareRoot() : square.squareRoot())
    return [Eigenvalue(d + far), Eigenvalue(far == 0 ? d : d - b * c / far)]
  }

  /// One implicit step with both eigenvalues of the last two rows as shifts, or with others where these have
  /// led nowhere.
  private mutating func sweep(_ first: Int, _ last: Int, isExceptional: Bool) {
    var shifts = (h[last, last], h[last - 1, last - 1])
    var product = h[last, last - 1] * h[last - 1, last]
    if isExceptional {
      let size = abs(h[last, last - 1]) + abs(h[last - 1, last - 2])
      shifts = (h[last, last] + 0.75 * size, h[last, last] + 0.75 * size)
      product = -0.4375 * size * size
    }
    // The first column of (H − λ₁)(H − λ₂) over the element below the diagonal, from differences: with all
    // eigenvalues near one their products would cancel.
    let top = h[first, first]
    let (one, other) = (shifts.0 - top, shifts.1 - top)
    var bulge = [
      (one * other - product) / h[first + 1, first] + h[first, first + 1],
      h[first + 1, first + 1] - top - one - other, h[first + 2, first + 1],
    ]
    for row in first..<last {
      let rows = row..<min(row + 3, last + 1)
      if let (direction, scale) = Self.reflection(Array(bulge.prefix(rows.count))) {
        reflectRows(rows, direction, scale, columns: max(first, row - 1)..<(last + 1))
        reflectColumns(rows, direction, scale, rows: first..<min(row + 4, last + 1))
      }
      if row > first { for cleared in rows.dropFirst() { h[cleared, row - 1] = 0 } }
      bulge = ((row + 1)..<min(row + 4, last + 1)).map { h[$0, row] }
    }
  }
}
