import Foundation
import Subprocess
import SystemPackage

/// gnuplot as a child process, which draws charts.
enum Gnuplot {
  /// - Parameters:
  ///   - script: gnuplot's commands with the data in them, for its svg terminal.
  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  ///   - title: what the drawing is called where it is not seen.
  static func svg(_ script: String, title: String) async throws -> [UInt8] {
    do {
      let result = try await run(
        .name("gnuplot"), arguments: ["-"],
        environment: .inherit.updating(["GNUTERM": "svg", "LC_ALL": "C.UTF-8"]),
        input: .string(script), output: .bytes(limit: 64 << 20), error: .string(limit: 1 << 16))
      guard result.terminationStatus.isSuccess, !result.standardOutput.isEmpty else {
        throw ChartProblem("gnuplot: \(result.standardError.prefix(500))")
      }
      let escaped = title.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        .replacing(">", with: "&gt;").filter { $0.isNewline || ($0.asciiValue ?? 32) >= 32 }
      let text = String(decoding: result.standardOutput, as: UTF8.self)
        .replacing("<title>Gnuplot</title>", with: "<title>\(escaped)</title>")
      return Array(text.utf8)
    } catch let problem as ChartProblem {
      throw problem
    } catch {
      throw ChartProblem(
        "gnuplot, which draws charts, could not be started (\(error)); on Debian: apt-get install "
          + "gnuplot-nox")
    }
  }

  /// In single quotes, where gnuplot knows no escapes but the doubled quote.
  static func quoted(_ text: String) -> String {
    let plain = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    return "'" + plain.replacing("'", with: "''") + "'"
  }
}

/// Why a chart could not be drawn.
public struct ChartProblem: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
