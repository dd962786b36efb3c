import ArgumentParser
import Foundation
import Interchange
import Reporting

/// How results are written.
public enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case table, json, csv, markdown
}

/// Prints a result: tables for people, the value itself as JSON.
///
/// - Parameters:
///   - tables: for people.
///   - json: for programs.
///   - format: which of them.
///   - csv: the whole as one table for programs; by default the first of `tables`.
///   - first: that first one as programs read it, where people are told more.
public func printResult(
  _ tables: [Table], json: some Encodable, format: OutputFormat, csv: Table? = nil,
  first: Table? = nil
) throws {
  switch format {
  case .table:
    let width = Console.width
    let hasColour = Console.hasColour
    try Console.output(
      tables.map { $0.text(width: width, hasColour: hasColour) }.joined(separator: "\n"))
  case .markdown: try Console.output(tables.map(\.markdown).joined(separator: "\n"))
  case .csv:
    try Console.output((csv ?? first ?? tables.first)?.csv ?? "")
    if csv == nil && tables.count > 1 && Console.isInteractive {
      Console.note("note: CSV holds the first of \(tables.count) tables; JSON has everything")
    }
  case .json:
    let text = String(decoding: try CanonicalJSON.bytes(json), as: UTF8.self)
    try Console.output(text.escapedJSON + "\n")
  }
}

/// Where a chart goes: the ending of its name tells the format.
public enum PlotFile {
  /// - Throws: `ValidationError` for an ending of which there is no format.
  @discardableResult
  public static func format(_ path: String) throws -> ChartFormat {
    guard let format = ChartFormat(rawValue: WholeFile.ending(path)) else {
      throw ValidationError("--plot \(path): must end in .svg or .pdf.")
    }
    return format
  }
}
