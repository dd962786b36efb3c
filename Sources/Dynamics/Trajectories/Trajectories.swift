import LinearAlgebra

/// Whether values may be missing in trajectories (as NaN): only measured values may, controls never.
public enum Gaps: Sendable {
  case refused
  case inStates
}

/// Equally sampled trajectories of the same variables: states first, then controls, then observables.
public struct Trajectories: Equatable, Sendable {
  /// The states, then the controls, then the observables.
  public let variables: [Variable]
  /// Δt in seconds.
  public let timeStep: Double
  /// One matrix per trajectory, samples × variables, in physical units. Controls of a sample act
  /// during the step that begins there.
  public private(set) var samples: [Matrix]
  /// Where the data come from, as keys and values: plant, mode, seed and so on.
  public var attributes: [String: String]
  /// Whether `samples` may hold gaps.
  public let gaps: Gaps
  /// The features that a model of these data reads, if these are not just states and controls (see `lagged`).
  public internal(set) var laggedFeatures: [Variable]?

  /// - Parameters:
  ///   - variables: one per column.
  ///   - timeStep: Δt in seconds.
  ///   - samples: per trajectory, samples × variables in their units.
  ///   - attributes: what else is known, by name.
  ///   - gaps: whether NaN may stand for a value that is missing.
  /// - Throws: `DataProblem` if a name occurs twice, the time step is not positive, or a value is not
  ///   finite where it must be.
  public init(
    variables: [Variable], timeStep: Double, samples: [Matrix], attributes: [String: String] = [:],
    gaps: Gaps = .refused
  ) throws(DataProblem) {
    let ordered = [Role.state, .control, .observable].flatMap { role in
      variables.filter { $0.role == role }
    }
    precondition(samples.allSatisfy { $0.columns == variables.count })
    var seen = Set<String>()
    for variable in variables where !seen.insert(variable.name).inserted {
      throw .duplicateName(variable.name)
    }
    guard ordered.first?.role == .state else { throw .noStates }
    guard timeStep.isFinite && timeStep > 0 else { throw .timeStep(timeStep) }
    self.variables = ordered
    self.timeStep = timeStep
    self.attributes = attributes
    self.gaps = gaps
    if ordered == variables {
      self.samples = samples
    } else {
      let order = ordered.compactMap { wanted in variables.firstIndex(of: wanted) }
      self.samples = samples.map { $0.submatrix(rows: Array(0..<$0.rows), columns: order) }
    }
    try checkFinite()
  }

  private func checkFinite() throws(DataProblem) {
    for (trajectory, matrix) in samples.enumerated() {
      let isMeasured = variables.map { gaps == .inStates && $0.role != .control }
      let place = matrix.elements.indices.first { index in
        let value = matrix.elements[index]
        return !value.isFinite && !(value.isNaN && isMeasured[index % matrix.columns])
      }
      guard let index = place else { continue }
      throw .notFinite(
        variable: variables[index % matrix.columns].name, trajectory: trajectory,
        sample: index / matrix.columns, value: matrix.elements[index])
    }
  }

  public var states: [Variable] { variables.filter { $0.role == .state } }
  public var controls: [Variable] { variables.filter { $0.role == .control } }
  public var sampleCount: Int { samples.reduce(0) { $0 + $1.rows } }

  /// The first `count` trajectories.
  /// - Throws: `DataProblem.tooFew` when there are fewer.
  public func prefix(_ count: Int) throws(DataProblem) -> Trajectories {
    guard count <= samples.count else {
      throw .tooFew(wanted: count, present: samples.count)
    }
    var result = self
    result.samples = Array(samples.prefix(count))
    return result
  }

  /// The trajectories with these numbers, in the order given.
  public func choosing(_ indices: [Int]) -> Trajectories {
    var result = self
    result.samples = indices.map { samples[$0] }
    return result
  }

