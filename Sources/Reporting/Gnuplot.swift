import Foundation
import GraphDrawing
import Subprocess
import SystemPackage

/// What a chart is written as.
public enum ChartFormat: String, CaseIterable, Sendable {
  case svg, pdf
}

/// gnuplot as a child process, which draws charts.
enum Gnuplot {
  /// - Parameters:
  ///   - script: gnuplot's commands with the data in them, for its svg terminal.
  ///   - title: the name of the drawing, for people who do not see it.
  ///   - format: what the drawing is written as.
  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  static func drawn(_ script: String, title: String, as format: ChartFormat) async throws -> [UInt8]
  {
    switch format {
    case .svg: svg(try await output(script), title: title)
    case .pdf: UndatedPDF.of(try await output(forPDF(script)))
    }
  }

  /// A point for a pixel: the same picture.
  private static func forPDF(_ script: String) -> String {
    script.replacing(/set terminal svg size (\d+),(\d+)/) { found in
      let (width, height) = (Double(found.1) ?? 0, Double(found.2) ?? 0)
      return "set terminal pdfcairo size \(width / 72)in,\(height / 72)in"
    }
  }

  private static func output(_ script: String) async throws -> [UInt8] {
    do {
      let result = try await run(
        .name("gnuplot"), arguments: ["-"],
        environment: .inherit.updating(["GNUTERM": "svg", "LC_ALL": "C.UTF-8"]),
        input: .string(script), output: .bytes(limit: 64 << 20), error: .string(limit: 1 << 16))
      guard result.terminationStatus.isSuccess, !result.standardOutput.isEmpty else {
        let said = result.standardError.split(whereSeparator: \.isNewline).joined(separator: "; ")
        throw ChartProblem("gnuplot: \(said.prefix(500))")
      }
      return result.standardOutput
    } catch let problem as ChartProblem {
      throw problem
    } catch {
      throw ChartProblem(
        "gnuplot, which draws charts, could not be started (\(error)); on Debian: apt-get install "
          + "gnuplot-nox")
    }
  }

  private static func svg(_ output: [UInt8], title: String) -> [UInt8] {
    // gnuplot leaves ">" as it is, and "]]>" may not stand in text; it writes no such sections itself.
    let text = String(decoding: output, as: UTF8.self)
      .replacing("]]>", with: "]]&gt;")
      .replacing("<title>Gnuplot</title>", with: "<title>\(XMLText.escaped(title))</title>")
    return Array(text.utf8)
  }

  /// Labels of an axis at their places. gnuplot reads them as formats, in which a percent sign is doubled.
  static func ticks(_ names: [String]) -> String {
    let places = names.enumerated().map {
      "\(quoted($1.replacing("%", with: "%%"))) \($0)"
    }
    return "(" + places.joined(separator: ", ") + ")"
  }

  /// In single quotes, in which gnuplot has no escapes but the doubled quote.
  static func quoted(_ text: String) -> String {
    let plain = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { isText($0) ? $0 : " " }))
    return "'" + plain.replacing("'", with: "''") + "'"
  }
}

extension Gnuplot {
  /// Whether XML allows the character; control characters of both kinds are left out.
  private static func isText(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar.value & 0xFFFE != 0xFFFE
  }
}

/// Why a chart could not be drawn.
public struct ChartProblem: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
