import Dynamics
import Foundation

extension Formula {
  /// On one line for people: "1.000 f_Al2O3 − 1.70e-7 I_line".
  public func text(_ names: [String]) -> String {
    var result = ""
    func add(_ coefficient: Double, _ what: String) {
      let size = abs(coefficient)
      let sign = coefficient < 0 ? (result.isEmpty ? "−" : " − ") : (result.isEmpty ? "" : " + ")
      result += sign + String(format: "%.4g", size) + (what.isEmpty ? "" : " " + what)
    }
    if constant != 0 || terms.isEmpty { add(constant, "") }
    for (coefficient, term) in zip(coefficients, terms) {
      add(coefficient, term.factors.map { $0.text(names) }.joined(separator: " "))
    }
    return result
  }
}

extension Factor {
  func text(_ names: [String]) -> String {
    let name = names[variable]
    let argument = minus.map { "(\(name) − \(names[$0]))" } ?? name
    switch function {
    case .power(1): return argument
    case .power(0.5): return "√\(argument)"
    case .power(let exponent): return "\(argument)^\(String(format: "%g", exponent))"
    case .arrhenius(let offset):
      let shift = offset == 0 ? name : "(\(name) + \(String(format: "%g", offset)))"
      return "exp(−\(String(format: "%.4g", parameter))/\(shift))[\(String(format: "%.4g", reference))]"
    case .sine: return "sin\(minus == nil ? "(\(name))" : argument)"
    case .cosine: return "cos\(minus == nil ? "(\(name))" : argument)"
    case .magnitude: return "|\(argument)|"
    case .signedRoot: return "sgn√\(argument)"
    case .signedSquare: return "\(argument)|\(argument)|"
    case .saturation:
      return "\(name)/(\(String(format: "%.4g", parameter)) + \(name))"
    }
  }
}
