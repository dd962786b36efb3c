import ArgumentParser
import Foundation
import Reporting

/// What a tool prints: data on standard output, everything else on standard error.
public enum Console {
  /// - Parameters:
  ///   - text: what went wrong, one line.
  ///   - details: each a line of its own below the text.
  public static func error(_ text: String, _ details: [String] = []) {
    let lines = ["error: \(text)"] + details.map { "  " + $0 }
    notice(lines.map(\.settingsAsOptions.singleLine).joined(separator: "\n"))
  }
  public static func warning(_ text: String) { note("warning: \(text)") }

  /// Prints one line, whatever names and file names contain.
  public static func note(_ text: String) { notice(text.settingsAsOptions.singleLine) }

  /// Prints lines that are already safe for a terminal.
  static func notice(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// - Throws: when the text cannot be written, for example on a full disk.
  public static func output(_ text: String) throws { try output(Array(text.utf8)) }

  /// - Throws: when the bytes cannot be written, for example on a full disk.
  public static func output(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EPIPE { throw ExitCode(0) }
        throw StandardOutputFailure(reason: String(cString: strerror(errno)))
      }
      rest = rest.dropFirst(count)
    }
  }

  public static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

  /// Whether standard output shows colours: a terminal, unless `NO_COLOR` is set; `CLICOLOR_FORCE` decides for
  /// pipes.
  public static var hasColour: Bool {
    let environment = ProcessInfo.processInfo.environment
    if environment["NO_COLOR"].map({ !$0.isEmpty }) ?? false { return false }
    if let forced = environment["CLICOLOR_FORCE"] { return forced != "0" }
    return isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
  }

  /// Width of the terminal that shows standard output; `COLUMNS` takes precedence; 80 without a terminal.
  public static var width: Int {
    if let columns = ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init), columns > 0 {
      return columns
    }
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return 80
  }
}

extension String {
  /// What libraries name between backquotes is a setting; here it is an option: "`cut`" becomes "--cut".
  public var settingsAsOptions: String { replacing(/`([a-z]+(?:-[a-z]+)*)`/) { "--" + $0.1 } }
}

/// Standard output that cannot be written.
struct StandardOutputFailure: Error, CustomStringConvertible {
  let reason: String
  var description: String { "standard output: \(reason)" }
}
