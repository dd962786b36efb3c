import LinearAlgebra

/// Data from which one member of an ensemble learns, and those that it holds out.
package struct Fold: Sendable {
  /// Some of the data.
  package struct Part: Sendable {
    package var smoothing: Smoothing
    /// The part as recorded; missing values are filled as in `smoothing`.
    package var recorded: Trajectories
    /// Of each trajectory, its number in the whole data, and its first sample there.
    package var places: [(trajectory: Int, sample: Int)]
  }

  package var training: Part
  /// Nil where nothing can be held out.
  package var held: Part?
}

extension Smoothing {
  /// Holds out a share of the trajectories, at least one, different ones for each part: the last of them for part
  /// 0. A single trajectory is held out in stretches.
  ///
  /// - Parameters:
  ///   - fraction: of the trajectories, or of the samples of a single one.
  ///   - part: from 0 to `parts` − 1.
  package func fold(_ part: Int, of parts: Int, fraction: Double) -> Fold {
    let count = data.samples.count
    guard fraction > 0, count > 0 else {
      return Fold(training: choosingPart(Array(0..<count)), held: nil)
    }
    if count == 1 { return stretchHeldOut(part, of: parts, fraction) }
    let held = min(max(1, Int((Double(count) * fraction).rounded())), count - 1)
    let first = (part * count / parts - held + count) % count
    let chosen = (first..<(first + held)).map { $0 % count }.sorted()
    return Fold(
      training: choosingPart((0..<count).filter { !chosen.contains($0) }),
      held: choosingPart(chosen))
  }

  private func choosingPart(_ indices: [Int]) -> Fold.Part {
    let chosen = choosing(indices)
    let recorded = recorded
    return Fold.Part(
      smoothing: chosen,
      recorded: chosen.data.replacing(samples: indices.map { recorded[$0] }),
      places: indices.map { ($0, 0) })
  }

  /// As measured, trajectory by trajectory.
  private var recorded: [Matrix] {
    guard let origin else { return data.samples }
    return zip(origin.measured, data.samples).map { measured, smoothed in
      Matrix(rows: smoothed.rows, columns: smoothed.columns) { row, column in
        measured[row, column].isFinite ? measured[row, column] : smoothed[row, column]
      }
    }
  }

  private func stretchHeldOut(_ part: Int, of parts: Int, _ fraction: Double) -> Fold {
    let rows = data.samples[0].rows
    let held = min(max(2, Int((Double(rows) * fraction).rounded())), rows - 2)
    guard held >= 2 else { return Fold(training: choosingPart([0]), held: nil) }
    let last = rows - held
    let first = parts > 1 ? last * (parts - 1 - part) / (parts - 1) : last
    // A piece of one sample holds no step.
    let pieces = [0..<first, (first + held)..<rows].filter { $0.count > 1 }
    return Fold(training: cut(to: pieces), held: cut(to: [first..<(first + held)]))
  }

  /// Pieces of the only trajectory, as trajectories.
  private func cut(to pieces: [Range<Int>]) -> Fold.Part {
    var result = self
    result.origin = nil
    func cut(_ matrix: Matrix) -> [Matrix] {
      pieces.map { matrix.submatrix(rows: Array($0), columns: Array(0..<matrix.columns)) }
    }
    result.data = data.replacing(samples: cut(data.samples[0]))
    result.rateVariances = rateVariances.map { cut($0[0]) }
    return Fold.Part(
      smoothing: result, recorded: data.replacing(samples: cut(recorded[0])),
      places: pieces.map { (0, $0.lowerBound) })
  }
}
