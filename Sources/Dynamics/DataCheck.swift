import Foundation
import LinearAlgebra

/// What data reveal before anything is learnt from them: noise, excitation, dead times, variables that move
/// together, and inputs set by feedback.
///
/// At most 20,000 samples are examined, neighbouring ones in each trajectory's share, so that large records cost no
/// more than small ones.
public struct DataCheck: Codable, Sendable {
  public struct VariableCheck: Codable, Sendable {
    public var name: String
    public var unit: String
    /// state, input or observable.
    public var role: Role
    public var least: Double
    public var largest: Double
    /// Mean and standard deviation without outliers.
    public var mean: Double
    public var deviation: Double
    public var missing: Int
    /// The smallest distance between two values that occur; nil where nearly every value occurs once.
    public var resolution: Double?
    /// The most samples in a row with one value.
    public var longestStretch: Int
    /// How often the value changes, as a share of the samples.
    public var moves: Double
    /// Standard deviation of white measurement noise, 1.4826 · median |Δ³x| / √20, and as a share of the
    /// increments'.
    public var noise: Double?
    public var noiseShare: Double?
    /// The share of its variance that a linear function of the other states and inputs explains.
    public var explained: Double?
    /// Values far outside of all others, as places (trajectory, sample).
    public var outliers: [[Int]]
  }

  /// Variables that are nearly linear functions of others.
  public struct Group: Codable, Sendable {
    public var name: String
    /// Share of its variance that the others explain.
    public var explained: Double
    public var by: [String]
  }

  /// A control whose changes the states predict.
  public struct Feedback: Codable, Sendable {
    public var input: String
    /// Share of the variance of its changes that the states explain beyond its own previous value.
    public var explained: Double
    public var states: [String]
  }

  /// The lag at which the increments of a state follow those of a control most closely.
  public struct DeadTime: Codable, Sendable {
    public var input: String
    public var state: String
    public var samples: Int
    public var seconds: Double
    public var correlation: Double
  }

  public var variables: [VariableCheck]
  public var groups: [Group]
  public var feedback: [Feedback]
  public var deadTimes: [DeadTime]

  private static let limit = 20_000

  /// - Parameter data: with or without gaps.
  public init(_ data: Trajectories) {
    let samples = Self.thinned(data)
    let checks = data.variables.indices.map { Self.variable(data, $0) }
    let columns = data.variables.indices.filter { checks[$0].deviation > 0 }
    let fits = Self.fits(data, samples, columns.filter { data.variables[$0].role != .observable })
    variables = checks.enumerated().map { column, check in
      var check = check
      check.explained = fits[column]?.share
      return check
    }
    groups = fits.keys.sorted().compactMap { column in
      guard let fit = fits[column], fit.share > 0.98 else { return nil }
      return Group(
        name: data.variables[column].name, explained: fit.share,
        by: fit.by.map { data.variables[$0].name })
    }
    let states = columns.filter { data.variables[$0].role == .state }
    let controls = columns.filter { data.variables[$0].role == .control }
    feedback = controls.compactMap { Self.feedback(data, samples, $0, states) }
    deadTimes = controls.flatMap { control in
      states.compactMap { Self.deadTime(data, samples, control, $0) }
    }
  }

  /// The beginnings of all trajectories, as many samples as are examined.
  private static func thinned(_ data: Trajectories) -> [Matrix] {
    let share = max(50, limit / max(1, data.samples.count))
    var left = limit
    return data.samples.compactMap { matrix in
      guard left > 0 else { return nil }
      let rows = min(matrix.rows, share, left)
      left -= rows
      return matrix.submatrix(rows: Array(0..<rows), columns: Array(0..<matrix.columns))
    }
  }

  // MARK: One variable

  private static func variable(_ data: Trajectories, _ column: Int) -> VariableCheck {
    let description = data.variables[column]
    var (least, largest, sum, count, missing) = (Double.infinity, -Double.infinity, 0.0, 0, 0)
    var (stretch, longest, moves, steps) = (0, 0, 0, 0)
    for matrix in data.samples {
      var previous = Double.nan
      stretch = 0
      for row in 0..<matrix.rows {
        let value = matrix[row, column]
        guard !value.isNaN else {
          missing += 1
          continue
        }
        (least, largest, sum, count) = (
          min(least, value), max(largest, value), sum + value, count + 1
        )
        if !previous.isNaN {
          steps += 1
          if value != previous { moves += 1 }
        }
        stretch = value == previous ? stretch + 1 : 1
        longest = max(longest, stretch)
        previous = value
      }
    }
    let outliers = description.role == .state ? outliers(data, column) : []
    for place in outliers {
      sum -= data.samples[place[0]][place[1], column]
      count -= 1
    }
    let mean = sum / Double(max(1, count))
    var squares = 0.0
    for matrix in data.samples {
      for row in 0..<matrix.rows where !matrix[row, column].isNaN {
        squares += (matrix[row, column] - mean) * (matrix[row, column] - mean)
      }
    }
    for place in outliers {
      let distance = data.samples[place[0]][place[1], column] - mean
      squares -= distance * distance
    }
    var check = VariableCheck(
      name: description.name, unit: description.unit, role: description.role, least: least,
      largest: largest, mean: mean,
      deviation: least == largest ? 0 : (max(0, squares) / Double(max(1, count))).squareRoot(),
      missing: missing, resolution: nil, longestStretch: longest,
      moves: Double(moves) / Double(max(1, steps)), noise: nil, noiseShare: nil, outliers: outliers)
    check.resolution = resolution(data, column)
    if description.role != .control { (check.noise, check.noiseShare) = noise(data, column) }
    return check
  }

