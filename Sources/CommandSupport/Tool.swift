@_exported import ArgumentParser
import Dynamics
import Findings
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
      let name = UsageErrors.tool
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
