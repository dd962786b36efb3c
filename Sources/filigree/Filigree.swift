import CommandSupport
import Foundation
import Reporting

/// One name for all tools: `filigree train …` is `filigree-train …`, with the same arguments, exit code and output.
@main
enum Filigree {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case nil, "--help", "-h":
      finish(help)
    case "help":
      guard arguments.count > 1 else { finish(help) }
      start(arguments[1], ["--help"])
    case "--version":
      finish(filigreeVersion)
    case .some(let name):
      start(name, Array(arguments.dropFirst()))
    }
  }

  private static var help: String {
    """
    Filigree \(filigreeVersion): sparse neural networks of dynamical systems, and what is left of them.

    USAGE: filigree <tool> [<options>]

    TOOLS:
    \(ToolCatalogue.list)

    filigree <tool> --help tells more; filigree train is the same as filigree-train.
    """
  }

  private static func finish(_ text: String) -> Never {
    do {
      try Console.output(text + "\n")
      exit(EX_OK)
    } catch let code as ExitCode {
      exit(code.rawValue)
    } catch {
      Console.error("filigree: \(error)")
      exit(EX_IOERR)
    }
  }

  /// Becomes the tool, which lies beside this program or on the PATH; returns only where that fails.
  private static func start(_ name: String, _ arguments: [String]) -> Never {
    let names = ToolCatalogue.tools.map(\.name)
    guard names.contains(name) else {
      let what = name.hasPrefix("-") ? "there is no option \(name)" : "there is no tool \(name)"
      let hint = Spelling.nearest(name, among: names).map { "; did you mean \($0)?" } ?? ""
      Console.error("filigree: \(what)\(hint)")
      Console.note("usage: filigree <tool> [<options>], with \(names.joined(separator: ", "))")
      Console.note("see 'filigree --help' for more information.")
      exit(EX_USAGE)
    }
    let tool = "filigree-\(name)"
    let beside = Bundle.main.executablePath.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent(tool).path
    }
    let words = ([beside ?? tool] + arguments).map { strdup($0) } + [nil]
    if let beside { execv(beside, words) }
    execvp(tool, words)
    Console.error("filigree: \(tool) cannot be started: \(String(cString: strerror(errno)))")
    exit(EX_UNAVAILABLE)
  }
}
