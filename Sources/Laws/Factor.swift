import Dynamics
import LinearAlgebra

/// A function of one variable, or of the difference of two, in a term of a formula.
public struct Factor: Hashable, Sendable {
  public enum Function: Hashable, Sendable {
    /// aᵖ; roots and negative powers for a > 0.
    case power(Double)
    /// exp(−E/(a + offset)), Arrhenius's law; `offset` makes a temperature absolute.
    case arrhenius(offset: Double)
    case sine, cosine
    /// |a|
    case magnitude
    /// sign(a) √|a|: flow between two levels.
    case signedRoot
    /// a |a|
    case signedSquare
    /// a/(K + a), after Michaelis and Menten, for a > 0.
    case saturation
  }

  public var function: Function
  public var variable: Int
  /// Where there is one, the argument is `variable` − `minus`.
  public var minus: Int?
  /// E or K, in the unit of the argument.
  public var parameter: Double
  /// Where the exponential is one, so that its coefficient says how large the term is: the term is computed as
  /// exp(E/reference − E/(a + offset)).
  public var reference: Double
  /// Whether the constant inside is another formula's and does not move.
  public var isBorrowed = false

  package init(
    _ function: Function, _ variable: Int, minus: Int? = nil, parameter: Double = 0,
    reference: Double = 1
  ) {
    self.function = function
    self.variable = variable
    self.minus = minus
    self.parameter = parameter
    self.reference = reference
  }

  /// Whether a constant stands inside the function.
  public var hasParameter: Bool {
    switch function {
    case .arrhenius, .saturation: true
    default: false
    }
  }

  /// Whether the constant inside is to be found.
  var isFree: Bool { hasParameter && !isBorrowed }

  func argument(_ point: some RandomAccessCollection<Double>) -> Double {
    let first = point[point.index(point.startIndex, offsetBy: variable)]
    guard let minus else { return first }
    return first - point[point.index(point.startIndex, offsetBy: minus)]
  }

  func value(at argument: Double) -> Double {
    switch function {
    case .power(let exponent):
      switch exponent {
      case 1: argument
      case 2: argument * argument
      case 3: argument * argument * argument
      case -1: 1 / argument
      case 0.5: max(0, argument).squareRoot()
      default: .pow(max(0, argument), exponent)
      }
    case .arrhenius(let offset):
      .exp(parameter / reference - parameter / (argument + offset))
    case .sine: .sin(argument)
    case .cosine: .cos(argument)
    case .magnitude: abs(argument)
    case .signedRoot: argument < 0 ? -(-argument).squareRoot() : argument.squareRoot()
    case .signedSquare: argument * abs(argument)
    case .saturation: argument / (parameter + argument)
    }
  }

  /// d ln(value)/d(parameter), for functions that have one.
  func logarithmicSlope(at argument: Double) -> Double {
    switch function {
    case .arrhenius(let offset): 1 / reference - 1 / (argument + offset)
    case .saturation: -1 / (parameter + argument)
    default: 0
    }
  }

  /// How much harder the factor is to read than a plain variable.
  var complexity: Int {
    switch function {
    case .power(1): minus == nil ? 1 : 2
    // A constant that another formula has shown is nothing new.
    case .arrhenius, .saturation: isBorrowed ? 2 : 4
    default: minus == nil ? 2 : 3
    }
  }
}

/// A product of factors, in the order of their variables.
public struct Term: Hashable, Sendable {
  public var factors: [Factor]

  package init(_ factors: [Factor]) { self.factors = factors }

  func value(_ point: some RandomAccessCollection<Double>) -> Double {
    var product = 1.0
    for factor in factors { product *= factor.value(at: factor.argument(point)) }
    return product
  }

  var complexity: Int { 1 + factors.reduce(0) { $0 + $1.complexity } }

  public var variables: Set<Int> {
    Set(factors.flatMap { [$0.variable] + ($0.minus.map { [$0] } ?? []) })
  }

  var isLinear: Bool {
    factors.count == 1 && factors[0].function == .power(1) && factors[0].minus == nil
  }
}

/// A constant and a sum of terms with coefficients, in physical units.
public struct Formula: Equatable, Sendable {
  public var constant: Double
  public var terms: [Term]
  public var coefficients: [Double]

  var hasConstant: Bool { constant != 0 }

  public init(constant: Double = 0, terms: [Term] = [], coefficients: [Double] = []) {
    precondition(terms.count == coefficients.count)
    self.constant = constant
    self.terms = terms
    self.coefficients = coefficients
  }

  public func value(_ point: some RandomAccessCollection<Double>) -> Double {
    var sum = constant
    for (coefficient, term) in zip(coefficients, terms) { sum += coefficient * term.value(point) }
    return sum
  }

  /// What it takes to read it: a point for every constant and plain variable, more for functions.
  public var complexity: Int {
    (constant == 0 ? 0 : 1) + terms.reduce(0) { $0 + $1.complexity }
  }

  public var variables: Set<Int> { Set(terms.flatMap(\.variables)) }

  /// Whether it is a constant and a sum of multiples of inputs.
  public var isAffine: Bool { terms.allSatisfy(\.isLinear) }

  /// The step average of the formula along a path: (x(t + Δt) − x(t))/Δt by one step of the classical Runge-Kutta
  /// method, in which the formula's own state moves and all other inputs follow the path.
  ///
  /// - Parameters:
  ///   - state: the input that the formula is the rate of; nil where it is no rate.
  ///   - start: all inputs at the start of the step.
  ///   - middle: the inputs at its middle.
  ///   - end: the inputs at its end.
  ///   - timeStep: Δt in seconds.
  func increment(
    ofState state: Int?, start: [Double], middle: [Double], end: [Double], timeStep: Double
  ) -> Double {
    guard let state else { return value(start) }
    let first = value(start)
    var (half, whole) = (middle, end)
    half[state] = start[state] + timeStep / 2 * first
    let second = value(half)
    half[state] = start[state] + timeStep / 2 * second
    let third = value(half)
    whole[state] = start[state] + timeStep * third
    return (first + 2 * second + 2 * third + value(whole)) / 6
  }
}

extension Term {
  /// Whether it is x, x² or xy.
  var isQuadratic: Bool {
    let degrees = factors.map { factor -> Double in
      if case .power(let exponent) = factor.function, factor.minus == nil { return exponent }
      return .infinity
    }
    return degrees.reduce(0, +) <= 2 && degrees.allSatisfy { $0 == 1 || $0 == 2 }
  }
}

extension Factor {
  /// Whether it is x, x² or x³.
  var isPolynomial: Bool {
    if case .power(let exponent) = function { return minus == nil && exponent >= 1 }
    return false
  }
}
