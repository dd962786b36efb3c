import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Reporting

/// The content of a table as one self-contained HTML page: a small plot of every variable with gaps and outliers
/// marked, what the data can and cannot show, and the commands for the next steps.
public struct DataPage {
  public var title: String
  public var data: Trajectories
  public var reports: [TableReport]
  public var check: DataCheck
  /// Variables that look like inputs and were not declared.
  public var proposed: [String]
  public var commands: [String]

  public init(
    title: String, data: Trajectories, reports: [TableReport], check: DataCheck, proposed: [String],
    commands: [String]
  ) {
    self.title = title
    self.data = data
    self.reports = reports
    self.check = check
    self.proposed = proposed
    self.commands = commands
  }

  /// - Throws: what Mustache throws of a template that does not parse.
  public func html() throws -> String {
    let template = try PageTemplate(Self.template)
    let files = reports.map { report in
      [
        "name": Self.fileName(report.file), "summary": report.summary, "several": reports.count > 1,
        "notes": report.notes.map { ["text": $0.text, "kind": Self.word($0.kind)] },
      ] as [String: Any]
    }
    return template.render([
      "title": title, "style": Self.style, "summary": TableReport.summary(data), "files": files,
      "variables": data.variables.indices.map(card), "findings": findings.map { ["text": $0] },
      "hasFindings": !findings.isEmpty, "commands": commands.map { ["text": $0] },
    ])
  }

  private static func fileName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func word(_ kind: TableReport.Note.Kind) -> String {
    switch kind {
    case .layout: "written as"
    case .assumed: "assumed"
    case .done: "done"
    case .leftOut: "left out"
    case .found: "found"
    }
  }

  /// What the data cannot distinguish, and what they show about delays.
  public var findings: [String] {
    var result: [String] = []
    result += Self.together(check.groups)
    for feedback in check.feedback {
      result.append(
        "\(feedback.input) seems to be set by feedback: \(Self.percent(feedback.explained)) of its changes follow from "
          + "\(feedback.states.joined(separator: ", ")); its effect and theirs cannot be told apart from these data alone"
      )
    }
    for delay in check.deadTimes where delay.samples > 0 {
      result.append(
        "\(delay.state) follows \(delay.input) after \(delay.samples) \(delay.samples == 1 ? "sample" : "samples") "
          + "(\(TableReport.time(delay.seconds))) most closely"
      )
    }
    return result
  }

  private static func percent(_ share: Double) -> String {
    share > 0.9995 ? "100 %" : String(format: "%.1f %%", 100 * share)
  }

  /// A line for each set of variables that are linear functions of each other.
  private static func together(_ groups: [DataCheck.Group]) -> [String] {
    var sets: [(names: [String], explained: [String: Double])] = []
    for group in groups {
      var merged = (names: [group.name] + group.by, explained: [group.name: group.explained])
      for set in sets where !Set(set.names).isDisjoint(with: merged.names) {
        merged.names = set.names + merged.names.filter { !set.names.contains($0) }
        merged.explained.merge(set.explained) { old, _ in old }
      }
      sets.removeAll { !Set($0.names).isDisjoint(with: merged.names) }
      sets.append(merged)
    }
    return sets.map { set in
      let functions = set.names.filter { set.explained[$0] != nil }
      let others = set.names.filter { set.explained[$0] == nil }
      let least = percent(set.explained.values.min() ?? 0)
      if functions.count == 1, let only = functions.first {
        return
          "\(only) is to \(least) a linear function of \(others.joined(separator: ", ")): their effects are "
          + "hard to tell apart"
      }
      return
        "\(functions.joined(separator: ", ")) are each to \(least) or more a linear function of the others"
        + (others.isEmpty ? "" : " and \(others.joined(separator: ", "))")
        + ": their effects are hard to tell apart"
    }
  }

  // MARK: Variables

  private func card(_ column: Int) -> [String: Any] {
    let variable = check.variables[column]
    let isProposed = proposed.contains(variable.name)
    var facts = [
      ("range", "\(Self.short(variable.least)) … \(Self.short(variable.largest))"),
      ("mean", "\(Self.short(variable.mean)) ± \(Self.short(variable.deviation))"),
    ]
    if variable.missing > 0 {
      facts.append(
        (
          "missing",
          "\(variable.missing) (\(Self.percent(Double(variable.missing) / Double(max(1, data.sampleCount)))))"
        ))
    }
    if let resolution = variable.resolution { facts.append(("resolution", Self.short(resolution))) }
    facts.append(("changes", "in \(Self.percent(variable.moves)) of the samples"))
    if variable.longestStretch > 1 {
      facts.append(("longest stretch at one value", "\(variable.longestStretch) samples"))
    }
    if let noise = variable.noise, let share = variable.noiseShare {
      facts.append(("noise", "\(Self.short(noise)) (\(Self.percent(share)) of the increments)"))
    }
    if let explained = variable.explained {
      facts.append(("explained by the others", Self.percent(explained)))
    }
    if !variable.outliers.isEmpty { facts.append(("outliers", "\(variable.outliers.count)")) }
    return [
      "name": variable.name, "unit": variable.unit.isEmpty ? "" : "[\(variable.unit)]",
      "role": isProposed
        ? "an input?" : variable.role == .control ? "input" : variable.role.rawValue,
      "isProposed": isProposed,
      "facts": facts.map { ["key": $0.0, "value": $0.1] },
      "plot": SeriesPlot(
        data: data, column: column, outliers: variable.outliers,
        isStepped: variable.role == .control || isProposed
      ).svg,
      "description":
        "\(variable.name) over time, from \(Self.short(variable.least)) to \(Self.short(variable.largest))",
    ]
  }

