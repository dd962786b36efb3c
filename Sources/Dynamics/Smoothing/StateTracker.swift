import LinearAlgebra

/// A model of a state's motion from sample to sample: value x, change v, change of the change a, in units of the
/// measurement noise, one step per sample, x⁺ = x + v, v⁺ = v + a, a⁺ = a, each with random increments.
package struct MotionModel: Equatable, Sendable {
  /// Which of v and a wanders, and which jumps when a control does.
  package enum Kind: String, CaseIterable, Sendable {
    /// v wanders and jumps; there is no a.
    case wanderingChange = "wandering change"
    /// v jumps, a wanders and jumps a little.
    case jumpingChange = "smooth change with jumps"
    /// a wanders and jumps; v follows smoothly.
    case smoothChange = "smooth change"
  }

  package var kind: Kind
  /// q: variance per sample of what wanders.
  package var wandering: Double
  /// J: variance of a jump.
  package var jump: Double
  /// Variance of v at the start.
  package var start: Double

  package init(kind: Kind, wandering: Double, jump: Double, start: Double) {
    self.kind = kind
    self.wandering = wandering
    self.jump = jump
    self.start = start
  }

  /// A motion model with one value of q in each lane.
  fileprivate struct Lanes {
    var change = SIMD8<Double>.zero
    var bend = SIMD8<Double>.zero
    /// Of the variance of a jump, what falls to v and to a.
    var jumpsOfChange: Double
    var jumpsOfBend: Double
    var jump: Double
    var initialChange: Double
    var initialBend: Double

    init(_ model: MotionModel, wandering: SIMD8<Double>) {
      if model.kind == .wanderingChange { change = wandering } else { bend = wandering }
      jumpsOfChange = model.kind == .smoothChange ? 0 : 1
      jumpsOfBend = model.kind == .wanderingChange ? 0 : 0.01
      jump = model.jump
      initialChange = model.start
      initialBend = model.kind == .wanderingChange ? 0 : 0.01 * model.start
    }
  }
}

/// What the controls say about a jump of v at a sample: its mean, and its variance `share` · J + `floor`.
package struct Jump: Equatable, Sendable {
  package var shift = 0.0
  package var share: Double
  package var floor = 0.0

  package init(shift: Double = 0, share: Double, floor: Double = 0) {
    self.shift = shift
    self.share = share
    self.floor = floor
  }
}

