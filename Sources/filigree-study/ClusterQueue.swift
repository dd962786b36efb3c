import CommandSupport
import Scheduling
import Study

/// What a cluster has of a study, for those who ask how far it is.
struct ClusterQueue {
  private var parts: [SlurmEngine.PartState] = []
  private var ensembles: [String] = []
  private var round: Int?

  /// Whether jobs were submitted and the queue could be asked.
  var isKnown: Bool { round != nil }

  /// Asks the queue, if jobs were ever submitted; where it does not answer, that is said.
  init(_ study: StudyRun) async throws {
    let engine = SlurmEngine(study, program: try ownProgram())
    guard let last = engine.lastRound else { return }
    do {
      parts = try await engine.parts()
      ensembles = engine.ensembles()
      round = last.number
    } catch let problem as SchedulingProblem {
      Console.warning("what waits and runs is not known: \(problem)")
    }
  }

  /// The number of an ensemble's units in tasks of a state.
  func units(_ ensemble: String, _ state: SlurmEngine.PartState.State) -> Int? {
    guard isKnown else { return nil }
    return parts.filter { $0.state == state }.reduce(0) { sum, part in
      sum + part.units.count { ensembles.indices.contains($0) && ensembles[$0] == ensemble }
    }
  }

  func tell(_ folder: String) {
    guard let round else { return }
    let words = SlurmEngine.PartState.State.allCases.compactMap { state -> String? in
      let count = parts.count { $0.state == state }
      return count > 0 ? "\(count) \(state.rawValue)" : nil
    }
    Console.note(
      "round \(round), tasks: \(words.joined(separator: ", ")); filigree-study jobs \(folder) lists them"
    )
  }
}