  static func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    return String(format: "%.4g", value).replacing("e+0", with: "e").replacing("e-0", with: "e-")
  }

  // MARK: Template

  private static let template = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <title>{{title}}</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <header><h1>{{title}}</h1><p class="summary">{{summary}}</p></header>
    <main>
    {{#files}}
    <section class="file">{{#several}}<h2>{{name}}</h2><p>{{summary}}</p>{{/several}}
    <ul class="notes">{{#notes}}<li><span class="kind">{{kind}}</span> {{text}}</li>{{/notes}}</ul></section>
    {{/files}}
    <section><h2>Variables</h2>
    <p class="legend">Over time; <span class="swatch gap"></span> missing, <span class="swatch outlier"></span> far outside all others, dashed: another trajectory begins.</p>
    <div class="cards">
    {{#variables}}
    <article class="card"><h3>{{name}} <span class="unit">{{unit}}</span><span class="role{{#isProposed}} proposed{{/isProposed}}">{{role}}</span></h3>
    <figure role="img" aria-label="{{description}}">{{{plot}}}</figure>
    <dl>{{#facts}}<div><dt>{{key}}</dt><dd>{{value}}</dd></div>{{/facts}}</dl></article>
    {{/variables}}
    </div></section>
    {{#hasFindings}}<section><h2>What these data can and cannot tell</h2><ul>{{#findings}}<li>{{text}}</li>{{/findings}}</ul></section>{{/hasFindings}}
    <section><h2>Go on with</h2>{{#commands}}<pre><code>{{text}}</code></pre>{{/commands}}</section>
    </main>
    </body>
    </html>

    """

  private static let style = """
    :root { color-scheme: light dark; --ink: #1a1a1a; --faint: #595959; --paper: #fff; --line: #d5d9dd;
      --series: #00598c; --band: #f4f6f8; --gap: #f3d9c9; --mark: #b5341c; --tint: #e3eef6; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --faint: #b4b4b4; --paper: #16181b;
      --line: #3a3f45; --series: #7cc4f0; --band: #1f2327; --gap: #4a3226; --mark: #ff9b80; --tint: #21384a; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
      font: 16px/1.5 "Liberation Sans", Arial, Helvetica, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
    h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .4rem; }
    h2 { font-size: 1.25rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
    h3 { font-size: 1.02rem; margin: 0 0 .3rem; display: flex; gap: .5rem; align-items: baseline; }
    .summary { font-size: 1.1rem; margin: 0; }
    .unit, dt, .kind { color: var(--faint); font-weight: normal; }
    .role { margin-left: auto; font-size: .8rem; font-weight: normal; padding: 0 .5rem; border-radius: 1rem;
      background: var(--tint); white-space: nowrap; }
    .role.proposed { outline: 1px dashed var(--series); background: none; }
    .notes { padding: 0; list-style: none; margin: .3rem 0; }
    .notes li { padding: .15rem 0 .15rem 6.2rem; position: relative; }
    .kind { position: absolute; left: 0; font-size: .88rem; }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
    .card { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; min-width: 0; }
    figure { margin: 0; }
    svg { display: block; width: 100%; height: auto; }
    svg .series { fill: none; stroke: var(--series); stroke-width: 1.2; }
    svg .gap { fill: var(--gap); }
    svg .cut { stroke: var(--line); stroke-dasharray: 2 2; }
    svg .outlier { fill: var(--mark); }
    svg .frame { fill: none; stroke: var(--line); }
    svg text { fill: var(--faint); font-size: 9px; font-family: inherit; }
    dl { margin: .4rem 0 0; font-size: .86rem; font-variant-numeric: tabular-nums; }
    dl div { display: flex; justify-content: space-between; gap: 1rem; }
    dd { margin: 0; text-align: right; }
    .legend { color: var(--faint); font-size: .88rem; margin: .2rem 0 .8rem; }
    .swatch { display: inline-block; width: .7rem; height: .7rem; vertical-align: -.05rem; }
    .swatch.gap { background: var(--gap); }
    .swatch.outlier { background: var(--mark); border-radius: 50%; }
    .bar { display: inline-block; width: 4rem; height: .5rem; background: var(--band); vertical-align: .05rem; }
    pre { white-space: pre-wrap; background: var(--band); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem; overflow-x: auto;
      overflow-wrap: normal; }
    @media (max-width: 30rem) { body { padding: .9rem; } .notes li { padding-left: 0; } .kind { position: static; } }
    @media print { :root { color-scheme: light; } .card { break-inside: avoid; } }
    """
}

/// A variable over time, with as many samples as there are pixels: of each pixel its least and largest value.
struct SeriesPlot {
  let data: Trajectories
  let column: Int
  let outliers: [[Int]]
  let isStepped: Bool

  private static let (width, height, left, bottom) = (340.0, 96.0, 44.0, 14.0)

  private struct Scale {
    var low: Double
    var high: Double
    var total: Int

    func x(_ sample: Int) -> Double {
      SeriesPlot.left + (SeriesPlot.width - SeriesPlot.left - 4) * Double(sample)
        / Double(max(1, total - 1))
    }
    func y(_ value: Double) -> Double {
      let share = high > low ? (min(high, max(low, value)) - low) / (high - low) : 0.5
      return 4 + (SeriesPlot.height - SeriesPlot.bottom - 8) * (1 - share)
    }
  }

  var svg: String {
    var scale = range
    scale.total = data.sampleCount
    var marks = ""
    var path = ""
    var start = 0
    for (trajectory, matrix) in data.samples.enumerated() {
      if trajectory > 0 && data.samples.count <= 200 {
        marks +=
          "<line class=\"cut\" x1=\"\(text(scale.x(start)))\" x2=\"\(text(scale.x(start)))\" y1=\"4\" y2=\"\(text(Self.height - Self.bottom))\"/>"
      }
      draw(matrix, start, scale, &path, &marks)
      start += matrix.rows
    }
    let firsts = data.samples.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.rows) }
    for place in outliers.prefix(200) {
      let value = data.samples[place[0]][place[1], column]
      marks +=
        "<circle class=\"outlier\" r=\"2.4\" cx=\"\(text(scale.x(firsts[place[0]] + place[1])))\" cy=\"\(text(scale.y(value)))\"/>"
    }
    let bottom = Self.height - Self.bottom
    return """
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" aria-hidden="true">\
      <rect class="frame" x="\(text(Self.left))" y="4" width="\(text(Self.width - Self.left - 4))" height="\(text(bottom - 4))"/>\
      \(marks)<path class="series" d="\(path)"/>\
      <text x="\(text(Self.left - 4))" y="11" text-anchor="end">\(DataPage.short(scale.high))</text>\
      <text x="\(text(Self.left - 4))" y="\(text(bottom))" text-anchor="end">\(DataPage.short(scale.low))</text>\
      <text x="\(text(Self.left))" y="\(text(Self.height - 3))">0</text>\
      <text x="\(text(Self.width - 4))" y="\(text(Self.height - 3))" text-anchor="end">\(TableReport.time(Double(data.sampleCount) * data.timeStep))</text></svg>
      """
  }

  private func text(_ value: Double) -> String { String(format: "%.1f", value) }

  /// The range shown: all values but outliers, which are drawn at the edge.
  private var range: Scale {
    var (low, high) = (Double.infinity, -Double.infinity)
    let out = Set(outliers.map { $0[0] << 40 | $0[1] })
    for (trajectory, matrix) in data.samples.enumerated() {
      for row in 0..<matrix.rows {
        let value = matrix[row, column]
        if value.isNaN || !out.isEmpty && out.contains(trajectory << 40 | row) { continue }
        (low, high) = (min(low, value), max(high, value))
      }
    }
    return low <= high ? Scale(low: low, high: high, total: 0) : Scale(low: 0, high: 1, total: 0)
  }

  private func draw(
    _ matrix: Matrix, _ start: Int, _ scale: Scale, _ path: inout String, _ marks: inout String
  ) {
    let pixel = max(1, data.sampleCount / 600)
    var isDrawing = false
    var row = 0
    var gap: Int?
    var last = 0.0
    func close(_ end: Int) {
      guard let begin = gap else { return }
      gap = nil
      // A variable that is taken seldom is no gap at every other sample.
      let (a, b) = (scale.x(start + begin), scale.x(start + end))
      guard b - a >= 1 else { return }
      marks +=
        "<rect class=\"gap\" x=\"\(text(a))\" y=\"4\" width=\"\(text(b - a))\" height=\"\(text(Self.height - Self.bottom - 4))\"/>"
    }
    while row < matrix.rows {
      var (low, high, first) = (Double.infinity, -Double.infinity, Double.nan)
      for index in row..<min(matrix.rows, row + pixel) {
        let value = matrix[index, column]
        if value.isNaN { continue }
        if first.isNaN { first = value }
        (low, high) = (min(low, value), max(high, value))
        last = value
      }
      if low > high {
        if gap == nil { gap = row }
        if row - (gap ?? row) >= 3 * pixel { isDrawing = false }
      } else {
        close(row)
        let x = text(scale.x(start + row))
        if isStepped && isDrawing { path += "H\(x)" }
        path += "\(isDrawing ? "L" : "M")\(x) \(text(scale.y(first)))"
        if high > low {
          path += "V\(text(scale.y(low)))V\(text(scale.y(high)))V\(text(scale.y(last)))"
        }
        isDrawing = true
      }
      row += pixel
    }
    close(matrix.rows)
  }
}
