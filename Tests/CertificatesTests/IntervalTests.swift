import Testing

import Certificates

@Suite struct IntervalTests {
  @Test func empty() { #expect(Interval(lower: 0, upper: 1).lower == 0) }
}
