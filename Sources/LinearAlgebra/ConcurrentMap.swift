/// Applies `body` to 0, 1, … `count` − 1 on at most `threads` tasks at a time and returns the results
/// in order, whatever the order in which they end.
///
/// - Throws: the first error that a body throws; the rest is cancelled.
public func concurrentMap<Result: Sendable>(
  _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Result
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    var results = [Result?](repeating: nil, count: count)
    var next = 0
    func start(_ group: inout ThrowingTaskGroup<(Int, Result), any Error>) {
      let index = next
      next += 1
      group.addTask { (index, try body(index)) }
    }
    while next < min(count, max(1, threads)) { start(&group) }
    while let (index, result) = try await group.next() {
      results[index] = result
      if next < count { start(&group) }
    }
    return results.compactMap { $0 }
  }
}
