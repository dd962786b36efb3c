import Foundation

/// Panels of curves over a common axis, drawn by gnuplot as SVG.
public struct Chart: Sendable {
  /// A curve, or with `upper` the area between two.
  public struct Series: Sendable {
    public var title: String
    /// As #rrggbb.
    public var colour: String
    public var x: [Double]
    public var y: [Double]
    public var upper: [Double]?
    public var isStepped = false
    /// Whether its points are marked.
    public var isMarked = false

    public init(_ title: String, colour: String, x: [Double], y: [Double]) {
      self.title = title
      self.colour = colour
      self.x = x
      self.y = y
    }
  }

  public struct Panel: Sendable {
    public var label: String
    public var series: [Series]
    /// Share of the column's height, relative to the others.
    public var height = 1.0
    public var isLogarithmic = false

    public init(_ label: String, _ series: [Series], height: Double = 1) {
      self.label = label
      self.series = series
      self.height = height
    }
  }

  /// A vertical line through all panels.
  public struct Mark: Sendable {
    public var x: Double
    public var colour: String
    public var isDashed: Bool

    public init(x: Double, colour: String, isDashed: Bool = false) {
      self.x = x
      self.colour = colour
      self.isDashed = isDashed
    }
  }

  public var title: String
  public var xLabel: String
  public var xIsLogarithmic = false
  public var marks: [Mark] = []
  /// Panels of each column, from above.
  public var columns: [[Panel]]
  private var isNarrow = false

  public init(title: String, xLabel: String, columns: [[Panel]]) {
    self.title = title
    self.xLabel = xLabel
    self.columns = columns
  }

  /// The same for a screen as narrow as a phone's: all panels below each other.
  public var narrowed: Chart {
    var chart = self
    chart.columns = [Array(columns.joined())]
    chart.isNarrow = true
    return chart
  }

  // MARK: Script

  private static let unit = 104.0
  /// Above each panel, for its label; around all panels.
  private static let gap = 24.0
  private static let bottom = 58.0
  private static let line = 16.0

  /// Title, and a line for each curve of the first panel that has a name.
  private var top: Double {
    44 + Self.line * Double(columns.first?.first?.series.count { !$0.title.isEmpty } ?? 0)
  }

  private static func height(of panels: [Panel]) -> Double {
    panels.reduce(0) { $0 + $1.height * unit + gap }
  }

  private var height: Double {
    top + Self.bottom + (columns.map { Self.height(of: $0) }.max() ?? 0)
  }

  private var width: Double {
    isNarrow ? 380 : columns.count > 1 ? 540 * Double(columns.count) : 760
  }

  /// gnuplot's commands with the data in them; no part of a name can become a command or markup.
  var script: String {
    var lines = [
      "set encoding utf8",
      "set terminal svg size \(Int(width)),\(Int(height)) font 'Liberation Sans,11' noenhanced "
        + "background rgb 'white'",
      "set multiplot",
      "set label 1 \(Gnuplot.quoted(title)) at screen 0.5,screen \(y(20)) center font ',\(isNarrow ? 12 : 14)'",
      "set border 3 lc rgb '#888888'", "set xtics nomirror out textcolor rgb '#333333'",
      "set ytics nomirror out textcolor rgb '#333333'", "set grid y lc rgb '#e6e6e6' lt 1",
      "set xrange [\(xRange.lowerBound):\(xRange.upperBound)]",
    ]
    if xIsLogarithmic { lines += ["set logscale x"] }
    for (number, mark) in marks.enumerated() {
      lines.append(
        "set arrow \(number + 1) from \(mark.x), graph 0 to \(mark.x), graph 1 nohead lc rgb "
          + "'\(mark.colour)' lw 1.2\(mark.isDashed ? " dt 2" : "")")
    }
    for (number, panels) in columns.enumerated() { lines += column(number, panels) }
    return (lines + ["unset multiplot"]).joined(separator: "\n") + "\n"
  }

  /// Of all curves.
  private var xRange: ClosedRange<Double> {
    let all = columns.joined().flatMap(\.series).flatMap { [$0.x.min(), $0.x.max()] }
      .compactMap { $0 }.filter(\.isFinite)
    guard let low = all.min(), let high = all.max(), low < high else { return 0...1 }
    return xIsLogarithmic ? (low / 1.3)...(high * 1.3) : low...high
  }

  /// A distance from the upper edge as gnuplot's share of the screen from below.
  private func y(_ pixels: Double) -> Double { 1 - pixels / height }

  private func column(_ number: Int, _ panels: [Panel]) -> [String] {
    let left =
      (Double(number) + (isNarrow ? 0.17 : columns.count > 1 ? 0.125 : 0.09))
      / Double(columns.count)
    let right = (Double(number) + 0.975) / Double(columns.count)
    var lines = ["set lmargin at screen \(left)", "set rmargin at screen \(right)"]
    var edge = top
    for (index, panel) in panels.enumerated() {
      let isFirst = number == 0 && index == 0
      let isLast = index == panels.count - 1
      lines += [
        "set label 2 \(Gnuplot.quoted(panel.label)) at screen \(left), screen \(y(edge + Self.gap - 9)) "
          + "font ',11'",
        "set tmargin at screen \(y(edge + Self.gap))",
        "set bmargin at screen \(y(edge + Self.gap + panel.height * Self.unit))",
        isLast ? (xIsLogarithmic ? "set format x '%g'" : "set format x") : "set format x ''",
        isLast ? "set xlabel \(Gnuplot.quoted(xLabel)) offset 0,0.3" : "unset xlabel",
        isFirst
          ? "set key at screen 0.975, screen \(y(34)) right vertical maxcols 1 samplen 2 font ',11'"
          : "unset key",
      ]
      edge += Self.gap + panel.height * Self.unit
      lines += plot(panel, "$p\(number)_\(index)_")
      // Labels stay until they are taken away; drawn again they would get bold.
      if isFirst { lines.append("unset label 1") }
    }
    return lines
  }

