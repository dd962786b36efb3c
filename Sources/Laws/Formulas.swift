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
  /// From the simplest to the longest, each nearer to the networks than those before it.
  public let candidates: [FormulaCandidate]
  /// The simplest of them that no longer one beats for certain; where that is not accepted, the nearest
  /// for its length.
  public let chosen: Int
  /// Error over held-out rows of the networks themselves, in deviations of the output; nil without data to judge.
  public let networkError: Double?
  /// Root mean square over held-out rows of the members' standard deviation, in deviations of the output.
  public let spread: Double
  /// Whether the chosen formula is as good as the networks, within the factor asked for.
  public let isAccepted: Bool
  /// The chosen formula with its constants told as far as the members support them.
  public let stated: StatedFormula
  /// Where it misses most; nil where it misses about the same everywhere.
  public let weakness: FormulaWeakness?
}

/// Formulas for all outputs of an ensemble.
public struct Formulas: Sendable {
  /// How many times the networks' own error a formula may have.
  public static let usualFactor = 2.0

  /// Of the outputs that were asked for.
  public let outputs: [OutputFormula]
  /// Rows that formulas were fitted to, and judged on.
  public let fittedRows: Int
  public let heldRows: Int
  /// Whether outputs are rates of states, so that formulas were judged by the steps that they make.
  public let areRates: Bool

  /// - Parameters:
  ///   - ensemble: whose mean the formulas are fitted to.
  ///   - data: trajectories of its variables.
  ///   - factor: how many times the networks' own error a formula may have to be accepted.
  ///   - wanted: outputs by number; nil for all. A formula of one may need what another's has shown.
  ///   - threads: that may work at once.
  ///   - progress: called after each output.
  /// - Throws: `DataProblem` for data without a step or an input.
  public init(
    _ ensemble: Ensemble, _ data: Trajectories, factor: Double = usualFactor,
    only wanted: [Int]? = nil, threads: Int,
    progress: @escaping @Sendable () -> Void = {}
  ) async throws {
    let search = try await EnsembleSearch(ensemble, data, factor: factor, threads: threads)
    fittedRows = search.rows.fitted.count
    heldRows = search.rows.held.count
    areRates = !search.oracle.states.isEmpty
    let wanted = wanted ?? Array(ensemble.outputs.indices)
    let first = try await concurrentMap(wanted.count, threads: threads) { place in
      defer { progress() }
      return search.formula(of: wanted[place])
    }
    // What one balance has shown is offered to those that have no formula: a reaction stands in several.
    let known = first.filter(\.isAccepted).flatMap { found in
      found.candidates[found.chosen].formula.terms.flatMap(\.factors).filter { !$0.isPolynomial }
    }.distinct
    outputs = try await concurrentMap(wanted.count, threads: threads) { place in
      guard !first[place].isAccepted, !known.isEmpty else { return first[place] }
      return search.formula(
        of: wanted[place], from: first[place].candidates, borrowing: known)
    }
  }
}

/// What the search for formulas of all outputs has in common.
private struct EnsembleSearch: Sendable {
  let ensemble: Ensemble
  let rows: LawRows
  let oracle: RateOracle
  let factor: Double
  let timeStep: Double
  let bends: OracleBends
  let fitted: [RateOracle.Step]
  let held: [RateOracle.Step]
  /// As held, along the data.
  let measured: [RateOracle.Step]?
  /// Per member, at every n-th of the fitted rows.
  let membersSteps: [[RateOracle.Step]]
  let membersPoints: [[Double]]
  /// Per output, over the held-out rows and at each fitted row.
  let spread: [Double]
  let fittedSpread: [[Double]]?

  /// The rows at which every member is followed by itself.
  static let mostOfMembers = 500

  init(_ ensemble: Ensemble, _ data: Trajectories, factor: Double, threads: Int) async throws {
    self.ensemble = ensemble
    self.factor = factor
    timeStep = data.timeStep
    let members = ensemble.members
    let rows = try LawRows(of: members[0], in: data)
    let oracle = RateOracle(members, timeStep: data.timeStep)
    let seen = members.flatMap { HessianEvaluator($0.network).pairsSeen }
    let width = ensemble.inputs.count
    bends = OracleBends(
      oracle, scaling: members[0].inputScaling, deviations: members[0].outputScaling.deviation,
      at: rows.fitted.points
    ) { first, second in seen.contains { $0[first * width + second] } }
    fitted = rows.fitted.points.map { oracle.step(from: $0) }
    let held = rows.held.points.map { oracle.step(from: $0) }
    self.held = held
    measured = rows.held.increments.map { increments in
      zip(held, increments).map { $0.ending($1, states: oracle.states, timeStep: data.timeStep) }
    }
    let count = min(Self.mostOfMembers, rows.fitted.count)
    let points = (0..<count).map { rows.fitted.points[$0 * rows.fitted.count / count] }
    let timeStep = data.timeStep
    membersPoints = points
    membersSteps =
      members.count < 2
      ? []
      : try await concurrentMap(members.count, threads: threads) { member in
        let own = RateOracle([members[member]], timeStep: timeStep)
        return points.map { own.step(from: $0) }
      }
    fittedSpread =
      members.count > 1 ? Self.spread(of: members, at: rows.fitted.points) : nil
    spread =
      members.count > 1
      ? Self.spread(of: members, at: rows.held.points).map { values in
        Samples.dot(values, values).squareRoot() / Double(values.count).squareRoot()
      } : ensemble.outputs.map { _ in 0 }
    self.rows = rows
    self.oracle = oracle
  }

