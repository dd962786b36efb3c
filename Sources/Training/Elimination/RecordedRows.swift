import Dynamics
import LinearAlgebra

extension RegressionRows {
  /// Rows whose inputs are smoothed and whose targets are the increments as recorded, in runs of neighbours.
  ///
  /// Smoothed increments contain whatever the smoother, or the model given to it, took for motion; increments that
  /// judge a model must not. In a sum over neighbouring rows, weighted by what varies slowly, most of the
  /// measurement noise in recorded increments cancels: what one increment adds the next takes away.
  ///
  /// - Parameter limit: of rows; beyond it each block is shortened, but all rows in which a control lies more than
  ///   five standard deviations from its mean are kept.
  /// - Throws: `DataProblem` for data without a step.
  init(_ part: Fold.Part, scaledLike set: TrainingSet, limit: Int, blockLength: Int)
    throws(DataProblem)
  {
    let smoothed = try Regression(part.smoothing.data)
    let recorded = try Regression(part.recorded)
    let blocks = Blocks(places: part.places, length: blockLength)
      .numbers(smoothed, rows: Array(0..<smoothed.rows))
    let (inputScaling, outputScaling) = (set.inputScaling, set.outputScaling)
    let controls = part.smoothing.data.states.count..<smoothed.features.count
    let share = min(1, Double(limit) / Double(smoothed.rows))
    var lengths: [Int: Int] = [:]
    for block in blocks { lengths[block, default: 0] += 1 }
    var seen: [Int: Int] = [:]
    var isChosen = [Bool](repeating: false, count: smoothed.rows)
    var elements: [Double] = []
    smoothed.forEachRow { row, values in
      let block = blocks[row]
      let place = seen[block, default: 0]
      seen[block] = place + 1
      let standardised = inputScaling.standardise(values.prefix(inputScaling.count))
      guard
        Double(place) < share * Double(lengths[block] ?? 0)
          || controls.contains(where: { abs(standardised[$0]) > 5 })
      else { return }
      isChosen[row] = true
      elements += standardised
    }
    var targets: [Double] = []
    recorded.forEachRow { row, values in
      guard row < isChosen.count, isChosen[row] else { return }
      targets += outputScaling.standardise(values.suffix(outputScaling.count))
    }
    let count = isChosen.count { $0 }
    self.init(
      inputs: Matrix(rows: count, columns: inputScaling.count, elements: elements),
      targets: Matrix(rows: count, columns: outputScaling.count, elements: targets))
    noise = part.smoothing.noise(set)
    self.blocks = zip(blocks, isChosen).filter(\.1).map(\.0)
    var last: (trajectory: Int, sample: Int)?
    smoothed.forEachStep { row, trajectory, sample in
      guard isChosen[row] else { return }
      let follows = last.map { $0.trajectory == trajectory && $0.sample + 1 == sample } ?? false
      begins.append(!follows)
      last = (trajectory, sample)
    }
  }
}

extension Smoothing {
  /// Of each feature of a set, the variance of the measurement noise that was taken out of it, standardised.
  fileprivate func noise(_ set: TrainingSet) -> [Double] {
    set.features.enumerated().map { index, feature in
      guard rateVariances != nil,
        let state = states.first(where: { $0.name == feature.name && $0.motion != nil })
      else { return 0 }
      let share = state.noise / set.inputScaling.deviation[index]
      return share * share
    }
  }
}
