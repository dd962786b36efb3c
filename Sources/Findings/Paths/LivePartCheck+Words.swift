import Foundation
import Structure

extension LivePartCheck {
  /// What is left, and how well it stands for the whole.
  public var words: String {
    "\(weights.after) of \(weights.before) weights, \(neurons.after) of \(neurons.before) neurons; over "
      + "\(samples) samples its outputs differ from those of the whole by at most "
      + String(format: "%.1g", deviation) + " of the largest"
  }
}
