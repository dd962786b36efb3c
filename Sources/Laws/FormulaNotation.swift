import Dynamics
import Foundation
import LinearAlgebra

/// How formulas are written down: for people, for documents, and for other programs.
public enum FormulaNotation: String, CaseIterable, Sendable {
  case text, latex, sympy, c, python

  /// A formula's right-hand side.
  ///
  /// - Parameters:
  ///   - stated: with its constants as told.
  ///   - names: of the inputs, as they stand in the formula (see `names`).
  public func written(_ stated: StatedFormula, names: [String]) -> String {
    let formula = stated.formula
    var result = ""
    func add(_ value: Double, digits: Int, _ factors: [String]) {
      let isNegative = value < 0
      let minus = self == .text ? "−" : "-"
      result +=
        result.isEmpty ? (isNegative ? minus : "") : (isNegative ? " \(minus) " : " + ")
      let product = ([number(abs(value), digits: digits)] + factors).joined(separator: times)
      result += product
    }
    for (place, term) in formula.terms.enumerated() {
      let coefficient = formula.coefficients[place] * term.prefactor
      add(
        coefficient, digits: stated.coefficients[place].digits,
        term.factors.map { written($0, names) })
    }
    if formula.constant != 0 || formula.terms.isEmpty {
      add(formula.constant, digits: stated.constant?.digits ?? 1, [])
    }
    return result
  }

  private var times: String {
    switch self {
    case .text: " "
    case .latex: " \\, "
    default: "*"
    }
  }

  /// For people with the digits that it has, for programs the shortest that is read back as the same.
  func number(_ value: Double, digits: Int) -> String {
    switch self {
    case .sympy, .c, .python: return "\(value)"
    case .text, .latex:
      let size = value == 0 ? 0 : Int(Double.log10(abs(value)).rounded(.down))
      if (-3..<6).contains(size) {
        return String(format: "%.\(max(0, digits - 1 - size))f", value)
      }
      let text = String(format: "%.\(max(0, digits - 1))e", value)
      let parts = text.split(separator: "e")
      guard parts.count == 2, let exponent = Int(parts[1]) else { return text }
      return self == .latex ? "\(parts[0]) \\cdot 10^{\(exponent)}" : "\(parts[0])e\(exponent)"
    }
  }

  private func written(_ factor: Factor, _ names: [String]) -> String {
    let name = names[factor.variable]
    let difference = factor.minus.map { "\(name) \(self == .text ? "−" : "-") \(names[$0])" }
    let plain = difference ?? name
    let atom = difference.map { "(\($0))" } ?? name
    let parameter = number(factor.parameter, digits: StatedConstant.mostDigits)
    switch factor.function {
    case .power(let exponent): return power(atom, plain, exponent)
    case .arrhenius(let offset):
      let absolute = offset == 0 ? name : "(\(name) + \(number(offset, digits: 5)))"
      let minus = self == .text ? "−" : "-"
      if self == .latex { return "e^{-\(parameter)/\(absolute)}" }
      return "exp(\(minus)\(parameter)/\(absolute))"
    case .sine: return self == .latex ? "\\sin(\(plain))" : "sin(\(plain))"
    case .cosine: return self == .latex ? "\\cos(\(plain))" : "cos(\(plain))"
    case .magnitude: return magnitude(plain)
    case .signedRoot:
      switch self {
      case .text: return "sign√(\(plain))"
      case .latex: return "\\operatorname{sgn}(\(plain)) \\sqrt{|\(plain)|}"
      case .sympy: return "sign(\(plain))*sqrt(Abs(\(plain)))"
      case .c, .python: return "copysign(sqrt(fabs(\(plain))), \(plain))"
      }
    case .signedSquare: return "\(atom)\(times)\(magnitude(plain))"
    case .saturation:
      return self == .latex
        ? "\\frac{\(name)}{\(parameter) + \(name)}" : "\(name)/(\(parameter) + \(name))"
    }
  }

  private func magnitude(_ plain: String) -> String {
    switch self {
    case .text: "|\(plain)|"
    case .latex: "|\(plain)|"
    case .sympy: "Abs(\(plain))"
    case .c, .python: "fabs(\(plain))"
    }
  }

  private func power(_ atom: String, _ plain: String, _ exponent: Double) -> String {
    if exponent == 1 { return atom }
    let whole = String(format: "%g", exponent)
    switch (self, exponent) {
    case (.text, 0.5): return "√\(atom)"
    case (.text, _): return "\(atom)^\(whole)"
    case (.latex, 0.5): return "\\sqrt{\(plain)}"
    case (.latex, _): return "\(atom)^{\(whole)}"
    // A level is never below zero in the plant; rounding or noise may put it there.
    case (.sympy, 0.5): return "sqrt(Max(0, \(plain)))"
    case (.sympy, _): return "\(atom)**(\(whole))"
    case (.c, 0.5): return "sqrt(fmax(0, \(plain)))"
    case (.c, _): return "pow(\(atom), \(whole))"
    case (.python, 0.5): return "sqrt(max(0.0, \(plain)))"
    case (.python, _): return "\(atom)**(\(whole))"
    }
  }

  /// Names of variables as this notation can write them, each only once.
  public func names(of variables: [Variable]) -> [String] {
    var used = Set<String>()
    return variables.map { variable in
      var name = self.name(variable.name)
      if self != .text, self != .latex {
        while !used.insert(name).inserted { name += "_" }
      }
      return name
    }
  }

  private func name(_ name: String) -> String {
    switch self {
    case .text: return name
    case .latex:
      let parts = name.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
      func roman(_ text: Substring) -> String { "\\mathrm{\(Self.escaped(text))}" }
      if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty {
        return "\(roman(parts[0]))_{\(roman(parts[1]))}"
      }
      return roman(name[...])
    case .sympy, .c, .python:
      let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "_" }
        .joined()
      let isName = plain.first?.isLetter == true
      let word = isName ? plain : "v_" + plain
      return Self.reserved.contains(word) ? word + "_" : word
    }
  }

  private static func escaped(_ text: Substring) -> String {
    text.map { character -> String in
      switch character {
      case "\\": "\\backslash "
      case "{", "}", "_", "$", "%", "#", "&": "\\\(character)"
      case "^", "~": "\\char`\\\(character)"
      case " ": "\\ "
      default: String(character)
      }
    }.joined()
  }

  /// Words with a meaning in C, Python or SymPy, and what the functions written here use themselves.
  private static let reserved: Set<String> = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
    "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while", "False", "None", "True", "and", "as",
    "assert", "async", "await", "class", "def", "del", "elif", "except", "finally", "from",
    "global", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "try",
    "with", "yield", "exp", "sqrt", "sin", "cos", "pow", "fabs", "fmax", "copysign", "max",
    "rates", "inputs", "NAN", "nan", "E", "I", "N", "O", "Q", "S", "C", "pi", "Abs", "Max",
    "sign", "main", "math",
  ]
}

extension Term {
  /// What the coefficient is multiplied by where exponentials are written without their reference: exp(E/reference).
  var prefactor: Double {
    factors.reduce(1) { product, factor in
      guard case .arrhenius = factor.function else { return product }
      return product * .exp(factor.parameter / factor.reference)
    }
  }
}
