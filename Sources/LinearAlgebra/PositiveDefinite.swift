import CKernels

extension Matrix {
  /// x with A x = b for this symmetric positive definite A, of which the lower triangle is read; nil
  /// where it is not positive definite to rounding. (Cholesky's method.)
  public func solvePositiveDefinite(_ right: [Double], kernels: Kernels = .active) -> [Double]? {
    precondition(right.count == rows)
    guard let factor = CholeskyFactor(self, kernels) else { return nil }
    return factor.solve(right)
  }

  /// A⁻¹ of this symmetric positive definite A, of which the lower triangle is read; nil where it is not
  /// positive definite to rounding.
  public func invertedPositiveDefinite(kernels: Kernels = .active) -> Matrix? {
    CholeskyFactor(self, kernels)?.inverse()
  }
}

/// U with A = UᵀU, its size rounded up to whole vectors by rows of the identity, which do not change the rest.
private struct CholeskyFactor {
  private let kernels: Kernels
  private let size: Int
  private let padded: Int
  private let elements: [Double]

  init?(_ matrix: Matrix, _ kernels: Kernels) {
    precondition(matrix.rows == matrix.columns)
    let size = matrix.rows
    let padded = (size + 7) / 8 * 8
    var upper = [Double](repeating: 0, count: padded * padded)
    for row in 0..<size {
      for column in 0...row { upper[column * padded + row] = matrix[row, column] }
    }
    for row in size..<padded { upper[row * padded + row] = 1 }
    let failed = upper.withUnsafeMutableBufferPointer { upper in
      upper.baseAddress.map { kernels.table.pointee.cholesky(padded, $0) } ?? 0
    }
    guard failed == 0 else { return nil }
    self.kernels = kernels
    self.size = size
    self.padded = padded
    elements = upper
  }

  func solve(_ right: [Double]) -> [Double] {
    var solution = right + [Double](repeating: 0, count: padded - size)
    elements.withUnsafeBufferPointer { factor in
      solution.withUnsafeMutableBufferPointer { solution in
        guard let factor = factor.baseAddress, let solution = solution.baseAddress else { return }
        kernels.table.pointee.cholesky_solve(padded, factor, solution)
      }
    }
    return Array(solution.prefix(size))
  }

  func inverse() -> Matrix {
    var half = [Double](repeating: 0, count: padded * padded)
    var inverse = half
    elements.withUnsafeBufferPointer { factor in
      half.withUnsafeMutableBufferPointer { half in
        inverse.withUnsafeMutableBufferPointer { inverse in
          guard let factor = factor.baseAddress, let half = half.baseAddress,
            let inverse = inverse.baseAddress
          else { return }
          kernels.table.pointee.cholesky_invert(padded, factor, half, inverse)
        }
      }
    }
    return Matrix(rows: size, columns: size) { row, column in
      row >= column ? inverse[row * padded + column] : inverse[column * padded + row]
    }
  }
}
