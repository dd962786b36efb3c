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
    standardError(text + "\n")
  }

  /// Writes to standard error. Where that fails (a full disk, a terminal that is gone) nobody is left to be told, and
  /// the work goes on. FileHandle's `write` would end the process.
  static func standardError(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

  /// Standard input, output and error that were closed become /dev/null; else the next file that is opened would take
  /// the place of one of them, and be written into.
  static func openStandardFiles() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// - Returns: 0, or the number of the error that kept the rest from being written.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = rest.dropFirst(count)
    }
    return 0
  }

  /// - Throws: when the text cannot be written, for example on a full disk.
  public static func output(_ text: String) throws { try output(Array(text.utf8)) }

  /// - Throws: when the bytes cannot be written, for example on a full disk.
  public static func output(_ bytes: [UInt8]) throws {
    switch write(bytes, to: STDOUT_FILENO) {
    case 0: return
    case EPIPE: throw ExitCode(0)
    case let number: throw StandardOutputFailure(reason: String(cString: strerror(number)))
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
