import CLAPACK

extension Matrix {
  /// x with A x = b for this symmetric positive definite A, of which the lower triangle is read; nil
  /// where it is not positive definite to rounding. (LAPACK's dposv.)
  public func solvePositiveDefinite(_ right: [Double]) -> [Double]? {
    precondition(rows == columns && right.count == rows && rows < 1 << 31)
    guard rows > 0 else { return [] }
    var factor = elements
    var solution = right
    var size = Int32(rows)
    var one: Int32 = 1
    var info: Int32 = 0
    // Our rows are LAPACK's columns, so its upper triangle is our lower one.
    LAPACK.call { dposv_("U", &size, &one, &factor, &size, &solution, &size, &info) }
    return info == 0 ? solution : nil
  }

  /// A⁻¹ of this symmetric positive definite A, of which the lower triangle is read; nil where it is not
  /// positive definite to rounding. (LAPACK's dpotrf and dpotri.)
  public func invertedPositiveDefinite() -> Matrix? {
    precondition(rows == columns && rows < 1 << 31)
    guard rows > 0 else { return self }
    var inverse = self
    var size = Int32(rows)
    var info: Int32 = 0
    LAPACK.call { dpotrf_("U", &size, &inverse.elements, &size, &info) }
    guard info == 0 else { return nil }
    LAPACK.call { dpotri_("U", &size, &inverse.elements, &size, &info) }
    guard info == 0 else { return nil }
    for row in 0..<rows {
      for column in 0..<row { inverse[column, row] = inverse[row, column] }
    }
    return inverse
  }
}
