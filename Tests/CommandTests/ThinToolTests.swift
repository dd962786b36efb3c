import Foundation
import TestSupport
import Testing

/// A tool is its options and the calls that follow from them; what it tells lies in libraries.
@Suite struct ThinToolTests {
  private var sources: URL { Fixture.packageFolder.appendingPathComponent("Sources") }

  private func files(in folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "swift" }
  }

  @Test func noFileOfAnExecutableIsLong() throws {
    let tools = try FileManager.default.contentsOfDirectory(atPath: sources.path)
      .filter { $0.hasPrefix("filigree-") }
    #expect(tools.count > 8)
    for tool in tools {
      for file in try files(in: sources.appendingPathComponent(tool)) {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(
          text.split(separator: "\n", omittingEmptySubsequences: false).count <= 151, "\(file)")
      }
    }
  }

  /// Options are words of a command line, of which libraries know nothing.
  @Test func findingsNameNoOption() throws {
    let folder = sources.appendingPathComponent("Findings")
    let inside = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".swift") }
    #expect(!inside.isEmpty)
    for file in inside {
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      for line in text.split(separator: "\n") where !line.contains("///") {
        #expect(!line.contains(/["( ]--[a-z]/), "\(file): \(line)")
      }
    }
  }
}
