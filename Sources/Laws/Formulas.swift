import Dynamics
import LinearAlgebra
import Networks

/// One step of simplification: a formula with what it costs.
public struct FormulaCandidate: Sendable {
  public var formula: Formula
  /// Root of the mean squared error over held-out rows of the step that it makes, in deviations of the output: against
  /// the data, and against the networks.
  public var error: Double?
  public var distance: Double
  /// Per held-out row, squared error against the data (against the networks where there are none).
  var losses: [Double]
}

/// The formula of one output.
public struct OutputFormula: Sendable {
  public let output: Int
  /// From the simplest to the longest.
  public let candidates: [FormulaCandidate]
  /// The simplest that no longer one beats for certain.
  public let chosen: Int
  /// Errors over held-out rows of the networks themselves, in deviations of the output.
  public let networkError: Double?
  /// Standard deviation over the members of what they say, in deviations of the output.
  public let spread: Double
}

/// Formulas for all outputs of an ensemble.
public struct Formulas: Sendable {
  public let outputs: [OutputFormula]

  /// - Parameters:
  ///   - ensemble: whose mean the formulas are fitted to.
  ///   - data: trajectories of its variables.
  ///   - threads: that may work at once.
  public init(_ ensemble: Ensemble, _ data: Trajectories, threads: Int) async throws {
    let rows = try LawRows(of: ensemble.members[0], in: data)
    let members = ensemble.members
    let oracle = RateOracle(members, timeStep: data.timeStep)
    let evaluators = members.map { HessianEvaluator($0.network) }
    let width = ensemble.inputs.count
    let seen = evaluators.flatMap(\.pairsSeen)
    let bends = OracleBends(
      oracle, scaling: members[0].inputScaling, deviations: members[0].outputScaling.deviation,
      at: rows.fitted.points
    ) { first, second in seen.contains { $0[first * width + second] } }
    let fitted = rows.fitted.points.map { oracle.step(from: $0) }
    let held = rows.held.points.map { oracle.step(from: $0) }
    let timeStep = data.timeStep
    outputs = try await concurrentMap(ensemble.outputs.count, threads: threads) { output in
      let state = oracle.states.isEmpty ? nil : oracle.states[output]
      let deviation = members[0].outputScaling.deviation[output]
      let library = TermLibrary(
        ensemble.inputs, relevance: bends.relevance[output], strengths: bends.strengths[output],
        points: rows.fitted.points)
      let steps = OutputSteps(
        output: output, state: state, deviation: deviation, timeStep: timeStep,
        points: rows.fitted.points, steps: fitted)
      let judge = FormulaJudge(
        steps: OutputSteps(
          output: output, state: state, deviation: deviation, timeStep: timeStep,
          points: rows.held.points, steps: held),
        increments: rows.held.increments.map { all in all.map { $0[output] / deviation } })
      let candidates = Self.candidates(library, steps, judge)
      return OutputFormula(
        output: output, candidates: candidates, chosen: judge.choice(candidates),
        networkError: judge.networkError, spread: 0)
    }
  }

  /// Family by family, until a formula is as good as the networks.
  private static func candidates(
    _ library: TermLibrary, _ steps: OutputSteps, _ judge: FormulaJudge
  ) -> [FormulaCandidate] {
    let rows = steps.convergedRows
    let search = FormulaSearch(
      library, at: rows.map { steps.points[$0] }, to: rows.map { steps.rates[$0] })
    var candidates: [FormulaCandidate] = []
    for family in TermLibrary.Family.allCases {
      let found = search.formulas(of: family, enough: 1e-12 * Double(rows.count))
      candidates += found.map { judge.judged(steps.refined($0.formula) ?? $0.formula) }
      candidates = candidates.paretoFront
      let choice = candidates[judge.choice(candidates)]
      if let limit = judge.networkError, choice.distance < limit { break }
    }
    return candidates
  }
}

extension [FormulaCandidate] {
  /// By complexity, without those that are no better than a simpler one.
  var paretoFront: [FormulaCandidate] {
    let ordered = sorted {
      ($0.formula.complexity, $0.distance) < ($1.formula.complexity, $1.distance)
    }
    var front: [FormulaCandidate] = []
    for candidate in ordered where front.last.map({ candidate.distance < $0.distance }) ?? true {
      front.append(candidate)
    }
    return front
  }
}

extension Formula {
  func scaled(by factor: Double) -> Formula {
    Formula(
      constant: constant * factor, terms: terms, coefficients: coefficients.map { $0 * factor })
  }
}

/// Judges formulas of one output on rows that they were not fitted to.
struct FormulaJudge {
  let steps: OutputSteps
  /// The data's, in deviations of the output.
  let increments: [Double]?

  var networkError: Double? {
    increments.map { increments in
      zip(steps.increments, increments).map { ($0 - $1) * ($0 - $1) }.mean.squareRoot()
    }
  }

  /// - Parameter formula: of the rate in deviations of the output.
  func judged(_ formula: Formula) -> FormulaCandidate {
    let values = steps.increments(of: formula)
    let distances = zip(values, steps.increments).map { ($0 - $1) * ($0 - $1) }
    let losses = increments.map { zip(values, $0).map { ($0 - $1) * ($0 - $1) } }
    return FormulaCandidate(
      formula: formula.scaled(by: steps.deviation), error: losses.map { $0.mean.squareRoot() },
      distance: distances.mean.squareRoot(), losses: losses ?? distances)
  }

  /// What a further term must take off an error to be worth reading.
  static let worth = 1.05
  static let blocks = 20

  /// The simplest candidate that no longer one beats both for certain (losses paired by row, over blocks of
  /// neighbouring rows, t above 3) and by enough: 5 % of the error for every point of complexity.
  func choice(_ candidates: [FormulaCandidate]) -> Int {
    for (simple, candidate) in candidates.enumerated() {
      let complexity = candidate.formula.complexity
      let isBeaten = candidates.indices.contains { longer in
        guard longer > simple else { return false }
        let other = candidates[longer]
        var ratio = candidate.distance / other.distance
        if let own = candidate.error, let others = other.error { ratio = max(ratio, own / others) }
        return ratio > Double.pow(Self.worth, other.formula.complexity - complexity)
          && Self.statistic(candidate.losses, other.losses) > 3
      }
      if !isBeaten { return simple }
    }
    return max(0, candidates.count - 1)
  }

  /// Student's t of the mean difference of paired losses over blocks.
  private static func statistic(_ first: [Double], _ second: [Double]) -> Double {
    let differences = zip(first, second).map { $0 - $1 }
    let count = min(blocks, differences.count)
    guard count > 1 else { return 0 }
    let means = (0..<count).map { block in
      differences[(block * differences.count / count)..<((block + 1) * differences.count / count)]
        .mean
    }
    let error = means.standardDeviation / Double(count - 1).squareRoot()
    return error > 0 ? means.mean / error : (means.mean > 0 ? .infinity : 0)
  }
}
