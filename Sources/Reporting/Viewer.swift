import Foundation
import Subprocess

/// The program that the system has for a kind of file: `xdg-open`, on macOS `open`.
public enum Viewer {
  /// Shows a file.
  ///
  /// - Parameter path: of the file; relative ones from the current folder.
  /// - Returns: why it is not shown, in words; nil where it is.
  public static func open(_ path: String) async -> String? {
    // Absolute, so that no name is taken for an option.
    let file = URL(fileURLWithPath: path).path
    for program in ["xdg-open", "open"] {
      guard
        let result = try? await run(
          .name(program), arguments: [file], output: .discarded, error: .discarded)
      else { continue }
      return result.terminationStatus.isSuccess ? nil : "\(program) could not show \(path)"
    }
    return
      "no program was found that shows \(path) (xdg-open; on Debian: apt-get install xdg-utils)"
  }
}