  private func plot(_ panel: Panel, _ prefix: String) -> [String] {
    var lines: [String] = []
    var parts: [String] = []
    for (index, series) in panel.series.enumerated() {
      let points = Self.drawn(series)
      guard !points.isEmpty else { continue }
      let name = "\(prefix)\(index)"
      lines.append("\(name) << EOD")
      for point in points {
        let upper = series.upper.map { " \($0[point])" } ?? ""
        lines.append("\(series.x[point]) \(series.y[point])\(upper)")
      }
      lines.append("EOD")
      let style =
        series.upper != nil
        ? "using 1:2:3 with filledcurves fc rgb '\(series.colour)' fs transparent solid 0.25 noborder"
        : "using 1:2 with \(Self.style(series)) lc rgb '\(series.colour)' lw 1.3"
      parts.append(
        "\(name) \(style) "
          + (series.title.isEmpty ? "notitle" : "title \(Gnuplot.quoted(series.title))"))
    }
    let range = Self.range(panel)
    // A panel without a point keeps its axes.
    if parts.isEmpty { parts = ["\(range.lowerBound - 1) notitle"] }
    lines.append("set yrange [\(range.lowerBound):\(range.upperBound)]")
    if panel.isLogarithmic {
      lines += ["set logscale y", "set ytics \(Self.logarithmicTicks(range))"]
    } else {
      lines += [
        "unset logscale y", "set ytics \(Self.tick(range, most: panel.height < 0.8 ? 3 : 5))",
      ]
    }
    lines.append("plot " + parts.joined(separator: ", \\\n  "))
    return lines
  }

  private static func style(_ series: Series) -> String {
    series.isStepped ? "steps" : series.isMarked ? "linespoints pt 7 ps 0.4" : "lines"
  }

  /// The range is that of the first curve with a title, or else of the first; whatever strays further from it than
  /// its own range is cut off, such as bands of failing models.
  private static func range(_ panel: Panel) -> ClosedRange<Double> {
    func extent(_ values: [Double]) -> (low: Double, high: Double)? {
      let finite = values.filter(\.isFinite)
      guard let low = finite.min(), let high = finite.max() else { return nil }
      return (low, high)
    }
    if panel.isLogarithmic {
      let all = panel.series.flatMap { $0.y + ($0.upper ?? []) }.filter { $0.isFinite && $0 > 0 }
      guard let low = all.min(), let high = all.max() else { return 0.1...1 }
      return (low / 1.2)...(high * 1.2)
    }
    let leading = panel.series.first { !$0.title.isEmpty && $0.upper == nil } ?? panel.series.first
    guard let base = leading.flatMap({ extent($0.y) }) else { return 0...1 }
    // What does not change gets a scale of its size.
    let size = max(abs(base.high), abs(base.low))
    let reach =
      base.high - base.low > 1e-9 * size ? base.high - base.low : size > 0 ? 0.1 * size : 1
    var (low, high) = base
    for series in panel.series {
      for values in [series.y, series.upper ?? []] {
        guard let other = extent(values) else { continue }
        low = max(min(low, other.low), base.low - reach)
        high = min(max(high, other.high), base.high + reach)
      }
    }
    let margin = 0.06 * max(high - low, reach)
    return (low - margin)...(high + margin)
  }

  /// 1, 2 or 5 times a power of ten, with at most `most` steps in the range.
  static func tick(_ range: ClosedRange<Double>, most: Int) -> Double {
    let least = (range.upperBound - range.lowerBound) / Double(most)
    let power = Double.pow(10, Double.log10(least).rounded(.down))
    return ([1, 2, 5].first { $0 * power >= least } ?? 10) * power
  }

  /// Powers of ten; below two decades also twice and five times these, so that there is more than one number.
  static func logarithmicTicks(_ range: ClosedRange<Double>) -> String {
    guard range.lowerBound > 0, range.upperBound < 100 * range.lowerBound else { return "autofreq" }
    let first = Int(Double.log10(range.lowerBound).rounded(.down))
    let ticks = (first...(first + 2)).flatMap { power in
      [1.0, 2, 5].map { $0 * Double.pow(10, Double(power)) }
    }.filter(range.contains)
    return ticks.count > 1 ? "(" + ticks.map { "\($0)" }.joined(separator: ", ") + ")" : "autofreq"
  }

  /// At most a thousand points: the lowest and the highest of each stretch, so that nothing is missing from the
  /// picture. Values that are not finite are left out.
  private static func drawn(_ series: Series) -> [Int] {
    let all = series.x.indices.filter { index in
      series.y[index].isFinite && (series.upper?[index].isFinite ?? true)
    }
    let stretch = max(1, all.count / 500)
    guard stretch > 2 else { return all }
    var kept: [Int] = []
    for first in stride(from: 0, to: all.count, by: stretch) {
      let part = all[first..<min(all.count, first + stretch)]
      let low = part.min { series.y[$0] < series.y[$1] } ?? part[first]
      let top = series.upper ?? series.y
      let high = part.max { top[$0] < top[$1] } ?? part[first]
      kept += Set([low, high]).sorted()
    }
    return kept
  }

  // MARK: Drawing

  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  public func svg() async throws -> [UInt8] { try await drawn(as: .svg) }

  /// - Throws: `ChartProblem` where gnuplot is missing or fails.
  public func drawn(as format: ChartFormat) async throws -> [UInt8] {
    try await Gnuplot.drawn(script, title: title, as: format)
  }
}
