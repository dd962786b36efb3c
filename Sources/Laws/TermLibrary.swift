import Dynamics
import LinearAlgebra

/// The terms among which a formula for one output is sought.
///
/// Functions of one variable stand for inputs in which the rate bends, products for inputs that act together, plain
/// variables for all others: what the networks' second derivatives exclude is not offered.
struct TermLibrary: Sendable {
  /// Terms that are tried together: a search in a small family is not led astray by what merely looks alike over the
  /// data, such as x/T for x where a temperature T hardly varies.
  enum Family: Int, CaseIterable, Sendable {
    case affine
    /// x² and xy
    case quadratic
    /// Cubes, roots, magnitudes, sines, and these of differences; xyz.
    case functions
    /// exp(−E/T), alone or times x, x², xy
    case arrhenius
    /// 1/x and x/(K + x), alone or times others
    case ratios
    /// Products of any two.
    case all
    /// Functions of other outputs' formulas.
    case borrowed

    static let own = allCases.filter { $0 != .borrowed }
  }

  /// Weaker bends and interactions than this, in standardised units, are not offered functions: first few are, then
  /// more, because networks bend a little where plants do not.
  static let thresholds = [0.02, 0.003]
  static let least = 3e-4
  static let most = 5000
  /// E over the mean absolute temperature.
  static let exponents: [Double] = [10, 14, 19, 25, 32]

  /// The simplest first.
  let terms: [Term]
  private let firstBorrowed: Int
  /// Inputs that the formula may use.
  let variables: [Int]

  /// - Parameters:
  ///   - inputs: of the model.
  ///   - relevance: per input, of the output.
  ///   - strengths: of its bends, inputs × inputs.
  ///   - points: over which ranges are taken.
  ///   - threshold: of bends and interactions.
  ///   - borrowed: functions in other outputs' formulas whose constants are known; those of variables of this one are
  ///     offered too, alone and times x, x² and xy.
  init(
    _ inputs: [Variable], relevance: [Double], strengths: Matrix, points: [[Double]],
    threshold: Double, borrowed: [Factor] = []
  ) {
    let variables = inputs.indices.filter { relevance[$0] > Self.least }
    self.variables = variables
    let ranges = inputs.indices.map { input in
      Range(points.map { $0[input] }, unit: inputs[input].unit)
    }
    func alwaysOrdered(_ first: Int, _ second: Int) -> Bool {
      points.allSatisfy { $0[first] >= $0[second] } || points.allSatisfy { $0[first] <= $0[second] }
    }
    var threshold = threshold
    var terms: [Term] = []
    repeat {
      terms = Self.terms(variables, inputs, ranges, strengths, threshold, alwaysOrdered)
      threshold *= 2
    } while terms.count > Self.most
    let relevant = Set(variables)
    firstBorrowed = terms.count
    self.terms =
      terms
      + borrowed.filter {
        relevant.contains($0.variable) && ($0.minus.map(relevant.contains) ?? true)
      }.flatMap { $0.hasParameter ? Self.multiples($0, variables) : [Term([$0])] }
  }

  /// Borrowed functions without a constant inside: where others have them, this one probably has.
  var borrowedAlone: [Term] {
    Array(terms.dropFirst(firstBorrowed).filter { !$0.factors.contains(where: \.hasParameter) })
  }

  /// A function alone and times x, x² and xy.
  private static func multiples(_ factor: Factor, _ variables: [Int]) -> [Term] {
    let plain = variables.map { Factor(.power(1), $0) }
    let pairs = plain.indices.flatMap { first in
      plain.indices.filter { $0 > first }.map { [plain[first], plain[$0]] }
    }
    let squares = variables.map { [Factor(.power(2), $0)] }
    return ([[]] + plain.map { [$0] } + squares + pairs).map { Term($0 + [factor]) }
  }

  /// The places of a family's terms.
  func places(_ family: Family) -> [Int] {
    family == .borrowed
      ? terms.indices.filter {
        Self.contains(borrowedAlone.isEmpty ? .quadratic : .functions, terms[$0])
          || $0 >= firstBorrowed
      }
      : terms.indices.prefix(firstBorrowed).filter { Self.contains(family, terms[$0]) }
  }

  /// What the values of an input allow.
  private struct Range {
    var low: Double
    var high: Double
    var mean: Double
    var unit: String

    init(_ values: [Double], unit: String) {
      low = values.min() ?? 0
      high = values.max() ?? 0
      mean = values.mean
      self.unit = unit
    }

    /// What to add for an absolute temperature; none where the values cannot be one.
    var offsets: [Double] {
      let isCelsius = unit.contains("°C") || unit.lowercased().contains("degc") || unit == "C"
      if isCelsius { return low > -200 ? [273.15] : [] }
      if unit == "K" { return low > 20 ? [0] : [] }
      guard unit.isEmpty || unit == "1" else { return [] }
      let isNarrow = low > 0 && high < 1.8 * low
      return (low > 200 && isNarrow ? [0] : [])
        + (low > -100 && high > 40 && high < 400 ? [273.15] : [])
    }
  }

