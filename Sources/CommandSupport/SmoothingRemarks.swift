import Dynamics
import Findings
import Foundation
import LinearAlgebra
import Reporting

/// What is said of noise and gaps in what is learnt from.
public enum SmoothingRemarks {
  /// - Parameters:
  ///   - smoothing: what was taken out and filled in.
  ///   - data: as they were read.
  public static func of(_ smoothing: Smoothing, _ data: Trajectories) -> [Remark] {
    var remarks: [Remark] = []
    let noisy = smoothing.states.filter { $0.motion != nil && $0.isNoise }
    if !noisy.isEmpty {
      let largest = noisy.map(\.relativeNoise).max() ?? 0
      remarks.append(
        .note(
          "measurement noise of up to \(String(format: "%.2g", 100 * largest)) % of a state's increments was "
            + "taken out of " + counted(noisy.count, "state") + " (--no-smooth leaves it in)"))
    }
    remarks += smoothing.warnings.map { .warning($0) }
    let filled = smoothing.states.reduce(0) { $0 + ($1.motion == nil ? 0 : $1.gaps) }
    if filled > 0 {
      remarks.append(.note("\(counted(filled, "missing value")) filled in (see noise.csv)"))
    }
    return remarks + gaps(in: smoothing.data) + noisyControls(data)
  }

  /// What is missing is left out, not guessed.
  public static func gaps(in data: Trajectories) -> [Remark] {
    let missing = zip(data.states, data.missingValues).filter { $0.1 > 0 }
    guard !missing.isEmpty else { return [] }
    let words = missing.map { "\($0.0.name) (\($0.1))" }.joined(separator: ", ")
    return [.warning("values are missing in \(words); steps from or to them are left out")]
  }

  /// A network takes the inputs for what they are said to be.
  private static func noisyControls(_ data: Trajectories) -> [Remark] {
    let noisy = Smoother.noisyControls(data)
    guard !noisy.isEmpty else { return [] }
    let words = noisy.map { "\($0.name) (\(String(format: "%.2g", 100 * $0.share)) %)" }
    return [
      .warning(
        "the inputs \(words.joined(separator: ", ")) look noisy (share of their deviation); noise in inputs "
          + "is not taken out, and weakens what a model says of them: give the values that were set, if "
          + "they are known")
    ]
  }
}