  private static func resolution(_ data: Trajectories, _ column: Int) -> Double? {
    var values: [Double] = []
    for matrix in data.samples {
      for row in 0..<matrix.rows where !matrix[row, column].isNaN {
        values.append(matrix[row, column])
        if values.count >= limit { break }
      }
    }
    let distinct = Set(values).sorted()
    guard distinct.count > 2, distinct.count * 3 < values.count * 2 else { return nil }
    let steps = zip(distinct, distinct.dropFirst()).map { $1 - $0 }.sorted()
    // Rounding of decimals makes some of the steps shorter by a few bits.
    return steps.first { $0 > 1e-9 * max(abs(distinct[0]), abs(distinct[distinct.count - 1])) }
  }

  private static func noise(_ data: Trajectories, _ column: Int) -> (Double?, Double?) {
    var thirds: [Double] = []
    var increments: [Double] = []
    for matrix in data.samples {
      guard matrix.rows > 4, thirds.count < limit else { continue }
      for row in 3..<min(matrix.rows, limit) {
        let (a, b) = (matrix[row - 3, column], matrix[row - 2, column])
        let (c, d) = (matrix[row - 1, column], matrix[row, column])
        let third = d - 3 * c + 3 * b - a
        if !third.isNaN { thirds.append(abs(third)) }
        if !(d - c).isNaN { increments.append(d - c) }
      }
    }
    guard thirds.count >= 20 else { return (nil, nil) }
    let noise = 1.4826 * thirds.median / 20.squareRoot()
    let deviation = increments.standardDeviation
    return (noise, deviation > 0 ? noise / deviation : nil)
  }

  private static func outliers(_ data: Trajectories, _ column: Int) -> [[Int]] {
    var values = data.samples.flatMap { matrix in
      stride(from: 0, to: matrix.rows, by: max(1, data.sampleCount / limit)).map {
        matrix[$0, column]
      }
    }.filter { !$0.isNaN }
    guard values.count >= 20 else { return [] }
    values.sort()
    let (low, high) = (values.quantile(0.05), values.quantile(0.95))
    let reach = 3 * (high - low)
    guard reach > 0 else { return [] }
    var result: [[Int]] = []
    for (trajectory, matrix) in data.samples.enumerated() {
      for row in 0..<matrix.rows where result.count < 1000 {
        let value = matrix[row, column]
        if value < low - reach || value > high + reach { result.append([trajectory, row]) }
      }
    }
    return result
  }

  // MARK: Several variables

  /// Least squares of one column on others with a constant: the share of its variance that they explain.
  private static func explained(_ target: [Double], _ regressors: [[Double]]) -> (Double, [Double])
  {
    let count = target.count
    let columns = regressors.count
    guard count > columns + 2 else { return (0, []) }
    let centred = regressors.map { values -> [Double] in
      let (mean, deviation) = (values.mean, values.standardDeviation)
      return values.map { deviation > 0 ? ($0 - mean) / deviation : 0 }
    }
    let (mean, deviation) = (target.mean, target.standardDeviation)
    guard deviation > 0 else { return (0, []) }
    let goal = target.map { ($0 - mean) / deviation }
    var gram = Matrix(rows: columns, columns: columns)
    var right = [Double](repeating: 0, count: columns)
    for a in 0..<columns {
      for b in 0...a {
        var sum = 0.0
        for row in 0..<count { sum += centred[a][row] * centred[b][row] }
        (gram[a, b], gram[b, a]) = (sum / Double(count), sum / Double(count))
      }
      gram[a, a] += 1e-9
      for row in 0..<count { right[a] += centred[a][row] * goal[row] / Double(count) }
    }
    guard let weights = gram.solvePositiveDefinite(right) else { return (0, []) }
    let share = zip(weights, right).reduce(0) { $0 + $1.0 * $1.1 }
    return (min(1, max(0, share)), weights)
  }