  private static func terms(
    _ variables: [Int], _ inputs: [Variable], _ ranges: [Range], _ strengths: Matrix,
    _ threshold: Double, _ alwaysOrdered: (Int, Int) -> Bool
  ) -> [Term] {
    func act(_ first: Int, _ second: Int) -> Bool { strengths[first, second] > threshold }
    var terms = variables.map { Term([Factor(.power(1), $0)]) }
    let bent = variables.filter { first in variables.contains { act(first, $0) } }
    let functions = Dictionary(
      uniqueKeysWithValues: bent.map {
        // A product bends in none of its plain factors.
        ($0, act($0, $0) ? Self.functions($0, ranges[$0]) : [Factor(.power(1), $0)])
      })
    for variable in bent {
      terms += (functions[variable] ?? []).dropFirst().map { Term([$0]) }
    }
    for (place, first) in bent.enumerated() {
      for second in bent[(place + 1)...] where act(first, second) {
        for a in functions[first] ?? [] {
          for b in functions[second] ?? [] { terms.append(Term([a, b])) }
        }
        if inputs[first].unit == inputs[second].unit,
          [first, second].allSatisfy({ inputs[$0].role == .state })
        {
          terms += differences(first, second, !alwaysOrdered(first, second)).map { Term([$0]) }
        }
        for third in bent where third > second && act(first, third) && act(second, third) {
          terms += triples([first, second, third], functions)
        }
      }
    }
    return terms.enumerated().sorted {
      $0.element.complexity != $1.element.complexity
        ? $0.element.complexity < $1.element.complexity : $0.offset < $1.offset
    }.map(\.element)
  }

  /// The plain variable first.
  private static func functions(_ variable: Int, _ range: Range) -> [Factor] {
    var result = [1.0, 2, 3].map { Factor(.power($0), variable) }
    if range.low > 1e-3 * range.high { result.append(Factor(.power(-1), variable)) }
    if range.low >= 0 {
      result.append(Factor(.power(0.5), variable))
      let scales = [0.2, 1, 5].map { $0 * range.mean }
      result += scales.map { Factor(.saturation, variable, parameter: $0, reference: range.mean) }
    } else if range.high > 0 {
      result.append(Factor(.magnitude, variable))
      result.append(Factor(.signedSquare, variable))
    }
    if range.low < 0, range.high > 0, range.high - range.low < 100 {
      result.append(Factor(.sine, variable))
      result.append(Factor(.cosine, variable))
    }
    for offset in range.offsets {
      let reference = range.mean + offset
      result += Self.exponents.map {
        Factor(
          .arrhenius(offset: offset), variable, parameter: $0 * reference, reference: reference)
      }
    }
    return result
  }

  /// Magnitudes are offered where the difference may change its sign.
  private static func differences(_ first: Int, _ second: Int, _ changesSign: Bool) -> [Factor] {
    let functions: [Factor.Function] =
      [.power(2), .power(3), .sine, .signedRoot] + (changesSign ? [.magnitude, .signedSquare] : [])
    return functions.map { Factor($0, first, minus: second) }
  }

  /// Two plain variables and any function of the third.
  private static func triples(_ variables: [Int], _ functions: [Int: [Factor]]) -> [Term] {
    var result: [Term] = []
    for bent in variables {
      for function in functions[bent] ?? [] {
        let isPlain = function.function == .power(1)
        if isPlain && bent != variables[0] { continue }
        result.append(
          Term(variables.map { $0 == bent ? function : Factor(.power(1), $0) }))
      }
    }
    return result
  }
}

extension TermLibrary {
  /// Whether a term belongs to a family, those before it included.
  private static func contains(_ family: Family, _ term: Term) -> Bool {
    let factors = term.factors
    let plain = factors.count { $0.function == .power(1) && $0.minus == nil }
    let others = factors.filter { $0.function != .power(1) || $0.minus != nil }
    let isPlain = others.isEmpty
    if family == .affine { return term.isLinear }
    if term.isQuadratic { return true }
    let only = others.count == 1 ? others[0] : nil
    let hasSquare = others.count == 2 && plain == 0 && others.contains { $0.function == .power(2) }
    let kind = (only ?? others.first { $0.function != .power(2) }).map(Self.family)
    switch family {
    case .affine, .quadratic: return false
    case .functions: return isPlain || only != nil && plain < 2 && kind == .functions
    case .arrhenius, .ratios:
      return (only != nil || hasSquare && family == .arrhenius) && kind == family
    case .all: return true
    case .borrowed: return false
    }
  }

  private static func family(_ factor: Factor) -> Family {
    switch factor.function {
    case .arrhenius: .arrhenius
    case .saturation, .power(-1): .ratios
    default: .functions
    }
  }
}
