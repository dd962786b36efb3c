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

extension Fold {
  /// Holds out a share of the trajectories, at least one, different ones for each part: the last of them for part
  /// 0. A single trajectory is held out in stretches.
  ///
  /// - Parameters:
  ///   - data: what is divided.
  ///   - part: from 0 to `parts` − 1.
  ///   - parts: how many divisions there are.
  ///   - fraction: of the trajectories, or of the samples of a single one.
  package init(_ data: Smoothing, part: Int, of parts: Int, fraction: Double) {
    let count = data.data.samples.count
    if fraction <= 0 || count == 0 {
      self.init(training: Part(data, choosing: Array(0..<count)), held: nil)
    } else if count == 1 {
      self.init(stretchOf: data, part, of: parts, fraction)
    } else {
      let held = min(max(1, Int((Double(count) * fraction).rounded())), count - 1)
      let first = (part * count / parts - held + count) % count
      let chosen = (first..<(first + held)).map { $0 % count }.sorted()
      self.init(
        training: Part(data, choosing: (0..<count).filter { !chosen.contains($0) }),
        held: Part(data, choosing: chosen))
    }
  }

  private init(stretchOf data: Smoothing, _ part: Int, of parts: Int, _ fraction: Double) {
    let rows = data.data.samples[0].rows
    let held = min(max(2, Int((Double(rows) * fraction).rounded())), rows - 2)
    guard held >= 2 else {
      self.init(training: Part(data, choosing: [0]), held: nil)
      return
    }
    let last = rows - held
    let first = parts > 1 ? last * (parts - 1 - part) / (parts - 1) : last
    // A piece of one sample holds no step.
    let pieces = [0..<first, (first + held)..<rows].filter { $0.count > 1 }
    self.init(
      training: Part(data, cutTo: pieces), held: Part(data, cutTo: [first..<(first + held)]))
  }
}

extension Fold.Part {
  fileprivate init(_ data: Smoothing, choosing indices: [Int]) {
    let chosen = data.choosing(indices)
    let recorded = data.recorded
    self.init(
      smoothing: chosen,
      recorded: chosen.data.replacing(samples: indices.map { recorded[$0] }),
      places: indices.map { ($0, 0) })
  }

  /// Pieces of the only trajectory, as trajectories.
  fileprivate init(_ data: Smoothing, cutTo pieces: [Range<Int>]) {
    var result = data
    result.origin = nil
    func cut(_ matrix: Matrix) -> [Matrix] {
      pieces.map { matrix.submatrix(rows: Array($0), columns: Array(0..<matrix.columns)) }
    }
    result.data = data.data.replacing(samples: cut(data.data.samples[0]))
    result.rateVariances = data.rateVariances.map { cut($0[0]) }
    self.init(
      smoothing: result, recorded: data.data.replacing(samples: cut(data.recorded[0])),
      places: pieces.map { (0, $0.lowerBound) })
  }
}

extension Smoothing {
  /// As measured, trajectory by trajectory.
  fileprivate var recorded: [Matrix] {
    guard let origin else { return data.samples }
    return zip(origin.measured, data.samples).map { measured, smoothed in
      Matrix(rows: smoothed.rows, columns: smoothed.columns) { row, column in
        measured[row, column].isFinite ? measured[row, column] : smoothed[row, column]
      }
    }
  }
}
