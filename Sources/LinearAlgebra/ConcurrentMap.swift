import Dispatch

/// Applies `body` to 0, 1, … `count` − 1 on at most `threads` threads at a time and returns the results
/// in order, whatever the order in which they end.
///
/// It uses its own threads: bodies may compute for minutes, and on the shared pool of a process they would leave no
/// thread for other tasks, not even for the one that cancels.
///
/// - Throws: the first error that a body throws; the rest is cancelled.
public func concurrentMap<Result: Sendable>(
  _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Result
) async throws -> [Result] {
  let workers = (0..<min(count, max(1, threads))).map { _ in Worker() }
  return try await withThrowingTaskGroup(of: (worker: Int, index: Int, Result).self) { group in
    var results = [Result?](repeating: nil, count: count)
    var next = 0
    func start(
      _ group: inout ThrowingTaskGroup<(worker: Int, index: Int, Result), any Error>, on worker: Int
    ) {
      let index = next
      next += 1
      group.addTask(executorPreference: workers[worker]) { (worker, index, try body(index)) }
    }
    for worker in workers.indices { start(&group, on: worker) }
    while let (worker, index, result) = try await group.next() {
      results[index] = result
      if next < count { start(&group, on: worker) }
    }
    return results.compactMap { $0 }
  }
}

/// A thread for one task at a time: serial queues get threads beyond those of the shared pool.
private final class Worker: TaskExecutor {
  private let queue = DispatchQueue(label: "worker")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