  /// Per output and point the standard deviation over the members, in deviations of the output.
  private static func spread(of members: [Model], at points: [[Double]]) -> [[Double]] {
    let deviations = members[0].outputScaling.deviation
    let models = members.map { MeanModel([$0]) }
    let values = points.map { point in models.map { $0.outputs(point) } }
    return deviations.indices.map { output in
      values.map { members in members.map { $0[output] }.standardDeviation / deviations[output] }
    }
  }

  private func steps(
    of output: Int, at points: [[Double]], _ steps: [RateOracle.Step], spread: [Double]? = nil
  ) -> OutputSteps {
    OutputSteps(
      output: output, state: oracle.states.isEmpty ? nil : oracle.states[output],
      deviation: ensemble.members[0].outputScaling.deviation[output], timeStep: timeStep,
      points: points, steps: steps, spread: spread)
  }

  /// The formula of one output, sought family by family until one is as good as the networks.
  ///
  /// - Parameters:
  ///   - output: whose formula is sought.
  ///   - known: candidates that there are already; then only borrowed terms are tried.
  ///   - borrowed: functions of other outputs' formulas.
  func formula(
    of output: Int, from known: [FormulaCandidate] = [], borrowing borrowed: [Factor] = []
  ) -> OutputFormula {
    let fitting = steps(
      of: output, at: rows.fitted.points, fitted, spread: fittedSpread?[output])
    let judge = FormulaJudge(
      steps: steps(of: output, at: rows.held.points, held),
      measured: measured.map { steps(of: output, at: rows.held.points, $0) },
      increments: rows.held.increments.map { all in
        all.map { $0[output] / fitting.deviation }
      }, spread: spread[output], factor: factor)
    let sure = fitting.sureRows
    let (points, rates) = (sure.map { fitting.points[$0] }, sure.map { fitting.rates[$0] })
    var candidates = known
    let isBorrowing = !borrowed.isEmpty
    search: for threshold in TermLibrary.thresholds.suffix(isBorrowing ? 1 : 2) {
      let library = TermLibrary(
        ensemble.inputs, relevance: bends.relevance[output], strengths: bends.strengths[output],
        points: rows.fitted.points, threshold: threshold, borrowed: borrowed)
      let search = FormulaSearch(library, at: points, to: rates)
      for family in isBorrowing ? [.borrowed] : TermLibrary.Family.own {
        let found = search.formulas(of: family, enough: 1e-12 * Double(sure.count))
        candidates += found.flatMap { judge.judged($0.formula, fittedTo: fitting) }
        candidates = candidates.paretoFront
        if judge.isGood(candidates[judge.best(of: candidates)]) { break search }
      }
    }
    let chosen = judge.best(of: candidates)
    let formula = candidates[chosen].formula
    let members = membersSteps.map { steps(of: output, at: membersPoints, $0) }
    return OutputFormula(
      output: output, candidates: candidates, chosen: chosen, networkError: judge.networkError,
      spread: spread[output], isAccepted: judge.isGood(candidates[chosen]),
      stated: StatedFormula(formula, members: members),
      weakness: FormulaWeakness(
        candidates[chosen].losses, at: rows.held.points, by: formula.variables,
        of: ensemble.inputs))
  }
}

