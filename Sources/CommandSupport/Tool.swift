@_exported import ArgumentParser
import Dynamics
import Foundation
import GraphDrawing
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Training

/// The version that tools print and manifests record.
public let filigreeVersion = "0.1.0"

/// A Filigree executable: parses its options, then does its work; errors become one line on standard
/// error and an exit code after sysexits.
public protocol Tool: CommandMain {
  mutating func work() async throws
}

extension Tool {
  public mutating func run() async throws {
    // A reader that has seen enough closes the pipe; then stop silently, as other Unix tools do.
    signal(SIGPIPE, SIG_DFL)
    if let wanted = ProcessInfo.processInfo.environment["FILIGREE_INSTRUCTION_SET"],
      Kernels.active.instructionSet.rawValue != wanted
    {
      throw ValidationError(
        "FILIGREE_INSTRUCTION_SET=\(wanted): this processor has "
          + Kernels.available.map(\.instructionSet.rawValue).joined(separator: ", ") + ".")
    }
    do {
      try await work()
    } catch let error as ExitCode {
      throw error
    } catch let error as ValidationError {
      throw error
    } catch let error as CleanExit {
      throw error
    } catch {
      let name = Self.configuration.commandName ?? "filigree"
      if let several = error as? any SeveralProblems {
        Console.error("\(name): \(several.summary)", several.lines)
      } else {
        Console.error("\(name): \(error)")
      }
      throw ExitCode(Self.exitCode(of: error))
    }
  }

  private static func exitCode(of error: any Error) -> Int32 {
    switch error {
    case let problem as FileProblem:
      switch problem {
      case .missing, .unreadable: EX_NOINPUT
      case .exists, .foreignFolder, .cannotCreate, .busy, .busyStudy, .unfinished: EX_CANTCREAT
      case .otherSettings: EX_USAGE
      case .writeFailed: EX_IOERR
      case .malformed, .badData: EX_DATAERR
      }
    case is DataProblem, is DataMismatch, is TrainingFailure, is StateMismatch: EX_DATAERR
    case let problem as any ExitCoded: problem.exitCode
    case let interruption as Interruption: 128 + interruption.number
    case is StandardOutputFailure: EX_IOERR
    case is ChartProblem: EX_UNAVAILABLE
    default: EX_SOFTWARE
    }
  }
}

/// An error of a module that only one tool uses, which states the exit code of that tool.
public protocol ExitCoded: Error {
  /// After sysexits.
  var exitCode: Int32 { get }
}

/// An error that consists of several, each printed on a line of its own.
public protocol SeveralProblems: Error {
  var summary: String { get }
  var lines: [String] { get }
}

/// Data, models or a plant that do not match each other, described in words.
public struct DataMismatch: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// Standard output that cannot be written.
struct StandardOutputFailure: Error, CustomStringConvertible {
  let reason: String
  var description: String { "standard output: \(reason)" }
}

/// Refuses an output that would replace a file being read, even with `--force`.
///
/// - Throws: `ValidationError` where an output is one of the files that are read, or lies in a folder of models
///   that is read.
public func refuseOverwriting(_ output: String, _ files: [String], models: [String]) throws {
  let read = files + models
  if let same = read.first(where: { WholeFile.areSame($0, output) })
    ?? models.first(where: { WholeFile.lies(output, in: $0) && output.hasSuffix(".onnx") })
  {
    throw ValidationError(
      "\(output): that is \(same), or in it, which is read; choose another name.")
  }
}

/// What a tool prints: data on standard output, everything else on standard error.
public enum Console {
  /// - Parameters:
  ///   - text: what went wrong, one line.
  ///   - details: each a line of its own below the text.
  public static func error(_ text: String, _ details: [String] = []) {
    let lines = ["error: \(text)"] + details.map { "  " + $0 }
    notice(lines.map(\.singleLine).joined(separator: "\n"))
  }
  public static func warning(_ text: String) { note("warning: \(text)") }

  /// Prints one line, whatever names and file names contain.
  public static func note(_ text: String) { notice(text.singleLine) }

  /// Prints lines that are already safe for a terminal.
  static func notice(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// - Throws: when the text cannot be written, for example on a full disk.
  public static func output(_ text: String) throws {
    var rest = Array(text.utf8)[...]
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