  /// Stretches of the data, spread evenly over them, with about `count` samples in all; all data where there are no
  /// more.
  ///
  /// Samples within a stretch follow each other as recorded, so that increments, noise and lags stay what they are.
  /// - Parameters:
  ///   - count: the samples to keep, about so many.
  ///   - stretch: the samples of each, at least two; shorter trajectories are taken whole.
  public func thinned(to count: Int, stretch: Int = 5000) -> Trajectories {
    guard sampleCount > count else { return self }
    let pieces = samples.indices.flatMap { trajectory -> [(trajectory: Int, rows: Range<Int>)] in
      let rows = samples[trajectory].rows
      return stride(from: 0, to: rows, by: stretch).map {
        (trajectory, $0..<min(rows, $0 + stretch))
      }
    }
    .filter { $0.rows.count > 1 }
    let share = Double(count) / Double(sampleCount)
    let wanted = min(pieces.count, max(2, Int((Double(pieces.count) * share).rounded())))
    var result = self
    result.samples = (0..<wanted).map { place in
      let piece = pieces[place * pieces.count / wanted]
      let matrix = samples[piece.trajectory]
      let (first, last) = (piece.rows.lowerBound, piece.rows.upperBound)
      return Matrix(
        rows: piece.rows.count, columns: matrix.columns,
        elements: Array(matrix.elements[(first * matrix.columns)..<(last * matrix.columns)]))
    }
    return result
  }

  /// Other samples of the same variables.
  func replacingSamples(_ samples: [Matrix]) -> Trajectories {
    var result = self
    result.samples = samples
    return result
  }

  /// The data without the named variables.
  /// - Throws: `DataProblem.unknownVariable` for a name that does not occur, `.noStates` if no state is left.
  public func excluding(_ names: [String]) throws(DataProblem) -> Trajectories {
    for name in names where !variables.contains(where: { $0.name == name }) {
      throw .unknownVariable(name, present: variables.map(\.name))
    }
    if names.isEmpty { return self }
    return try selecting(variables.filter { !names.contains($0.name) }.map(\.name))
  }

  /// The data of the named variables only, states first, each in the order given.
  /// - Throws: `DataProblem.missingVariables` naming what is missing and what is extra.
  public func selecting(_ names: [String]) throws(DataProblem) -> Trajectories {
    let indices = names.map { name in variables.firstIndex { $0.name == name } }
    let missing = zip(names, indices).filter { $1 == nil }.map(\.0)
    guard missing.isEmpty else {
      throw .missingVariables(
        missing, extra: variables.map(\.name).filter { !names.contains($0) })
    }
    let columns = indices.compactMap { $0 }
    return try Trajectories(
      variables: columns.map { variables[$0] }, timeStep: timeStep,
      samples: samples.map { $0.submatrix(rows: Array(0..<$0.rows), columns: columns) },
      attributes: attributes, gaps: gaps)
  }

  /// Values that are missing, state by state.
  public var missingValues: [Int] {
    states.indices.map { state in
      gaps == .refused
        ? 0
        : samples.reduce(0) { count, matrix in
          count + (0..<matrix.rows).count { matrix[$0, state].isNaN }
        }
    }
  }

  /// These variables with other samples.
  func replacing(samples: [Matrix]) -> Trajectories {
    var result = self
    result.samples = samples
    return result
  }

  /// Splits off the last `fraction` of the trajectories, at least one; a single trajectory is split
  /// in time. Nothing is split off for a fraction of zero.
  public func split(validationFraction fraction: Double) -> (
    training: Trajectories, validation: Trajectories?
  ) {
    guard fraction > 0 else { return (self, nil) }
    var training = self
    var validation = self
    if samples.count == 1, let only = samples.first {
      let held = min(max(2, Int((Double(only.rows) * fraction).rounded())), only.rows - 2)
      guard held >= 2 else { return (self, nil) }
      let all = Array(0..<only.columns)
      training.samples = [
        only.submatrix(rows: Array(0..<(only.rows - held)), columns: all)
      ]
      validation.samples = [
        only.submatrix(rows: Array((only.rows - held)..<only.rows), columns: all)
      ]
    } else {
      let wanted = Int((Double(samples.count) * fraction).rounded())
      let held = min(max(1, wanted), samples.count - 1)
      training.samples = Array(samples.dropLast(held))
      validation.samples = Array(samples.suffix(held))
    }
    return (training, validation)
  }
}

