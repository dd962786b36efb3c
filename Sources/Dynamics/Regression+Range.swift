import LinearAlgebra

extension Regression {
  /// In standard deviations from the mean; the square of a much larger value does not fit 32 bits.
  private static let farthest = 1e12

  /// - Parameter scales: of the training data.
  /// - Throws: `DataProblem.tooFar` for a value or rate that no model of 32-bit numbers can be trained or judged
  ///   by; otherwise losses would become infinite.
  public func checkRange(_ scales: (inputs: Standardisation, outputs: Standardisation))
    throws(DataProblem)
  {
    let mean = scales.inputs.mean + scales.outputs.mean
    let deviation = scales.inputs.deviation + scales.outputs.deviation
    var found: DataProblem?
    forEachRow { row, values in
      guard found == nil else { return }
      for column in values.indices
      where !(abs(values[column] - mean[column]) <= Self.farthest * deviation[column]) {
        let isRate = column >= features.count
        found = .tooFar(
          features[isRate ? column - features.count : column], row: row, isRate: isRate)
        return
      }
    }
    if let found { throw found }
  }
}
