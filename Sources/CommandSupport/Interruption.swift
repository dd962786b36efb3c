import Dispatch
import Foundation
import Synchronization

/// Work stopped by Ctrl-C or a request to terminate, after it had saved its state.
public struct Interruption: Error, CustomStringConvertible {
  public let number: Int32
  /// What was saved, and how to continue.
  public var remedy = ""

  public var description: String {
    "stopped by \(number == SIGINT ? "Ctrl-C" : "a request to end")"
      + (remedy.isEmpty ? "" : "; \(remedy)")
  }

  /// Runs `body`, cancelling it at the first SIGINT or SIGTERM; the second ends the process at once.
  ///
  /// - Throws: `Interruption` in place of the `CancellationError` that follows.
  public static func cancelling<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task(operation: body)
    let received = Mutex<Int32?>(nil)
    // A queue of its own gets a thread of its own; those of the global queues are at work.
    let queue = DispatchQueue(label: "interruption", qos: .userInteractive)
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        let isFirst = received.withLock { first in
          defer { first = first ?? number }
          return first == nil
        }
        if isFirst { task.cancel() } else { exit(128 + number) }
      }
      source.resume()
      return source
    }
    defer {
      for source in sources { source.cancel() }
      for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
    do {
      return try await task.value
    } catch let error as CancellationError {
      guard let number = received.withLock({ $0 }) else { throw error }
      throw Interruption(number: number)
    }
  }
}
