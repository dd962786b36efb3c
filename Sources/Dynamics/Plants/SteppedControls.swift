import LinearAlgebra

/// Controls for plants without controllers of their own: random levels held for random times, or smooth waves.
public struct SteppedControls: PlantOperator {
  /// One control: what its levels lie between.
  private let ranges: [ClosedRange<Double>]
  private let mode: ExcitationMode
  private var stream: RandomStream
  private var signals: [SteppedSignal]
  private static let levels = 0...10_000

  /// - Parameters:
  ///   - ranges: of the controls, uniform.
  ///   - hold: for how many samples a level is held.
  ///   - mode: whether controls stay at the middle of their ranges, or step.
  ///   - stream: levels and times are drawn from it.
  public init(
    _ ranges: [ClosedRange<Double>], hold: ClosedRange<Int>, mode: ExcitationMode,
    stream: RandomStream
  ) {
    self.ranges = ranges
    self.mode = mode
    self.stream = stream
    signals = ranges.map { _ in SteppedSignal(levels: Self.levels, intervals: hold) }
  }

  public mutating func controls(sample: Int, state: [Double]) -> [Double] {
    ranges.indices.map { index in
      let (low, width) = (
        ranges[index].lowerBound, ranges[index].upperBound - ranges[index].lowerBound
      )
      switch mode {
      case .aprbs:
        return low + width * Double(signals[index].next(&stream)) / Double(Self.levels.upperBound)
      case .operation:
        // Periods that have no common multiple.
        let period = 97.0 + 31 * Double(index)
        return low + width * (0.5 + 0.3 * .cos(2 * .pi * Double(sample) / period))
      }
    }
  }
}

extension RandomStream {
  /// Uniform in each of the ranges.
  mutating func uniform(in ranges: [ClosedRange<Double>]) -> [Double] {
    ranges.map { $0.lowerBound + ($0.upperBound - $0.lowerBound) * uniform() }
  }
}
