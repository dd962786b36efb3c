import Foundation
import LinearAlgebra

/// Boxes or bars side by side: one cluster per category, one colour per group, drawn by gnuplot as SVG.
public struct CategoryChart: Sendable {
  public enum Mark: Equatable, Sendable {
    /// Median, quartiles, and the 5th and 95th percentile as whiskers.
    case box([Double])
    /// A bar from zero, with an interval where there is one.
    case bar(Double, low: Double?, high: Double?)
    /// Nothing was measured.
    case none
  }

  public var title: String
  public var yLabel: String
  public var categories: [String]
  public var groups: [String]
  /// Categories × groups.
  public var marks: [[Mark]]
  public var isLogarithmic: Bool
  /// A horizontal line with its meaning.
  public var reference: (value: Double, name: String)?
  private var isNarrow = false

  public init(
    title: String, yLabel: String, categories: [String], groups: [String], marks: [[Mark]],
    isLogarithmic: Bool = false, reference: (value: Double, name: String)? = nil
  ) {
    precondition(marks.count == categories.count && marks.allSatisfy { $0.count == groups.count })
    self.title = title
    self.yLabel = yLabel
    self.categories = categories
    self.groups = groups
    self.marks = marks
    self.isLogarithmic = isLogarithmic
    self.reference = reference
  }

  /// The same for a screen as narrow as a phone's: categories below each other, values across.
  public var narrowed: CategoryChart {
    var chart = self
    chart.isNarrow = true
    return chart
  }

  /// Okabe and Ito's.
  private static let colours = ["#56B4E9", "#0072B2", "#003D66", "#E69F00", "#009E73", "#CC79A7"]

  /// Low, lower quartile, median, upper quartile, high.
  static func quantiles(_ values: [Double]) -> [Double]? {
    let finite = values.filter(\.isFinite).sorted()
    guard !finite.isEmpty else { return nil }
    return [0.05, 0.25, 0.5, 0.75, 0.95].map { finite.quantile($0) }
  }

  /// gnuplot's commands with the data in them; no part of a name can become a command or markup.
  package var script: String { isNarrow ? sideways : upright }

  private var upright: String {
    let width = max(560, min(1400, 120 + 19 * Double(categories.count * (groups.count + 1))))
    var lines = [
      "set encoding utf8",
      "set terminal svg size \(Int(width)),400 font 'Liberation Sans,12' noenhanced "
        + "background rgb 'white'",
      "set title \(Gnuplot.quoted(title)) font ',13'", "set ylabel \(Gnuplot.quoted(yLabel))",
      "set border 3 lc rgb '#888888'", "set grid y lc rgb '#e6e6e6' lt 1",
      "set xtics nomirror scale 0 textcolor rgb '#333333' rotate by \(rotation)",
      "set ytics nomirror out textcolor rgb '#333333'",
      "set key outside top right horizontal samplen 1 font ',11'",
      "set xrange [-0.6:\(Double(max(1, categories.count)) - 0.4)]",
      "set xtics \(Gnuplot.ticks(categories))",
      isLogarithmic ? "set logscale y" : "set yrange [0:\(top)]",
    ]
    if isLogarithmic { lines.append("set yrange [\(range.lowerBound):\(range.upperBound)]") }
    if let reference {
      lines += [
        "set arrow 1 from graph 0, first \(reference.value) to graph 1, first \(reference.value) nohead "
          + "lc rgb '#D55E00' dt 2",
        "set label 1 \(Gnuplot.quoted(reference.name)) at graph 0.01, first \(reference.value) "
          + "offset 0,0.5 textcolor rgb '#D55E00' font ',10'",
      ]
    }
    var parts: [String] = []
    for group in groups.indices { parts += add(group, to: &lines) }
    if parts.isEmpty { parts = ["\(isLogarithmic ? 1e-30 : -1) notitle"] }
    lines.append("plot " + parts.joined(separator: ", \\\n  "))
    return lines.joined(separator: "\n") + "\n"
  }

  private static let rowHeight = 17.0

  /// With the axes exchanged.
  private var sideways: String {
    let rows = Double(max(1, categories.count * (groups.count + 1)))
    let legend = groups.count > 1 ? 16 * Double((groups.count + 1) / 2) : 0
    let (top, bottom) = (34 + legend, 58.0)
    let height = top + bottom + Self.rowHeight * rows
    let names = categories.map { $0.count > 18 ? "\($0.prefix(9))…\($0.suffix(8))" : $0 }
    let left = (14 + 6.4 * Double(names.map(\.count).max() ?? 0)) / 380
    var lines = [
      "set encoding utf8",
      "set terminal svg size 380,\(Int(height)) font 'Liberation Sans,11' noenhanced background rgb 'white'",
      "set label 2 \(Gnuplot.quoted(title)) at screen 0.5,screen \(1 - 14 / height) center font ',12'",
      "set xlabel \(Gnuplot.quoted(yLabel)) offset 0,0.4",
      "set lmargin at screen \(left)", "set rmargin at screen 0.96",
      "set tmargin at screen \(1 - top / height)", "set bmargin at screen \(bottom / height)",
      "set border 3 lc rgb '#888888'", "set grid x lc rgb '#e6e6e6' lt 1",
      "set xtics nomirror out textcolor rgb '#333333'",
      "set ytics nomirror scale 0 textcolor rgb '#333333'",
      "set yrange [\(Double(max(1, categories.count)) - 0.4):-0.6]",
      "set ytics \(Gnuplot.ticks(names))",
      groups.count > 1
        ? "set key at screen 0.96, screen \(1 - 26 / height) right maxcols 2 samplen 1 font ',10'"
        : "unset key",
      isLogarithmic
        ? "set logscale x\nset xrange [\(range.lowerBound):\(range.upperBound)]"
        : "set xrange [0:\(self.top)]",
    ]
    if let reference {
      lines.append(
        "set arrow 1 from first \(reference.value), graph 0 to first \(reference.value), graph 1 nohead "
          + "lc rgb '#D55E00' dt 2")
    }
    var parts: [String] = []
    for group in groups.indices { parts += addSideways(group, to: &lines) }
    if parts.isEmpty { parts = ["\(-9) notitle"] }
    lines.append("plot " + parts.joined(separator: ", \\\n  "))
    return lines.joined(separator: "\n") + "\n"
  }

