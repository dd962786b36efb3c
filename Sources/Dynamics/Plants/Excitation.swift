import LinearAlgebra

/// An amplitude-modulated pseudo-random binary signal: a level drawn anew after each random interval.
/// Levels and intervals are uniform integers, intervals in samples.
struct SteppedSignal {
  let levels: ClosedRange<Int>
  let intervals: ClosedRange<Int>
  private var level = 0
  private var remaining = 0

  init(levels: ClosedRange<Int>, intervals: ClosedRange<Int>) {
    self.levels = levels
    self.intervals = intervals
  }

  mutating func next(_ stream: inout RandomStream) -> Int {
    if remaining == 0 {
      level = stream.integer(in: levels)
      remaining = stream.integer(in: intervals)
    }
    remaining -= 1
    return level
  }
}

/// Impulses that last one sample: the first after an interval from `first`, each further one after an
/// interval from `later`; zero between them.
struct ImpulseSignal {
  let amplitudes: ClosedRange<Int>
  let later: ClosedRange<Int>
  private var remaining: Int

  init(
    amplitudes: ClosedRange<Int>, first: ClosedRange<Int>, later: ClosedRange<Int>,
    _ stream: inout RandomStream
  ) {
    self.amplitudes = amplitudes
    self.later = later
    remaining = stream.integer(in: first)
  }

  mutating func next(_ stream: inout RandomStream) -> Int {
    guard remaining == 0 else {
      remaining -= 1
      return 0
    }
    remaining = stream.integer(in: later) - 1
    return stream.integer(in: amplitudes)
  }
}
