import Foundation

/// Help as ArgumentParser lays it out, with the examples as they are typed.
enum HelpText {
  /// Examples that were broken where the line ended are whole again, or broken with a backslash before an option, so
  /// that they can be copied.
  static func withWholeExamples(_ help: String, width: Int) -> String {
    let lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(where: { $0.trimmed == "EXAMPLES" }) else { return help }
    let end = lines[start...].firstIndex { $0.trimmed.isEmpty } ?? lines.endIndex
    var examples: [String] = []
    for line in lines[(start + 1)..<end] {
      // What was broken goes on where the line begins.
      if line.hasPrefix("  ") || examples.isEmpty {
        examples.append(line.trimmed)
      } else {
        examples[examples.count - 1] += " " + line.trimmed
      }
    }
    let whole = examples.flatMap { broken($0, width: width) }
    return (lines[...start] + whole + lines[end...]).joined(separator: "\n")
  }

  /// A command on as many lines as it needs.
  private static func broken(_ command: String, width: Int) -> [String] {
    var parts: [String] = []
    for word in command.split(separator: " ").map(String.init) {
      // An option stays with what follows it.
      if word.hasPrefix("-") || parts.isEmpty || word == "|" {
        parts.append(word)
      } else {
        parts[parts.count - 1] += " " + word
      }
    }
    var lines = ["  "]
    for part in parts {
      let line = lines[lines.count - 1]
      let isFirst = line.trimmed.isEmpty
      if !isFirst, line.count + 1 + part.count + 2 > width {
        lines[lines.count - 1] += " \\"
        lines.append("      " + part)
      } else {
        lines[lines.count - 1] += (isFirst ? "" : " ") + part
      }
    }
    return lines
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