  private func addSideways(_ group: Int, to lines: inout [String]) -> [String] {
    let step = 0.8 / Double(groups.count)
    let colour = Self.colours[group % Self.colours.count]
    var boxes: [String] = []
    var whiskers: [String] = []
    for category in categories.indices {
      let y = Double(category) - 0.4 + step * (Double(group) + 0.5)
      let (low, high) = (y - 0.4 * step, y + 0.4 * step)
      // x of the middle, y, x low, x high, y low, y high.
      switch marks[category][group] {
      case .box(let values):
        guard let q = Self.quantiles(values) else { continue }
        boxes.append("\(q[2]) \(y) \(q[1]) \(q[3]) \(low) \(high)")
        whiskers.append("\(q[0]) \(y) \(q[4] - q[0]) 0")
        whiskers.append("\(q[2]) \(low) 0 \(high - low)")
      case .bar(let value, let least, let most):
        boxes.append(
          "\(value) \(y) \(isLogarithmic ? range.lowerBound : 0) \(value) \(low) \(high)")
        if let least, let most { whiskers.append("\(least) \(y) \(most - least) 0") }
      case .none: continue
      }
    }
    var parts: [String] = []
    if !boxes.isEmpty {
      lines += ["$box\(group) << EOD"] + boxes + ["EOD"]
      parts.append(
        "$box\(group) using 1:2:3:4:5:6 with boxxyerror fs solid 0.5 border lc rgb '\(colour)' fc rgb "
          + "'\(colour)' title \(Gnuplot.quoted(groups[group]))")
    }
    if !whiskers.isEmpty {
      lines += ["$line\(group) << EOD"] + whiskers + ["EOD"]
      parts.append(
        "$line\(group) using 1:2:3:4 with vectors nohead lc rgb '#333333' lw 1 notitle")
    }
    return parts
  }

  private var rotation: String { categories.contains { $0.count > 9 } ? "-30" : "0" }

  private var values: [Double] {
    marks.joined().flatMap { mark -> [Double] in
      switch mark {
      case .box(let values): Self.quantiles(values) ?? []
      case .bar(let value, let low, let high): [value, low, high].compactMap { $0 }
      case .none: []
      }
    }.filter(\.isFinite)
  }

  private var top: Double {
    let highest = (values + [reference?.value ?? 0]).max() ?? 0
    return highest > 0 ? 1.1 * highest : 1
  }

  private var range: ClosedRange<Double> {
    let positive = values.filter { $0 > 0 }
    guard let low = positive.min(), let high = positive.max() else { return 0.1...1 }
    return (low / 1.5)...(max(high, reference?.value ?? 0) * 1.5)
  }

  /// Puts a group's data into the script; returns how they are plotted.
  private func add(_ group: Int, to lines: inout [String]) -> [String] {
    let step = 0.8 / Double(groups.count)
    let colour = Self.colours[group % Self.colours.count]
    var boxes: [String] = []
    var bars: [String] = []
    for category in categories.indices {
      let x = Double(category) - 0.4 + step * (Double(group) + 0.5)
      let place = String(format: "%.4f", x)
      switch marks[category][group] {
      case .box(let values):
        guard let q = Self.quantiles(values) else { continue }
        // x, box low, whisker low, whisker high, box high, median
        boxes.append("\(place) \(q[1]) \(q[0]) \(q[4]) \(q[3]) \(q[2])")
      case .bar(let value, let low, let high):
        bars.append("\(place) \(value) \(low ?? value) \(high ?? value)")
      case .none: continue
      }
    }
    let title = "title \(Gnuplot.quoted(groups[group]))"
    var parts: [String] = []
    if !boxes.isEmpty {
      lines += ["$box\(group) << EOD"] + boxes + ["EOD"]
      parts += [
        "$box\(group) using 1:2:3:4:5:(\(step * 0.8)) with candlesticks whiskerbars 0.5 fs solid 0.35 "
          + "border lc rgb '\(colour)' fc rgb '\(colour)' lw 1.1 \(title)",
        "$box\(group) using 1:6:6:6:6:(\(step * 0.8)) with candlesticks lc rgb '\(colour)' lw 2.2 notitle",
      ]
    }
    if !bars.isEmpty {
      lines += ["$bar\(group) << EOD"] + bars + ["EOD"]
      parts += [
        "$bar\(group) using 1:2:(\(step * 0.85)) with boxes fs solid 0.7 noborder lc rgb '\(colour)' \(title)",
        "$bar\(group) using 1:3:(0):($4-$3) with vectors heads size graph 0.004,90 lc rgb '#333333' lw 0.8 notitle",
      ]
    }
    return parts
  }

  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  public func svg() async throws -> [UInt8] { try await drawn(as: .svg) }

  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  public func drawn(as format: ChartFormat) async throws -> [UInt8] {
    try await Gnuplot.drawn(script, title: title, as: format)
  }
}
