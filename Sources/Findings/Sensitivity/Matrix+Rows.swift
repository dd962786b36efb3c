import LinearAlgebra

extension Matrix {
  /// At most so many rows, evenly spaced.
  public func evenlySpaced(_ most: Int) -> Matrix {
    guard rows > most else { return self }
    return submatrix(rows: (0..<most).map { $0 * rows / most }, columns: Array(0..<columns))
  }

  func columns(_ chosen: [Int]) -> Matrix {
    submatrix(rows: Array(0..<rows), columns: chosen)
  }
}
