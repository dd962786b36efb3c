import LinearAlgebra

/// The likelihood of motion models for some of the series, about 25,000 samples together.
struct MotionSearch {
  private static let limit = 25_000
  private var series: [(index: Int, values: [Double])] = []

  init(_ all: [[Double]]) {
    let step = max(1, all.reduce(0) { $0 + $1.count } / Self.limit)
    _ = add(Array(stride(from: 0, to: all.count, by: step)), of: all)
  }

  /// - Returns: whether any is new.
  mutating func add(_ indices: [Int], of all: [[Double]]) -> Bool {
    let new = indices.filter { index in !series.contains { $0.index == index } }.prefix(8)
    series += new.map { ($0, Array(all[$0].prefix(Self.limit))) }
    return !new.isEmpty
  }

  /// A motion, and where it jumps.
  struct Found {
    var motion: MotionModel
    var jumps: ControlChanges.Jumps

    var words: String {
      motion.kind.rawValue + (jumps.hasShifts ? ", jumps with the inputs" : "")
    }
  }

  /// The best over all kinds and J, for each way in which controls may act.
  ///
  /// - Parameter candidates: not empty.
  func mostLikely(_ candidates: [ControlChanges.Jumps], start: Double) -> Found {
    let all = candidates.map { jumps in
      // Where the jumps are known, what is left of them is in units of the noise.
      let scales =
        jumps.hasShifts
        ? [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6] : [1, 1e-2, 1e-4, 1e-6].map { $0 * start }
      let best = mostLikely(jumps, kinds: MotionModel.Kind.allCases, jumps: scales, start: start)
      return (found: Found(motion: best.model, jumps: jumps), likelihood: best.likelihood)
    }
    return all.dropFirst().reduce(all[0]) { $1.likelihood > $0.likelihood ? $1 : $0 }.found
  }

  /// The best of these kinds, of q in powers of ten, and of these J.
  func mostLikely(
    _ known: ControlChanges.Jumps, kinds: [MotionModel.Kind], jumps: [Double], start: Double
  ) -> (model: MotionModel, likelihood: Double) {
    var best = (
      model: MotionModel(kind: .smoothChange, wandering: 1, jump: start, start: start),
      likelihood: -Double.infinity
    )
    for kind in kinds {
      for jump in jumps {
        for exponents in [Array(-12...(-5)), Array(-4...3)] {
          var wandering = SIMD8<Double>()
          for lane in 0..<8 { wandering[lane] = .pow(10, exponents[lane]) }
          let model = { MotionModel(kind: kind, wandering: $0, jump: jump, start: start) }
          let likelihood = series.reduce(SIMD8<Double>.zero) { sum, one in
            sum
              + StateTracker.logLikelihood(
                one.values, known.trajectories[one.index], model(0), wandering: wandering)
          }
          for lane in 0..<8 where likelihood[lane] > best.likelihood {
            best = (model(wandering[lane]), likelihood[lane])
          }
        }
      }
    }
    return best
  }
}
