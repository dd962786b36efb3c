import Certificates
import LinearAlgebra
import Testing

@Suite struct IntervalTests {
  /// Numbers of very different sizes, with all bits of their significands.
  private func number(_ stream: inout RandomStream) -> Double {
    stream.normal() * Double.exp(6 * stream.normal())
  }

  @Test func exactArithmeticIsExact() {
    var stream = RandomStream(seed: 3)
    for _ in 0..<500 {
      let (a, b, c) = (number(&stream), number(&stream), number(&stream))
      let (x, y, z) = (ExactNumber(a), ExactNumber(b), ExactNumber(c))
      #expect((x + y) * z == x * z + y * z)
      #expect((x - y) + y == x && (x < y) == (a < b))
      #expect((x * y).sign == (a * b > 0 ? 1 : -1))
    }
    #expect(ExactNumber(0.1) * ExactNumber(3) != ExactNumber(0.1 * 3))
    #expect(ExactNumber(0.5) * ExactNumber(3) == ExactNumber(1.5))
    #expect(ExactNumber(.leastNonzeroMagnitude) + ExactNumber(-.leastNonzeroMagnitude) == .zero)
  }

  private func holds<R>(_ interval: RoundedInterval<R>, _ value: ExactNumber) -> Bool {
    (!interval.lower.isFinite || ExactNumber(interval.lower) <= value)
      && (!interval.upper.isFinite || value <= ExactNumber(interval.upper))
  }

  /// How many of many operations have exact results outside.
  private func misses<R: Rounding>(_ rounding: R.Type) -> Int {
    var stream = RandomStream(seed: 4)
    var misses = 0
    for _ in 0..<2000 {
      let (a, b) = (number(&stream), number(&stream))
      let (x, y) = (RoundedInterval<R>(a), RoundedInterval<R>(b))
      let (exactX, exactY) = (ExactNumber(a), ExactNumber(b))
      if !holds(x + y, exactX + exactY) { misses += 1 }
      if !holds(x - y, exactX - exactY) { misses += 1 }
      if !holds(x * y, exactX * exactY) { misses += 1 }
      if !holds(a * y, exactX * exactY) { misses += 1 }
      // q·y ∋ x for the quotient's ends.
      let q = x / y
      let ends = [ExactNumber(q.lower) * exactY, ExactNumber(q.upper) * exactY].sorted()
      if !(ends[0] <= exactX && exactX <= ends[1]) { misses += 1 }
    }
    return misses
  }

  /// Every result lies inside; without outward rounding most do not.
  @Test func operationsRoundOutward() {
    #expect(misses(Outward.self) == 0)
    #expect(misses(ToNearest.self) > 5000)
  }

  /// Products and sums of whole intervals hold those of numbers inside.
  @Test func wholeIntervalsHoldAllResults() {
    var stream = RandomStream(seed: 5)
    func interval() -> Interval {
      let (a, b) = (number(&stream), number(&stream))
      return Interval(lower: min(a, b), upper: max(a, b))
    }
    for _ in 0..<1000 {
      let (x, y) = (interval(), interval())
      for a in [x.lower, x.middle, x.upper] {
        for b in [y.lower, y.middle, y.upper] {
          #expect(holds(x * y, ExactNumber(a) * ExactNumber(b)))
          #expect(holds(x + y, ExactNumber(a) + ExactNumber(b)))
        }
      }
      #expect(x.hull(y).contains(x.lower) && x.hull(y).contains(y.upper))
    }
  }

  @Test func infiniteEndsStandForAnyNumber() {
    let all = Interval.everything
    #expect((0 * all).lower == 0 && (0 * all).upper == 0)
    #expect((Interval(2) * all) == all && (all + all) == all && (Interval(1) / all) == all)
    let above = Interval(lower: 3, upper: .infinity)
    #expect((-2 * above).upper >= -6 && (-2 * above).lower == -.infinity)
    #expect((Interval(1e308) * Interval(1e308)).upper == .infinity)
    #expect((Interval(1e308) * Interval(1e308)).lower > 1e300)
  }
}
