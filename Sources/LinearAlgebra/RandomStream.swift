/// A reproducible stream of random numbers, named by a seed and a path.
///
/// Streams with different paths are independent for every practical purpose: the stream of trajectory 7, or of
/// tower 3 of member 2, does not depend on what else is drawn or on the number of threads. The generator is
/// xoshiro256** (Blackman & Vigna 2021), its state initialised by SplitMix64 (Steele, Lea & Flood 2014) from the
/// seed and the path.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)
  private var spareNormal: Double?

  public init(seed: UInt64, path: [UInt64] = []) {
    var mixer = SplitMix(state: seed)
    // Each step of the path replaces the mixer's state by its own output combined with the step, so
    // that (1, 2) and (2, 1), or (1) and (1, 0), lead to different streams.
    for step in path { mixer = SplitMix(state: mixer.next() ^ SplitMix.scramble(step &+ 1)) }
    state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  public mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, 45)
    return result
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A uniform integer of the closed range (Lemire's method, without bias).
  public mutating func integer(in range: ClosedRange<Int>) -> Int {
    let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) &+ 1
    if width == 0 { return Int(truncatingIfNeeded: next()) }
    var product = next().multipliedFullWidth(by: width)
    // The division is rarely needed: the threshold is below the width.
    if product.low < width {
      let threshold = (0 &- width) % width
      while product.low < threshold { product = next().multipliedFullWidth(by: width) }
    }
    return range.lowerBound &+ Int(truncatingIfNeeded: product.high)
  }

  /// Standard normal, by the polar method of Marsaglia.
  public mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let square = u * u + v * v
      if square > 0 && square < 1 {
        let scale = (-2 * Double.log(square) / square).squareRoot()
        spareNormal = v * scale
        return u * scale
      }
    }
  }

  /// A uniform random order of `values` (Fisher–Yates). Inlinable, because a training shuffles all of its rows in
  /// every epoch, and unspecialised code took half of its time.
  @inlinable public mutating func shuffle<Element>(_ values: inout [Element]) {
    guard values.count > 1 else { return }
    for last in stride(from: values.count - 1, through: 1, by: -1) {
      values.swapAt(last, integer(in: 0...last))
    }
  }
}

private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return SplitMix.scramble(state)
  }

  static func scramble(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
