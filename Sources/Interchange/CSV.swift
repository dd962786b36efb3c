import Dynamics
import Foundation
import LinearAlgebra

/// Trajectories as comma-separated text: one header line `trajectory,time,<name> [unit]…`, one line per sample,
/// time in seconds. "(input)" follows the unit of controls, "(observable)" that of observables.
///
/// They are read as any other table is (`TableReader`).
enum CSV {
  static func bytes(_ data: Trajectories) -> [UInt8] {
    var text = "trajectory,time"
    for variable in data.variables { text += "," + quoted(heading(variable)) }
    text += "\n"
    var bytes = Array(text.utf8)
    for (trajectory, matrix) in data.samples.enumerated() {
      for sample in 0..<matrix.rows {
        var line = "\(trajectory),\(shortest(Double(sample) * data.timeStep))"
        for value in matrix.row(sample) {
          line += ","
          line += shortest(value)
        }
        line += "\n"
        bytes += line.utf8
      }
    }
    return bytes
  }

  /// The shortest text that reads back as the same number; whole numbers without ".0", an empty text for a gap.
  private static func shortest(_ value: Double) -> String {
    if value.isNaN { return "" }
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func heading(_ variable: Variable) -> String {
    let last = variable.name.unicodeScalars.last
    let isAmbiguous = last == "]" || last == ")"
    let unit = variable.unit.isEmpty && !isAmbiguous ? "" : " [\(variable.unit)]"
    let role = variable.role == .state ? "" : " (\(variable.role.rawValue))"
    return variable.name + unit + role
  }

  private static func quoted(_ field: String) -> String {
    let bytes = field.utf8
    let needsQuotes =
      bytes.isEmpty || bytes.contains { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }
      || field.trimmingCharacters(in: .whitespaces).utf8.count != bytes.count
    guard needsQuotes else { return field }
    var result = "\""
    for scalar in field.unicodeScalars {
      result.unicodeScalars.append(scalar)
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
    }
    return result + "\""
  }
}
