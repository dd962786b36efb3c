import ArgumentParser
import Foundation
import Reporting

/// What is said of a command line that cannot be understood: the error, how the tool is used, and where more is told;
/// three lines.
struct UsageErrors {
  /// How ArgumentParser describes a command, as far as it is needed here.
  fileprivate struct Description: Decodable {
    struct Command: Decodable {
      var commandName: String
      var subcommands: [Command]?
      var arguments: [Argument]?
    }

    struct Argument: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }

      var kind: String
      var parsingStrategy: String?
      var names: [Name]?
    }

    var command: Command
  }

  /// The tool's name, as it is called.
  static var tool: String {
    let path = CommandLine.arguments.first ?? "filigree"
    return String(path.split(separator: "/").last ?? "filigree")
  }

  private let command: Description.Command?

  /// - Parameter dump: the command as ArgumentParser describes it in JSON.
  init(_ dump: String) {
    command = try? JSONDecoder().decode(Description.self, from: Data(dump.utf8)).command
  }

  /// The lines, safe for a terminal.
  ///
  /// - Parameters:
  ///   - message: ArgumentParser's, with its usage.
  ///   - arguments: those given.
  func lines(_ message: String, _ arguments: [String]) -> [String] {
    let lines = String.safeMessage(message, arguments: arguments)
      .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let body = Self.joined(lines.prefix { !$0.hasPrefix("Help:") && !$0.hasPrefix("Usage:") })
    let plain = body.hasPrefix("Error: ") ? String(body.dropFirst("Error: ".count)) : body
    let error = misspelt(arguments)?.singleLine ?? plain
    var result = ["error: \(Self.tool): \(error)"]
    if let usage = lines.first(where: { $0.hasPrefix("Usage:") }) {
      result.append("usage:" + usage.dropFirst("Usage:".count))
    }
    if let more = lines.first(where: { $0.hasPrefix("See '") }) {
      result.append("see '" + more.dropFirst("See '".count))
    }
    return result
  }

  /// On one line; what was a list has commas.
  private static func joined(_ lines: some Sequence<String>) -> String {
    var text = ""
    var isList = false
    for line in lines {
      let isItem = line.hasPrefix("- ")
      text +=
        (text.isEmpty ? "" : isItem && isList ? ", " : " ")
        + (isItem ? line.dropFirst(2) : line[...])
      isList = isItem
    }
    return text
  }

  /// What is wrong with the first option or subcommand that there is not; nil where all are known.
  func misspelt(_ arguments: [String]) -> String? {
    guard var command else { return nil }
    var rest = arguments.prefix { $0 != "--" }[...]
    while let word = rest.popFirst() {
      if word.hasPrefix("--"), word.count > 2 {
        let name = String(word.dropFirst(2).prefix { $0 != "=" })
        guard let option = command.option(name) else {
          return Self.unknown(option: name, of: command)
        }
        let takesWord = option.kind == "option" && !word.contains("=")
        if takesWord,
          option.parsingStrategy == "unconditional" || rest.first?.hasPrefix("--") == false
        {
          rest = rest.dropFirst()
        }
      } else if !command.ownSubcommands.isEmpty, !word.hasPrefix("-") {
        let subcommands = command.ownSubcommands
        guard let next = subcommands.first(where: { $0.commandName == word }) else {
          let names = subcommands.map(\.commandName)
          let hint = Spelling.nearest(word, among: names).map { "; did you mean \($0)?" } ?? ";"
          return "there is no \(command.commandName) \(word)\(hint) there are "
            + names.joined(separator: ", ")
        }
        command = next
      }
    }
    return nil
  }

  private static func unknown(option: String, of command: Description.Command) -> String {
    let hint = Spelling.nearest(option, among: command.options).map { "; did you mean --\($0)?" }
    return "there is no option --\(option)\(hint ?? "")"
  }
}

extension UsageErrors.Description.Command {
  /// Without the one that every command has.
  fileprivate var ownSubcommands: [Self] {
    (subcommands ?? []).filter { $0.commandName != "help" }
  }

  /// The long names of all options.
  fileprivate var options: [String] {
    (arguments ?? []).flatMap { $0.names ?? [] }.filter { $0.kind == "long" }.map(\.name)
  }

  fileprivate func option(_ name: String) -> UsageErrors.Description.Argument? {
    let hidden = ["help-hidden", "generate-completion-script", "experimental-dump-help", "version"]
    if hidden.contains(name) { return .init(kind: "flag", parsingStrategy: nil, names: nil) }
    return arguments?.first { argument in
      (argument.names ?? []).contains { $0.kind == "long" && $0.name == name }
    }
  }
}