  /// Rows of all trajectories in which none of the columns is missing.
  private static func rows(_ samples: [Matrix], _ columns: [Int]) -> [[Double]] {
    var result = [[Double]](repeating: [], count: columns.count)
    for matrix in samples {
      for row in 0..<matrix.rows {
        let values = columns.map { matrix[row, $0] }
        if values.contains(where: \.isNaN) { continue }
        for (index, value) in values.enumerated() { result[index].append(value) }
      }
    }
    return result
  }

  /// Each column as a linear function of the others: the share of variance that these explain, and the columns that
  /// matter.
  private static func fits(_ data: Trajectories, _ samples: [Matrix], _ columns: [Int]) -> [Int: (
    share: Double, by: [Int]
  )] {
    guard columns.count > 1, columns.count <= 60 else { return [:] }
    let values = rows(samples, columns)
    var result: [Int: (share: Double, by: [Int])] = [:]
    for index in columns.indices where values[index].count > columns.count + 2 {
      let others = columns.indices.filter { $0 != index }
      let (share, weights) = explained(values[index], others.map { values[$0] })
      let largest = weights.map(abs).max() ?? 0
      let by = zip(others, weights).filter { abs($0.1) > 0.1 * largest }
        .sorted { abs($0.1) > abs($1.1) }.prefix(5)
      result[columns[index]] = (share, by.map { columns[$0.0] })
    }
    return result
  }

  /// Whether the present states explain the changes of a control beyond what its own value explains: a return to
  /// its mean does not count as feedback.
  private static func feedback(
    _ data: Trajectories, _ samples: [Matrix], _ control: Int, _ states: [Int]
  )
    -> Feedback?
  {
    guard !states.isEmpty, states.count <= 60 else { return nil }
    var changes: [Double] = []
    var before: [Double] = []
    var regressors = [[Double]](repeating: [], count: states.count)
    for matrix in samples where matrix.rows > 1 {
      for row in 1..<matrix.rows {
        let values = states.map { matrix[row, $0] }
        let (last, now) = (matrix[row - 1, control], matrix[row, control])
        if values.contains(where: \.isNaN) || last.isNaN || now.isNaN { continue }
        changes.append(now - last)
        before.append(last)
        for (index, value) in values.enumerated() { regressors[index].append(value) }
      }
    }
    guard changes.count > 10 * (states.count + 2) else { return nil }
    let (alone, _) = explained(changes, [before])
    let (together, weights) = explained(changes, regressors + [before])
    let share = alone < 1 ? (together - alone) / (1 - alone) : 0
    guard share > 0.5 else { return nil }
    let largest = weights.dropLast().map(abs).max() ?? 0
    let by = zip(states, weights).filter { abs($0.1) > 0.2 * largest }.map {
      data.variables[$0.0].name
    }
    return Feedback(
      input: data.variables[control].name, explained: share, states: Array(by.prefix(5)))
  }

  /// The lag d, up to fifty samples, with the largest |correlation| of u(k − d) − u(k − d − 1) and
  /// x(k + 1) − x(k); nil where none stands out of chance by six standard errors, or where both move in the same
  /// sample most closely, so that neither follows the other.
  private static func deadTime(
    _ data: Trajectories, _ samples: [Matrix], _ control: Int, _ state: Int
  )
    -> DeadTime?
  {
    let most = min(50, (samples.map(\.rows).max() ?? 0) / 5)
    var best: (lag: Int, correlation: Double, count: Int)?
    for lag in -1...max(0, most) {
      var (products, inputs, outputs, count) = (0.0, 0.0, 0.0, 0)
      for matrix in samples where matrix.rows > lag + 2 {
        for row in max(1, lag + 1)..<(matrix.rows - 1) {
          let change = matrix[row - lag, control] - matrix[row - lag - 1, control]
          let increment = matrix[row + 1, state] - matrix[row, state]
          guard !change.isNaN, !increment.isNaN else { continue }
          products += change * increment
          inputs += change * change
          outputs += increment * increment
          count += 1
        }
      }
      guard inputs > 0, outputs > 0 else { continue }
      let correlation = products / (inputs * outputs).squareRoot()
      if abs(correlation) > abs(best?.correlation ?? 0) { best = (lag, correlation, count) }
    }
    guard let best, best.lag >= 0, best.count > 50,
      abs(best.correlation) > 6 / Double(best.count).squareRoot()
    else { return nil }
    return DeadTime(
      input: data.variables[control].name, state: data.variables[state].name, samples: best.lag,
      seconds: Double(best.lag) * data.timeStep, correlation: best.correlation)
  }
}
