import Dynamics
import Foundation

/// A fault of a file: what is wrong, where in it, and what to do.
public enum FileProblem: Error {
  case missing(path: String)
  case unreadable(path: String, reason: String)
  /// The file exists and would be overwritten.
  case exists(path: String)
  /// The folder may not be replaced even on request: its manifest does not name these entries.
  case foreignFolder(path: String, entries: [String])
  case cannotCreate(path: String, reason: String)
  case writeFailed(path: String, reason: String)
  /// Another process is using it.
  case busy(path: String)
  /// Another process is using the study.
  case busyStudy(path: String)
  /// There is an interrupted training.
  case unfinished(path: String)
  /// The interrupted training was begun with other settings.
  case otherSettings(path: String, differences: [String])
  /// The content is not what it should be, at `place` (a line, a variable, a node).
  case malformed(path: String, place: String, reason: String)
  case badData(path: String, problem: DataProblem)
}

extension FileProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): there is no such file or folder"
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .exists(let path):
      "\(path): exists already; choose another name, or replace it with `force`"
    case .foreignFolder(let path, let entries):
      "\(path): holds what Filigree did not make (\(entries.prefix(3).joined(separator: ", "))"
        + (entries.count > 3 ? " and \(entries.count - 3) more" : "")
        + "), so even `force` does not replace it; choose another name"
    case .cannotCreate(let path, let reason):
      "\(path): cannot be created: \(reason)"
    case .writeFailed(let path, let reason):
      "\(path): writing failed: \(reason); nothing was replaced"
    case .busy(let path):
      "\(path): another process is training into this output; wait for it or choose another `output`"
    case .busyStudy(let path):
      "\(path): another process is working on this study; wait for it or choose another folder"
    case .unfinished(let path):
      "\(path): an unfinished training is there; go on with `resume`, or start over with `force`"
    case .otherSettings(let path, let differences):
      "\(path): the unfinished training differs (\(differences.joined(separator: "; "))); go on with "
        + "its settings and `resume`, or start over with `force` and without `resume`"
    case .malformed(let path, let place, let reason):
      place.isEmpty ? "\(path): \(reason)" : "\(path): \(place): \(reason)"
    case .badData(let path, let problem):
      "\(path): \(problem)"
    }
  }
}

/// The system's text for the last error number.
func systemError(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// Runs `body`, adding the file to any data problem that it throws.
func locating<Result>(_ path: String, _ body: () throws(DataProblem) -> Result)
  throws(FileProblem) -> Result
{
  do { return try body() } catch { throw .badData(path: path, problem: error) }
}
