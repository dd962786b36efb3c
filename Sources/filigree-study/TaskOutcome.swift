import CommandSupport
import Foundation
import Reporting
import Study
import Synchronization

/// What became of the units of a task, told as it happens.
final class TaskOutcome: Sendable {
  private struct State {
    var waits = 0
    var failures: [any Error] = []
  }

  private let quiet: Bool
  private let state = Mutex(State())

  init(quiet: Bool) { self.quiet = quiet }

  /// May be called from any thread.
  func note(_ number: Int, _ name: String, _ made: Result<StudyRun.Made, any Error>) {
    state.withLock { state in
      switch made {
      case .success(.waits): state.waits += 1
      case .failure(let error): state.failures.append(error)
      default: break
      }
    }
    let line = PartSummary.line(number, name, made)
    switch made {
    case .success(.made), .success(.there): if !quiet { Console.note(line) }
    default: Console.warning(line)
    }
  }

  /// - Throws: the first error; `WaitingUnits`.
  func end() throws {
    let (waits, failures) = state.withLock { ($0.waits, $0.failures) }
    if let first = failures.first { throw first }
    if waits > 0 { throw WaitingUnits(count: waits) }
  }
}

/// Units that stand on others that are missing.
struct WaitingUnits: ExitCoded, CustomStringConvertible {
  let count: Int
  let exitCode = EX_TEMPFAIL

  var description: String {
    "\(counted(count, "unit")) not made: others that they stand on are missing; filigree-study stages PLAN --ready "
      + "lists those that can be made now"
  }
}
