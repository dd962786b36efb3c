import Evidence
import LinearAlgebra
import Networks

/// The errors of a network on rows that it was not fitted to.
struct HeldOutErrors {
  /// rows × outputs: prediction less target, as they are and whitened.
  let plain: Matrix
  let errors: Matrix
  let rows: RegressionRows

  init(_ network: Network, _ rows: RegressionRows, kernels: Kernels) {
    var problem = LeastSquares(network, rows, kernels: kernels)
    plain = problem.predictions() - rows.targets
    self.rows = rows
    var errors = plain
    for (column, whitening) in rows.whitenings.enumerated()
    where !whitening.isNothing(rows.begins) {
      let whitened = whitening.apply(plain.column(column), rows.begins)
      for row in whitened.indices { errors[row, column] = whitened[row] }
    }
    self.errors = errors
  }

  private func weight(_ index: Int) -> Double { rows.weights?.elements[index] ?? 1 }

  /// The weighted mean of e².
  var mean: Double {
    var (sum, weights) = (0.0, 0.0)
    for index in errors.elements.indices {
      sum += weight(index) * errors.elements[index] * errors.elements[index]
      weights += weight(index)
    }
    return weights > 0 ? sum / weights : 0
  }

  /// Σ w z² e²/Σ w z² for an input z: the error where the input is far from its mean.
  func leverage(_ input: Int) -> Double {
    var (sum, weights) = (0.0, 0.0)
    for row in 0..<errors.rows {
      let square = rows.inputs[row, input] * rows.inputs[row, input]
      for column in 0..<errors.columns {
        let index = row * errors.columns + column
        sum += weight(index) * square * errors.elements[index] * errors.elements[index]
        weights += weight(index) * square
      }
    }
    return weights > 0 ? sum / weights : 0
  }

  /// The comparison, block by block, with a network that lacks an input.
  func compared(with reduced: HeldOutErrors) -> [BlockTerm] {
    var terms: [BlockTerm] = []
    for row in 0..<errors.rows {
      let block = rows.block(row)
      if terms.last?.block != block { terms.append(BlockTerm(block: block)) }
      let place = terms.count - 1
      for column in 0..<errors.columns {
        let index = row * errors.columns + column
        let (e, without) = (errors.elements[index], reduced.errors.elements[index])
        let w = weight(index)
        terms[place].weight += w
        terms[place].rise += w * (without * without - e * e)
        terms[place].gain += 2 * w * without * (without - e)
        terms[place].whitened += w * (without - e) * (without - e)
        let change = reduced.plain.elements[index] - plain.elements[index]
        terms[place].change += w * change * change
      }
    }
    return terms
  }
}

extension RegressionRows {
  /// The stretch of the recorded data that a row belongs to; without records, a fiftieth of the rows.
  func block(_ row: Int) -> Int { blocks.isEmpty ? row * 50 / inputs.rows : blocks[row] }
}

extension RegressionRows {
  /// (Σ w z²)²/Σ w² z⁴: the effective number of rows from which an input's effect is known, counting equal
  /// excursions equally.
  func effectiveRows(_ input: Int) -> Double {
    var squares = 0.0
    var fourths = 0.0
    for row in 0..<inputs.rows {
      let weight = weights.map { $0.row(row).mean } ?? 1
      let term = weight * inputs[row, input] * inputs[row, input]
      squares += term
      fourths += term * term
    }
    return fourths > 0 ? squares * squares / fourths : 0
  }
}
