import CommandSupport
import Study
import Synchronization

/// A line of progress for each stage of a study, one after the other.
final class StageProgress: Sendable {
  private struct State {
    var line: ProgressLine?
    /// Of a unit of progress, not yet shown.
    var rest = 0.0
  }

  private let quiet: Bool
  private let state = Mutex(State())

  init(quiet: Bool) { self.quiet = quiet }

  func begin(_ stage: StudyRun.Progress.Stage, _ amount: StudyRun.Amount) {
    let unit =
      switch stage {
      case .training: "trajectory epochs"
      case .judging: "judged"
      case .ensembles: "ensembles"
      }
    let line = ProgressLine(
      total: Int(amount.all.rounded()), done: Int(amount.before.rounded()), unit: unit,
      quiet: quiet)
    state.withLock { state in
      state.line?.finish()
      state = State(line: line)
    }
  }

  /// May be called from any thread.
  func report(_ progress: StudyRun.Progress) {
    state.withLock { state in
      state.rest += progress.done
      let whole = Int(state.rest)
      guard whole > 0 else { return }
      state.rest -= Double(whole)
      state.line?.advance(by: whole, progress.detail)
    }
  }

  func finish() { state.withLock { $0.line?.finish() } }
}
