import Foundation
import LinearAlgebra

/// Numbers of two sets of names as coloured cells with the numbers in them, drawn by gnuplot. Colour follows the
/// logarithm over the three decades below the largest number; true zeros are white and marked by a dot.
public struct HeatMap: Sendable {
  public var title: String
  public var rows: [String]
  public var columns: [String]
  /// What the colour stands for.
  public var legend: String
  /// rows × columns, not negative: what the colours follow.
  public var values: Matrix
  /// The numbers in the cells.
  public var labels: Matrix

  /// - Parameters:
  ///   - title: above the map.
  ///   - rows: names, from the top down.
  ///   - columns: names, from the left.
  ///   - legend: what the colours show.
  ///   - values: rows × columns.
  ///   - labels: the values by default.
  public init(
    title: String, rows: [String], columns: [String], legend: String, values: Matrix,
    labels: Matrix? = nil
  ) {
    precondition(values.rows == rows.count && values.columns == columns.count)
    self.title = title
    self.rows = rows.map(Self.shortened)
    self.columns = columns.map(Self.shortened)
    self.labels = labels ?? values
    self.legend = legend
    self.values = values
  }

  /// At most 28 characters: names often differ at their end only.
  private static func shortened(_ name: String) -> String {
    name.count > 28 ? "\(name.prefix(13))…\(name.suffix(14))" : name
  }

  private static let cell = (width: 62.0, height: 30.0)
  private static let decades = 3.0

  var script: String {
    let left = 26 + 7.2 * Double(rows.map(\.count).max() ?? 0)
    let top = 82 + 5.4 * Double(columns.map(\.count).max() ?? 0)
    let (right, bottom) = (100.0, 24.0)
    let width = max(420, left + right + Self.cell.width * Double(columns.count))
    let height = top + bottom + Self.cell.height * Double(rows.count)
    let most = values.elements.filter(\.isFinite).max() ?? 0
    let largest = most > 0 ? most : 1
    var lines = [
      "set encoding utf8",
      "set terminal svg size \(Int(width)),\(Int(height)) font 'Liberation Sans,11' noenhanced "
        + "background rgb 'white'",
      "set label 1 \(Gnuplot.quoted(title)) at screen 0.5,screen \(1 - 20 / height) center font ',14'",
      "set label 2 \(Gnuplot.quoted("colour: " + legend)) at screen 0.5,screen \(1 - 38 / height) center "
        + "font ',11' tc rgb '#666666'",
      "set lmargin at screen \(left / width)", "set rmargin at screen \(1 - right / width)",
      "set tmargin at screen \(1 - top / height)", "set bmargin at screen \(bottom / height)",
      "set xrange [-0.5:\(Double(columns.count) - 0.5)]",
      "set yrange [\(Double(rows.count) - 0.5):-0.5]", "unset xtics",
      "set x2range [-0.5:\(Double(columns.count) - 0.5)]",
      "set x2tics \(Gnuplot.ticks(columns)) rotate by 40 left scale 0 tc rgb '#333333'",
      "set ytics \(Gnuplot.ticks(rows)) scale 0 tc rgb '#333333'", "set border lc rgb '#888888'",
      "unset key",
      "set palette defined (0 '#f7fbff', 1 '#c6dbef', 2 '#6baed6', 3 '#2171b5')",
      "set logscale cb", "set cbrange [\(largest * Double.pow(10, -Self.decades)):\(largest)]",
      "set format cb '%g'",
      "set cbtics tc rgb '#333333'",
    ]
    let (cells, zeros) = blocks(largest)
    lines += ["$cells << EOD"] + cells + ["EOD", "$zeros << EOD"] + zeros + ["EOD"]
    lines.append(
      "plot $cells using 1:2:(0.5):(0.5):3 with boxxyerror fc palette fs solid border lc rgb 'white', "
        + "$cells using 1:2:($5 < 1 ? stringcolumn(4) : '') with labels tc rgb '#222222' font ',10', "
        + "$cells using 1:2:($5 > 0 ? stringcolumn(4) : '') with labels tc rgb 'white' font ',10', "
        + "$zeros using 1:2:('·') with labels tc rgb '#999999'")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Column, row, value within the scale, text, whether dark, of each number; column and row of each zero. A point
  /// outside the frame stands for none, which gnuplot refuses.
  private func blocks(_ largest: Double) -> (cells: [String], zeros: [String]) {
    var cells: [String] = []
    var zeros: [String] = []
    for row in 0..<values.rows {
      for column in 0..<values.columns {
        let value = values[row, column]
        if value > 0 && value.isFinite {
          let shown = max(value, largest * Double.pow(10, -Self.decades))
          cells.append(
            "\(column) \(row) \(shown) \(Self.text(labels[row, column])) \(shown > 0.3 * largest ? 1 : 0)"
          )
        } else {
          zeros.append("\(column) \(row)")
        }
      }
    }
    return (cells.isEmpty ? ["-9 -9 1 0 0"] : cells, zeros.isEmpty ? ["-9 -9"] : zeros)
  }

  private static func text(_ value: Double) -> String {
    String(format: value < 9.95 || value > 9999 ? "%#.2g" : "%.0f", value)
  }

  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  public func svg() async throws -> [UInt8] { try await drawn(as: .svg) }

  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  public func drawn(as format: ChartFormat) async throws -> [UInt8] {
    try await Gnuplot.drawn(script, title: title, as: format)
  }
}
