import LinearAlgebra

/// An operator on single numbers that is no layer by itself; together with its neighbours it may be an activation.
/// Truth values are 1 and 0. The names are ONNX's.
enum ElementwiseOperator: String {
  case product = "Mul"
  case quotient = "Div"
  case reciprocal = "Reciprocal"
  case squareRoot = "Sqrt"
  case logarithm = "Log"
  case power = "Pow"
  case sign = "Sign"
  case choice = "Where"
  case maximum = "Max"
  case minimum = "Min"
  case greater = "Greater"
  case greaterOrEqual = "GreaterOrEqual"
  case less = "Less"
  case lessOrEqual = "LessOrEqual"
  case equal = "Equal"
  case and = "And"
  case or = "Or"
  case xor = "Xor"
  case not = "Not"
  case isNaN = "IsNaN"
  case isInfinite = "IsInf"

  var operandCount: Int {
    switch self {
    case .reciprocal, .squareRoot, .logarithm, .sign, .not, .isNaN, .isInfinite: 1
    case .choice: 3
    default: 2
    }
  }

  /// Whether the result is a truth value, of which no activation consists.
  var isTruth: Bool {
    switch self {
    case .product, .quotient, .reciprocal, .squareRoot, .logarithm, .power, .sign, .choice,
      .maximum,
      .minimum:
      false
    default: true
    }
  }

  func value(_ x: [Double]) -> Double {
    func truth(_ value: Bool) -> Double { value ? 1 : 0 }
    switch self {
    case .product: return x[0] * x[1]
    case .quotient: return x[0] / x[1]
    case .reciprocal: return 1 / x[0]
    case .squareRoot: return x[0].squareRoot()
    case .logarithm: return Double.log(x[0])
    case .power: return Double.pow(x[0], x[1])
    case .sign: return x[0] > 0 ? 1 : x[0] < 0 ? -1 : 0
    case .choice: return x[0] != 0 ? x[1] : x[2]
    case .maximum: return max(x[0], x[1])
    case .minimum: return min(x[0], x[1])
    case .greater: return truth(x[0] > x[1])
    case .greaterOrEqual: return truth(x[0] >= x[1])
    case .less: return truth(x[0] < x[1])
    case .lessOrEqual: return truth(x[0] <= x[1])
    case .equal: return truth(x[0] == x[1])
    case .and: return truth(x[0] != 0 && x[1] != 0)
    case .or: return truth(x[0] != 0 || x[1] != 0)
    case .xor: return truth((x[0] != 0) != (x[1] != 0))
    case .not: return truth(x[0] == 0)
    case .isNaN: return truth(x[0].isNaN)
    case .isInfinite: return truth(x[0].isInfinite)
    }
  }
}

/// A function of one number z, as steps each of which reads z and earlier steps.
struct ScalarFunction: Hashable {
  enum Operation: Hashable {
    case elementwise(ElementwiseOperator)
    case activation(Activation)
    case sum(bias: Double)

    func value(_ x: [Double]) -> Double {
      switch self {
      case .elementwise(let operation): operation.value(x)
      case .activation(let activation): activation.value(x[0])
      case .sum(let bias): x.reduce(bias, +)
      }
    }
  }

  /// a · v + b, where v is z for step 0, the result of an earlier step for 1…, and 0 for −1.
  struct Operand: Hashable {
    var step: Int
    var a: Double
    var b: Double
  }

  struct Step: Hashable {
    var operation: Operation
    var operands: [Operand]
  }

  var steps: [Step]

  func value(_ z: Double) -> Double { values(z).last ?? z }

  /// z and the results of all steps.
  private func values(_ z: Double) -> [Double] {
    var values = [z]
    for step in steps {
      values.append(step.operation.value(step.operands.map { Self.value($0, values) }))
    }
    return values
  }

  private static func value(_ operand: Operand, _ values: [Double]) -> Double {
    operand.step < 0 ? operand.b : operand.a * values[operand.step] + operand.b
  }

  /// The affine maps of z that its steps read, and those that they read on one side of a kink.
  var arguments: [Operand] {
    var result: [Operand] = []
    let operands = steps.flatMap(\.operands)
    for operand in operands where operand.step == 0 && operand.a != 0 && !result.contains(operand) {
      result.append(operand)
    }
    for middle in [-2, -0.7, 0.7, 2] {
      let rows = [middle - 0.1, middle, middle + 0.1].map(values)
      for operand in operands where operand.step > 0 {
        let y = rows.map { Self.value(operand, $0) }
        let slope = (y[2] - y[0]) / 0.2
        guard slope != 0, abs(y[0] + y[2] - 2 * y[1]) <= 1e-13 * abs(slope) else { continue }
        let argument = Operand(step: 0, a: slope, b: y[1] - slope * middle)
        let isKnown = result.contains {
          abs($0.a - argument.a) + abs($0.b - argument.b) <= 1e-9 * abs(slope)
        }
        if !isKnown { result.append(argument) }
      }
    }
    return result
  }

  // MARK: Kinks

  /// Where something in it changes sides: a comparison, or an operand that changes sign. Where the function may
  /// have a kink, or jump.
  var kinks: [Double] {
    var found: Set<Double> = []
    for argument in arguments { found.insert(-argument.b / argument.a) }
    let grid = Self.grid
    let rows = grid.map(values)
    for step in steps {
      for measure in Self.measures(of: step) {
        let sides = rows.map { measure($0) }
        for index in 1..<grid.count where (sides[index - 1] > 0) != (sides[index] > 0) {
          found.insert(crossing(grid[index - 1], grid[index], sides[index] > 0, measure))
        }
      }
    }
    return merged(found.filter(\.isFinite).sorted())
  }

  /// Those that differ by rounding count once.
  private func merged(_ sorted: [Double]) -> [Double] {
    var result: [Double] = []
    for kink in sorted {
      if let last = result.last, kink - last <= 1e-10 * max(1, abs(kink)) { continue }
      result.append(kink)
    }
    return result
  }

  /// What changes its sign where the step may change sides.
  private static func measures(of step: Step) -> [([Double]) -> Double] {
    func first(minus c: Double) -> ([Double]) -> Double {
      { values in value(step.operands[0], values) - c }
    }
    switch step.operation {
    case .elementwise(let operation):
      let compares = operation.isTruth || operation == .maximum || operation == .minimum
      guard compares, step.operands.count == 2 else {
        return step.operands.map { operand in { value(operand, $0) } }
      }
      return [{ values in value(step.operands[0], values) - value(step.operands[1], values) }]
    case .activation(.clip): return [first(minus: 0), first(minus: 1)]
    case .activation: return [first(minus: 0)]
    case .sum: return []
    }
  }

  /// By bisection to the last bit.
  private func crossing(
    _ low: Double, _ high: Double, _ isPositiveAbove: Bool, _ measure: ([Double]) -> Double
  ) -> Double {
    var (low, high) = (low, high)
    for _ in 0..<100 {
      let middle = 0.5 * (low + high)
      guard middle > low, middle < high else { break }
      if (measure(values(middle)) > 0) == isPositiveAbove { high = middle } else { low = middle }
    }
    // Of the two neighbours the rounder number: 0 rather than −5e-324.
    return abs(low) < abs(high) ? low : high
  }

  /// Dense about 0, and further out than a network's values.
  static let grid: [Double] = {
    let near = (0..<58).map { 0.0417 + 0.173 * Double($0) }
    let above = [1e-6, 1e-3] + near + [12.5, 16, 25, 40, 100, 1000, 1e5, 1e10]
    return above.reversed().map { -$0 } + above
  }()
}