/// What can be wrong with data, apart from the file that holds them.
public enum DataProblem: Error, Equatable {
  case duplicateName(String)
  case noStates
  case timeStep(Double)
  case notFinite(variable: String, trajectory: Int, sample: Int, value: Double)
  case tooFew(wanted: Int, present: Int)
  case tooShort
  case unknownVariable(String, present: [String])
  case missingVariables([String], extra: [String])
  case constant(Variable)
  case constantRate(Variable)
  /// Numbers that do not fit 32 bits.
  case scale(Variable)
  /// A value, or the rate after it, that lies absurdly far from all others.
  case tooFar(Variable, row: Int, isRate: Bool)
  /// A polynomial with this many inputs and this degree.
  case tooManyTerms(inputs: Int, degree: Int, limit: Int)
}

extension DataProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .duplicateName(let name):
      return "two variables are both named \(quoted(name)); rename one of them"
    case .noStates:
      return "there is no state variable; at least one is needed to predict anything"
    case .timeStep(let step):
      return "the time step is \(step) s; it must be a positive number"
    case .notFinite(let variable, let trajectory, let sample, let value):
      return
        "variable \(quoted(variable)), trajectory \(trajectory), sample \(sample) is \(value); "
        + "remove that trajectory or fill the gap (trajectories and samples count from 0; "
        + "filigree-train fills gaps in states by itself)"
    case .tooFew(let wanted, let present):
      return "\(wanted) trajectories were asked for, but there are only \(present)"
    case .tooShort:
      return
        "no trajectory has two samples in a row without gaps, or only one has; at least two steps are needed"
    case .unknownVariable(let name, let present):
      return
        "there is no variable \(quoted(name)); there are \(present.map(quoted).joined(separator: ", "))"
    case .missingVariables(let missing, let extra):
      let have = extra.isEmpty ? "" : "; unused there: \(extra.map(quoted).joined(separator: ", "))"
      return
        "the data lack \(missing.map(quoted).joined(separator: ", ")), which the model needs\(have)"
    case .constant(let variable):
      return
        "\(variable.role.rawValue) \(quoted(variable.name)) is constant over the training samples, so it "
        + "cannot be standardised and nothing can be learnt about it; use more data, or leave it out with `exclude` \(shellQuoted(variable.name))"
    case .constantRate(let variable):
      return
        "state \(quoted(variable.name)) changes by the same amount at every training step, so its rate "
        + "cannot be standardised; leave it out with `exclude` \(shellQuoted(variable.name))"
    case .tooManyTerms(let inputs, let degree, let limit):
      return
        "polynomials of degree \(degree) in \(inputs) variables have more than \(limit) terms; a lower "
        + "`degree`, or fewer variables by `exclude`, is needed"
    case .tooFar(let variable, let row, let isRate):
      return
        "\(quoted(variable.name)): \(isRate ? "the change after " : "")step \(row) lies more than 1e12 "
        + "deviations from the mean of the training samples, which no 32-bit model can be trained or judged "
        + "by; remove that value (steps count from 0 over the trajectories of the training or held-out part)"
    case .scale(let variable):
      return
        "\(quoted(variable.name)) varies by too much or too little for the 32-bit numbers of a model "
        + "(deviations from 1e-37 to 1e38 of values and rates fit); choose another unit"
    }
  }

  private func quoted(_ name: String) -> String { "\"\(name)\"" }

  private func shellQuoted(_ name: String) -> String {
    let plain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    return plain && !name.isEmpty
      ? name : "'" + name.replacing("'", with: "'\\''") + "'"
  }
}

extension Trajectories {
  /// These data with exactly the named variables as controls; other variables that drive or are driven become
  /// states, observables remain.
  /// - Throws: `DataProblem.unknownVariable`, `.noStates`.
  public func declaring(controls names: [String]) throws(DataProblem) -> Trajectories {
    for name in names where !variables.contains(where: { $0.name == name }) {
      throw .unknownVariable(name, present: variables.map(\.name))
    }
    let declared = variables.map { variable in
      var result = variable
      if names.contains(variable.name) {
        result.role = .control
      } else if variable.role == .control {
        result.role = .state
      }
      return result
    }
    return try Trajectories(
      variables: declared, timeStep: timeStep, samples: samples, attributes: attributes,
      gaps: gaps)
  }
}
