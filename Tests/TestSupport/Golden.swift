import Foundation

/// Texts that must not change unnoticed, in Fixtures/golden.
public enum Golden {
  /// Whether `text` is what the file holds. With FILIGREE_RECORD=1 in the environment the file is
  /// written anew and the answer is false: a run that records does not pass.
  public static func matches(_ text: String, _ name: String) throws -> Bool {
    let path = Fixture.path("golden/\(name)")
    if ProcessInfo.processInfo.environment["FILIGREE_RECORD"] == "1" {
      try FileManager.default.createDirectory(
        atPath: Fixture.path("golden"), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return false
    }
    return try Fixture.bytes("golden/\(name)") == Array(text.utf8)
  }
}