/// Kalman filter and smoother for eight series at a time (Kalman 1960; the smoother in the form of Bryson
/// & Frazier 1963, which inverts nothing). Measurements have unit noise; NaN is a gap.
package struct StateTracker {
  package typealias Lanes = SIMD8<Double>

  /// Mean and covariance of (x, v, a).
  private struct Belief {
    var x: Lanes
    var v = Lanes.zero
    var a = Lanes.zero
    var xx = Lanes(repeating: 100)
    var xv = Lanes.zero
    var xa = Lanes.zero
    var vv: Lanes
    var va = Lanes.zero
    var aa: Lanes

    init(_ model: MotionModel.Lanes, start: Lanes) {
      x = start
      vv = Lanes(repeating: model.initialChange)
      aa = Lanes(repeating: model.initialBend)
    }

    /// - Parameters:
    ///   - jumps: the variance of a jump at this sample.
    ///   - shift: its mean.
    mutating func predict(_ model: MotionModel.Lanes, jumps: Lanes, shift: Lanes) {
      x += v
      v += a + shift
      let (oldXV, oldXA, oldVV, oldVA) = (xv, xa, vv, va)
      xx += 2 * oldXV + oldVV
      xv = oldXV + oldVV + oldXA + oldVA
      xa = oldXA + oldVA
      vv = oldVV + 2 * oldVA + aa + model.change + jumps * model.jumpsOfChange
      va = oldVA + aa
      aa += model.bend + jumps * model.jumpsOfBend
    }

    /// The effect of a measurement: the gain, the variance of the innovation, and the innovation; nothing in a gap.
    mutating func update(_ measured: Lanes) -> Surprise {
      let isThere = measured .== measured
      let variance = xx + 1
      let surprise = (measured - x).replacing(with: 0, where: .!isThere)
      let precision = (1 / variance).replacing(with: 0, where: .!isThere)
      let gain = (x: xx * precision, v: xv * precision, a: xa * precision)
      x += gain.x * surprise
      v += gain.v * surprise
      a += gain.a * surprise
      let (oldXX, oldXV, oldXA) = (xx, xv, xa)
      xx -= gain.x * oldXX
      xv -= gain.x * oldXV
      xa -= gain.x * oldXA
      vv -= gain.v * oldXV
      va -= gain.v * oldXA
      aa -= gain.a * oldXA
      return Surprise(
        value: surprise, precision: precision, gainX: gain.x, gainV: gain.v, gainA: gain.a)
    }
  }

  private struct Surprise {
    var value: Lanes
    var precision: Lanes
    var gainX: Lanes
    var gainV: Lanes
    var gainA: Lanes
  }

  /// log p(measurements | model) up to a constant, for eight values of q at once.
  package static func logLikelihood(
    _ series: [Double], _ jumps: [Jump], _ model: MotionModel, wandering: SIMD8<Double>
  ) -> SIMD8<Double> {
    guard let first = series.first(where: \.isFinite) else { return .zero }
    let lanes = MotionModel.Lanes(model, wandering: wandering)
    var belief = Belief(lanes, start: Lanes(repeating: first))
    var sum = Lanes.zero
    var product = Lanes(repeating: 1)
    for sample in series.indices {
      if sample > 0 {
        let jump = jumps[sample]
        belief.predict(
          lanes, jumps: Lanes(repeating: jump.share * model.jump + jump.floor),
          shift: Lanes(repeating: model.kind == .smoothChange ? 0 : jump.shift))
      }
      let surprise = belief.update(Lanes(repeating: series[sample]))
      guard series[sample].isFinite else { continue }
      sum -= surprise.value * surprise.value * surprise.precision
      // Logarithms are dear: one for eight samples.
      product *= surprise.precision
      if sample % 8 == 7 {
        sum += product.logarithm
        product = Lanes(repeating: 1)
      }
    }
    return (sum + product.logarithm) / 2
  }

  /// What is known of eight series once all of each has been seen.
  package struct Smoothed {
    /// E x and Var v, sample by sample.
    package var value: [Lanes]
    package var changeVariance: [Lanes]
  }

  /// - Precondition: at most eight series, with as many jumps each; shorter ones end in gaps.
  package static func smooth(_ series: [[Double]], _ jumps: [[Jump]], _ model: MotionModel)
    -> Smoothed
  {
    precondition(series.count <= 8 && series.count == jumps.count)
    let length = series.map(\.count).max() ?? 0
    let measured = side(series, length: length, otherwise: .nan)
    let variances = side(
      jumps.map { $0.map { $0.share * model.jump + $0.floor } }, length: length, otherwise: 0)
    let hasShifts = model.kind != .smoothChange
    let shifts = side(
      jumps.map { $0.map { hasShifts ? $0.shift : 0 } }, length: length, otherwise: 0)
    let lanes = MotionModel.Lanes(model, wandering: Lanes(repeating: model.wandering))
    var belief = Belief(lanes, start: firstMeasured(measured))
    var beliefs: [Belief] = []
    var surprises: [Surprise] = []
    beliefs.reserveCapacity(length)
    surprises.reserveCapacity(length)
    for sample in 0..<length {
      if sample > 0 {
        belief.predict(lanes, jumps: variances[sample], shift: shifts[sample])
      }
      surprises.append(belief.update(measured[sample]))
      beliefs.append(belief)
    }
    return lookBack(beliefs, surprises)
  }

  private static func lookBack(_ beliefs: [Belief], _ surprises: [Surprise]) -> Smoothed {
    var result = Smoothed(
      value: Array(repeating: .zero, count: beliefs.count),
      changeVariance: Array(repeating: .zero, count: beliefs.count))
    var future = Future()
    for sample in beliefs.indices.reversed() {
      let belief = beliefs[sample]
      result.value[sample] =
        belief.x - (belief.xx * future.x + belief.xv * future.v + belief.xa * future.a)
      result.changeVariance[sample] =
        belief.vv - future.quadratic(belief.xv, belief.vv, belief.va)
      future.stepBack(over: surprises[sample])
    }
    return result
  }

  /// Series side by side.
  private static func side(_ series: [[Double]], length: Int, otherwise: Double) -> [Lanes] {
    var lanes = [Lanes](repeating: Lanes(repeating: otherwise), count: length)
    for (lane, values) in series.enumerated() {
      for (sample, value) in values.enumerated() { lanes[sample][lane] = value }
    }
    return lanes
  }

  private static func firstMeasured(_ series: [Lanes]) -> Lanes {
    var start = Lanes.zero
    for lane in 0..<8 {
      if let sample = series.first(where: { $0[lane].isFinite }) { start[lane] = sample[lane] }
    }
    return start
  }

  /// The information of later measurements on (x, v, a) at a sample: Bryson and Frazier's λ and Λ.
  private struct Future {
    var x = Lanes.zero
    var v = Lanes.zero
    var a = Lanes.zero
    var xx = Lanes.zero
    var xv = Lanes.zero
    var xa = Lanes.zero
    var vv = Lanes.zero
    var va = Lanes.zero
    var aa = Lanes.zero

    /// pᵀ Λ p
    func quadratic(_ p: Lanes, _ q: Lanes, _ r: Lanes) -> Lanes {
      let squares = p * p * xx + q * q * vv + r * r * aa
      return squares + 2 * (p * q * xv + p * r * xa + q * r * va)
    }

    /// Over the measurement of a sample and the motion that led to it.
    mutating func stepBack(over s: Surprise) {
      // Cᵀ λ and Cᵀ Λ C with C = I − K H, which changes what belongs to x only.
      let kept = 1 - s.gainX
      let kv = s.gainV
      let ka = s.gainA
      let lx = kept * x - kv * v - ka * a - s.precision * s.value
      let column = (
        x: kept * xx - kv * xv - ka * xa, v: kept * xv - kv * vv - ka * va,
        a: kept * xa - kv * va - ka * aa
      )
      let lxx = kept * column.x - kv * column.v - ka * column.a + s.precision
      // Fᵀ λ and Fᵀ Λ F with F = [[1, 1, 0], [0, 1, 1], [0, 0, 1]].
      let (mvv, mva, maa) = (vv, va, aa)
      (x, v, a) = (lx, lx + v, v + a)
      xx = lxx
      xv = lxx + column.v
      xa = column.v + column.a
      vv = lxx + 2 * column.v + mvv
      va = column.v + column.a + mvv + mva
      aa = mvv + 2 * mva + maa
    }
  }
}

extension SIMD8<Double> {
  fileprivate var logarithm: Self {
    var result = Self()
    for lane in 0..<8 { result[lane] = .log(self[lane]) }
    return result
  }
}
