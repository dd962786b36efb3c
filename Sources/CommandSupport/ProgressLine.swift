import Foundation
import Reporting
import Synchronization

/// One line of progress on standard error, rewritten in place, with rate and time left. Prints nothing unless
/// standard error is a terminal.
public final class ProgressLine: Sendable {
  private struct State {
    var done = 0
    var shownAt = -Double.infinity
  }

  private let total: Int
  private let doneBefore: Int
  private let unit: String
  private let isShown: Bool
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  /// - Parameters:
  ///   - total: how much there is to do.
  ///   - done: what an earlier run has done of the total.
  ///   - unit: of what, in the plural.
  ///   - quiet: whether to show nothing.
  public init(total: Int, done: Int = 0, unit: String, quiet: Bool) {
    self.total = total
    doneBefore = done
    state = Mutex(State(done: done))
    self.unit = unit
    isShown = !quiet && Console.isInteractive
  }

  /// Counts `count` more; `detail` is shown after the figures. May be called from any thread.
  public func advance(by count: Int = 1, _ detail: @autoclosure () -> String = "") {
    guard isShown else { return }
    let elapsed = Self.seconds(ContinuousClock.now - start)
    state.withLock { state in
      state.done += count
      guard elapsed - state.shownAt > 0.1 || state.done == total else { return }
      state.shownAt = elapsed
      let rate = Double(state.done - doneBefore) / max(elapsed, 1e-9)
      let left = Double(total - state.done) / rate
      let text =
        "\(state.done)/\(total) \(unit)  \(String(format: "%.0f", rate))/s  "
        + "\(Self.clock(left)) left  \(detail())"
      let room = max(20, Console.width - 1)
      Console.standardError("\r\u{1B}[K\(text.singleLine.prefix(room))")
    }
  }

  /// Clears the line.
  public func finish() {
    if isShown { Console.standardError("\r\u{1B}[K") }
  }

  public static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  /// 9 s, 1:05, 2:03:04
  static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    if whole < 60 { return "\(whole) s" }
    let minutes = String(format: "%02d", whole / 60 % 60)
    let rest = String(format: "%02d", whole % 60)
    return whole < 3600 ? "\(whole / 60):\(rest)" : "\(whole / 3600):\(minutes):\(rest)"
  }
}