extension [Factor] {
  /// Without those that differ by less than a thousandth from one before, as borrowed ones.
  fileprivate var distinct: [Factor] {
    var result: [Factor] = []
    for factor in self {
      let isKnown = result.contains {
        $0.function == factor.function && $0.variable == factor.variable
          && abs($0.parameter - factor.parameter) < 1e-3 * abs(factor.parameter)
      }
      guard !isKnown else { continue }
      var borrowed = factor
      borrowed.isBorrowed = true
      result.append(borrowed)
    }
    return result
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
  /// Along the networks' paths.
  let steps: OutputSteps
  /// Along the data's, which end where the data do; what the networks miss there is no fault of a formula.
  let measured: OutputSteps?
  /// The data's, in deviations of the output.
  let increments: [Double]?
  /// Of the members, in deviations of the output.
  let spread: Double
  /// How many times the networks' own error a formula may have.
  let factor: Double

  /// Whether a formula's error is within the factor of the networks', and its distance from them within the factor of
  /// what they can be off themselves: their error, or, where noise in the data hides that, thrice their spread.
  /// Whatever the networks' error, a formula says at least 99 % of what they say.
  func isGood(_ candidate: FormulaCandidate) -> Bool {
    guard candidate.distance <= Self.closeness * steps.increments.standardDeviation else {
      return false
    }
    guard let networkError, let error = candidate.error else {
      return candidate.distance <= factor * max(spread, Self.floor)
    }
    let own = spread > 0 ? min(networkError, max(3 * spread, Self.floor)) : networkError
    return error <= factor * networkError && candidate.distance <= factor * own
  }

  /// A distance that nobody minds, in deviations of the output.
  static let floor = 1e-3
  /// The distance from the networks, of the deviation of what they say, beyond which nothing is a law.
  static let closeness = 0.1

  var networkError: Double? {
    increments.map { increments in
      zip(steps.increments, increments).map { ($0 - $1) * ($0 - $1) }.mean.squareRoot()
    }
  }

  /// A formula with its constants refined, and the same without its constant.
  func judged(_ formula: Formula, fittedTo steps: OutputSteps) -> [FormulaCandidate] {
    [steps.refined(formula) ?? formula, steps.refined(formula, hasConstant: false)]
      .compactMap { $0 }.map(judged)
  }

  /// - Parameter formula: of the rate in deviations of the output.
  private func judged(_ formula: Formula) -> FormulaCandidate {
    let values = steps.increments(of: formula)
    let made = measured.map { $0.increments(of: formula) } ?? values
    // Of the two paths, one has the noise of the data, the other what the networks miss of other states.
    let (own, other) = (
      Self.squares(values, steps.increments), Self.squares(made, steps.increments)
    )
    let distances = other.mean < own.mean ? other : own
    let losses = increments.map { Self.squares(made, $0) }
    return FormulaCandidate(
      formula: formula.scaled(by: steps.deviation), error: losses.map { $0.mean.squareRoot() },
      distance: distances.mean.squareRoot(), losses: losses ?? distances)
  }

  private static func squares(_ a: [Double], _ b: [Double]) -> [Double] {
    zip(a, b).map { first, second in (first - second) * (first - second) }
  }

  /// What a further term must take off an error to be worth reading.
  static let worth = 1.1
  /// The same where no formula is good.
  static let length = 1.02
  static let blocks = 20

  /// The simplest candidate that no longer one beats both for certain (losses paired by row, over blocks of
  /// neighbouring rows) and by enough: a tenth of the error for every point of complexity.
  func choice(_ candidates: [FormulaCandidate]) -> Int {
    for (simple, candidate) in candidates.enumerated() {
      let complexity = candidate.formula.complexity
      let isBeaten = candidates.indices.contains { longer in
        guard longer > simple else { return false }
        let other = candidates[longer]
        var ratio = candidate.distance / other.distance
        if let own = candidate.error, let others = other.error { ratio = max(ratio, own / others) }
        return ratio > Double.pow(Self.worth, other.formula.complexity - complexity)
          && Self.isCertain(candidate.losses, other.losses)
      }
      if !isBeaten { return simple }
    }
    return max(0, candidates.count - 1)
  }

  /// The choice, or, where that is not as good as the networks, the candidate nearest to them for
  /// its length.
  func best(of candidates: [FormulaCandidate]) -> Int {
    let choice = choice(candidates)
    if isGood(candidates[choice]) { return choice }
    if let good = candidates.firstIndex(where: isGood) { return good }
    let costs = candidates.map { candidate in
      (candidate.error ?? candidate.distance)
        * Double.pow(Self.length, candidate.formula.complexity)
    }
    return costs.indices.min { costs[$0] < costs[$1] } ?? choice
  }

  /// Whether the first losses are larger: by Student's t of their mean difference over blocks, or, because rare impulses
  /// make few blocks decide, in at least 17 of 20 blocks (one chance in eight hundred).
  private static func isCertain(_ first: [Double], _ second: [Double]) -> Bool {
    let differences = zip(first, second).map { $0 - $1 }
    let count = min(blocks, differences.count)
    guard count > 1 else { return false }
    let means = (0..<count).map { block in
      differences[(block * differences.count / count)..<((block + 1) * differences.count / count)]
        .mean
    }
    let error = means.standardDeviation / Double(count - 1).squareRoot()
    return means.mean > 3 * error && means.mean > 0
      || means.mean > 0 && means.count { $0 > 0 } * blocks >= 17 * count
  }
}
