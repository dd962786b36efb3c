import Forecasting
import LinearAlgebra
import Structure
import Synchronization

/// The sizes that all parts of a study share, from its plan.
struct UnitShape: Sendable {
  var states: Int
  /// What a model reads: states and controls.
  var inputs: Int
  var horizons: [Int]
  /// Samples of each test trajectory.
  var lengths: [Int]

  /// Pairs of output and input.
  var pairs: Int { states * inputs }

  func fits(_ errors: ForecastErrors) -> Bool {
    errors.isWhole(horizons: horizons, states: states, lengths: lengths)
  }
}

/// The content of a part of a study. It comes from a file, so it is not used before it is known to have the study's
/// shape.
protocol UnitContent: Codable, Sendable {
  func fits(_ shape: UnitShape) -> Bool
}

extension MemberRecord {
  func fits(_ shape: UnitShape) -> Bool {
    let isWhole =
      evidence.map { found in
        found.pairs.count == shape.states && found.explained.count == shape.states
          && found.outputs.count == shape.states && found.inputs.count == shape.inputs
          && found.pairs.allSatisfy { $0.count == shape.inputs }
      } ?? true
    return member >= 0 && restarts >= 0 && isWhole
  }
}

extension Judgement {
  func fits(_ shape: UnitShape) -> Bool {
    connected.count == shape.pairs && relevance.count == shape.pairs
      && physicalRelevance.count == shape.pairs && shape.fits(errors)
  }
}

extension EnsembleJudgement {
  func fits(_ shape: UnitShape) -> Bool {
    let all = inside + self.all
    return shape.fits(errors) && inside.count == shape.horizons.count
      && self.all.count == shape.horizons.count && all.allSatisfy { $0.count == shape.states }
  }
}

extension TruthRecord {
  func fits(_ shape: UnitShape) -> Bool {
    [relevance, physical].allSatisfy { matrix in
      matrix.rows == shape.states && matrix.columns == shape.inputs
        && matrix.elements.count == shape.pairs
    }
  }
}

/// The parts that were read and found damaged, by name.
final class UnitDamage: Sendable {
  private let found = Mutex<Set<String>>([])

  func note(_ name: String) { found.withLock { _ = $0.insert(name) } }

  var names: [String] { found.withLock { $0.sorted() } }
}
