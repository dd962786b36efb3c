import Foundation
import Reporting

/// An executable's outermost command. It replaces ArgumentParser's own `main`, so that failing to write help is an
/// error, and no argument reaches a terminal unescaped.
public protocol CommandMain: AsyncParsableCommand {}

extension CommandMain {
  public static func main() async {
    Console.openStandardFiles()
    do {
      var command = try parseAsRoot(nil)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Glibc.exit(finish(error))
    }
  }

  /// Prints the message of an error or the help that was requested; returns the exit code.
  private static func finish(_ error: any Error) -> Int32 {
    let code = exitCode(for: error)
    let text = fullMessage(for: error)
    guard !text.isEmpty else { return code.rawValue }
    guard code.isSuccess else {
      let lines = UsageErrors(_dumpHelp()).lines(text, Array(CommandLine.arguments.dropFirst()))
      Console.notice(lines.joined(separator: "\n"))
      return code.rawValue
    }
    do {
      try Console.output(HelpText.withWholeExamples(text, width: Console.width) + "\n")
      return code.rawValue
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      Console.error("\(UsageErrors.tool): \(error)")
      return EX_IOERR
    }
  }
}
