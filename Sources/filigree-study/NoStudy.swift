import CommandSupport
import Foundation

/// Something else was given for a study's folder.
struct NoStudy: ExitCoded, CustomStringConvertible {
  let description: String
  let exitCode = EX_NOINPUT

  init(_ path: String) {
    description =
      "\(path): this is no study but \(Self.content(of: path)); filigree-study run PLAN --output FOLDER "
      + "makes one"
  }

  /// What it is, in words.
  private static func content(of path: String) -> String {
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return path.hasSuffix(".yaml") || path.hasSuffix(".yml")
        ? "a file, perhaps a plan" : "a file"
    }
    let visible = entries.filter { !$0.hasPrefix(".") }.sorted()
    if visible.contains("ensemble.json") {
      return "an ensemble of models, which filigree-paths and the others read"
    }
    if visible.contains(where: { $0.hasSuffix(".onnx") }) { return "a folder of models" }
    if visible.isEmpty { return "an empty folder" }
    let some = visible.prefix(3).joined(separator: ", ") + (visible.count > 3 ? ", …" : "")
    return "a folder with \(some)"
  }
}
