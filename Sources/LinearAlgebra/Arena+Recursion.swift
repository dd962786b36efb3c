/// First-order recursions along the columns of tables that lie row by row, as whitening needs them.
///
/// Eight rows go side by side, so that none waits for its own last sum; products and sums are rounded one by one, so
/// that the bits are the same whatever the processor.
extension Arena where Element: BinaryFloatingPoint & SIMDScalar {
  /// s ← x + factor·s, x ← scale·s along each row, s being carried from call to call.
  ///
  /// - Parameters:
  ///   - x: rows × batch, overwritten.
  ///   - rows: of the table.
  ///   - batch: numbers in each row.
  ///   - carry: s of each row.
  ///   - factors: one for each of the batch.
  ///   - scales: one for each of the batch.
  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  public mutating func recur(
    _ x: Region, rows: Int, batch: Int, carry: Region, factors: Region, scales: Region
  ) {
    precondition(x.count >= rows * batch && carry.count >= rows)
    precondition(factors.count >= batch && scales.count >= batch)
    let (values, carried) = (pointer(x), pointer(carry))
    let (factor, scale) = (pointer(factors), pointer(scales))
    var row = 0
    while row + 8 <= rows {
      let first = values + row * batch
      var state = SIMD8<Element>()
      for lane in 0..<8 { state[lane] = carried[row + lane] }
      for index in 0..<batch {
        var value = SIMD8<Element>()
        for lane in 0..<8 { value[lane] = first[lane * batch + index] }
        state = value + factor[index] * state
        let result = scale[index] * state
        for lane in 0..<8 { first[lane * batch + index] = result[lane] }
      }
      for lane in 0..<8 { carried[row + lane] = state[lane] }
      row += 8
    }
    while row < rows {
      let first = values + row * batch
      var state = carried[row]
      for index in 0..<batch {
        let next = factor[index] * state
        state = first[index] + next
        first[index] = scale[index] * state
      }
      carried[row] = state
      row += 1
    }
  }
}

extension Arena<Double> {
  /// product[r] += Σ x[r, b] e[b] over a batch, in eight partial sums by b modulo eight, which are added in halves.
  public mutating func addProducts(
    _ x: Region, of floats: borrowing Arena<Float>, rows: Int, batch: Int, with e: Region,
    to product: Region
  ) {
    precondition(batch % 8 == 0 && x.count >= rows * batch && e.count >= batch)
    precondition(product.count >= rows)
    let (table, errors, sums) = (floats.pointer(x), pointer(e), pointer(product))
    for row in 0..<rows {
      let first = table + row * batch
      var partial = SIMD8<Double>()
      for start in stride(from: 0, to: batch, by: 8) {
        var a = SIMD8<Double>()
        var b = SIMD8<Double>()
        for lane in 0..<8 {
          a[lane] = Double(first[start + lane])
          b[lane] = errors[start + lane]
        }
        partial += a * b
      }
      let four = partial.lowHalf + partial.highHalf
      let two = four.lowHalf + four.highHalf
      sums[row] += two[0] + two[1]
    }
  }
}
