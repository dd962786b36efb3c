import Dynamics
import Evidence
import Foundation
import GraphDrawing
import Networks
import Structure

/// For each output the inputs that act on it, each with the function: a small curve of what the output does over the
/// input's range in the data, in physical units, the strongest first.
///
/// Thick is the mean of the members, thin each member (of many, the lowest and the highest). All curves of an output
/// have one scale.
public struct EffectsDrawing {
  private let rows: [Row]
  private var captions: Captions
  /// Whether title, legend and caption stand around it.
  private var isDecorated = true

  /// - Parameters:
  ///   - chosen: which pairs are drawn, and their relevance.
  ///   - effects: of each member of its ensemble.
  ///   - outputs: by number; all where there are none.
  ///   - title: above the drawing.
  public init(
    _ chosen: PairDrawing.Chosen, effects: [PartialEffects], outputs: [Int] = [], title: String
  ) {
    precondition(effects.count == chosen.ensemble.members.count)
    let wanted = outputs.isEmpty ? Array(chosen.ensemble.outputs.indices) : outputs
    rows = wanted.map { Row(chosen, effects, $0) }
    let count = rows.reduce(0) { $0 + $1.panels.count }
    let counts =
      "\(count) of \(wanted.count * chosen.ensemble.inputs.count) pairs with \(chosen.rule.words) or undecided, "
      + "the strongest first"
    captions = Captions(title: title, counts: counts)
    captions.legend = [Self.legend(members: effects.count, rows.flatMap(\.panels))]
    if let explained = chosen.ensemble.explained {
      captions.legend.append(explained.legend(chosen.ensemble.outputs.map(\.name)))
    }
    captions.caption =
      "across: the input's range in the data · up: its effect on the rate, one scale per rate · numbers: mean |J| in deviations"
  }

  public var graph: Graph { graph(.full) }

  /// Whether any input acts.
  public var hasPanels: Bool { rows.contains { !$0.panels.isEmpty } }

  /// Without title, legend and caption, for where a text says these.
  public var alone: EffectsDrawing {
    var drawing = self
    drawing.isDecorated = false
    return drawing
  }

  /// - Parameter detail: how much is shown where the drawing is made for a width.
  public func graph(_ detail: Detail) -> Graph {
    let grid = detail.room.map { Grid(room: $0, isNarrow: detail.isNarrow) } ?? Grid()
    var graph = DrawingStyle.graph("effects", title: captions.title, summary: captions.counts)
    var top = 0.0
    for row in rows { row.add(to: &graph, grid, top: &top) }
    if isDecorated { captions.add(to: &graph, detail) }
    return graph
  }

  private static func legend(members: Int, _ panels: [Panel]) -> [Captions.Sample] {
    func line(_ role: Role) -> Attributes {
      ["color": .keyword(DrawingStyle.colours(role).line), "penwidth": 1.8, "arrowhead": "none"]
    }
    var samples = [Captions.Sample(mark: .line, text: "state", attributes: line(.state))]
    if panels.contains(where: { $0.variable.role == .control }) {
      samples.append(Captions.Sample(mark: .line, text: "input", attributes: line(.control)))
    }
    if members > 1 {
      let thin = line(.state).merging([
        "color": .keyword(DrawingStyle.colours(.state).line + Panel.faint), "penwidth": 0.7,
      ]) { $1 }
      samples.append(
        Captions.Sample(
          mark: .line,
          text: members <= Panel.mostMembers ? "each member" : "lowest and highest member",
          attributes: thin))
    }
    let undecided = panels.count { $0.evidence?.verdict == .undecided }
    if undecided > 0 {
      samples.append(
        Captions.Sample(
          mark: .line, text: "undecided (\(undecided))",
          attributes: line(.state).merging(["style": "dotted"]) { $1 }))
    }
    return samples
  }

  // MARK: Rows

  /// Where the panels of a row stand.
  private struct Grid {
    /// Left of the first panel.
    var left = 118.0
    var panel = (width: 104.0, height: 52.0)
    var step = (x: 116.0, y: 88.0)
    var perLine = 5
    /// Whether the output's name stands above its panels and not beside them.
    var isNameAbove = false

    init() {}

    /// As many beside each other as there is room for.
    init(room: Double, isNarrow: Bool) {
      // Below three panels in a line, names beside them take too much.
      if isNarrow || room < left + 2 * step.x + panel.width {
        isNameAbove = true
        left = 32
        panel = (92, 44)
        step = (100, 84)
      }
      perLine = max(1, min(8, Int((room - left + step.x - panel.width) / step.x)))
    }
  }

  /// An output with the inputs that act on it.
  private struct Row {
    let output: Int
    let label: String
    let unit: String
    let explained: String?
    let isNothing: Bool
    private(set) var panels: [Panel] = []
    /// The least and the largest value of any curve.
    private let low: Double
    private let high: Double
    private let others: String

    init(_ chosen: PairDrawing.Chosen, _ effects: [PartialEffects], _ output: Int) {
      let ensemble = chosen.ensemble
      self.output = output
      label = ensemble.members[0].label(ofOutput: output)
      unit = ensemble.outputs[output].unit
      let share = ensemble.explained?.shares[output]
      let isNothing = ensemble.explained?.isNothing(output) ?? false
      self.isNothing = isNothing
      explained = share.map { isNothing ? "nothing explained" : "R² \(ExplainedShares.digits($0))" }
      let relevance = chosen.relevance.mean
      let columns = ensemble.inputs.count
      let shown = ensemble.inputs.indices.filter { input in
        chosen.selection.consensus[output * columns + input]
          || (relevance[output, input] > 0
            && ensemble.evidence(output, input)?.verdict == .undecided)
      }.sorted {
        let (a, b) = (relevance[output, $0], relevance[output, $1])
        return a != b ? a > b : $0 < $1
      }
      panels = shown.map { Panel(ensemble, effects, relevance[output, $0], output, $0) }
      low = panels.map(\.low).min() ?? 0
      high = panels.map(\.high).max() ?? 0
      let left = ensemble.inputs.indices.filter { !shown.contains($0) }
      func names(_ isWanted: (Int) -> Bool) -> String {
        left.filter(isWanted).map { ensemble.inputs[$0].name }.joined(separator: ", ")
      }
      let (weak, none) = (
        names { relevance[output, $0] > 0 }, names { relevance[output, $0] == 0 }
      )
      others = [
        weak.isEmpty ? "" : "below that: \(weak)", none.isEmpty ? "" : "no path: \(none)",
      ].filter { !$0.isEmpty }.joined(separator: " · ")
    }

    func add(to graph: inout Graph, _ grid: Grid, top: inout Double) {
      let (perLine, step) = (grid.perLine, grid.step)
      let lines = max(1, (panels.count + perLine - 1) / perLine)
      let (low, high) = low < high ? (low, high) : (low - 1, high + 1)
      if grid.isNameAbove {
        addNameAbove(to: &graph, grid, top: top)
        top -= 14
      } else {
        addName(to: &graph, top: top)
      }
      for (place, panel) in panels.enumerated() {
        let corner = Point(
          grid.left + Double(place % perLine) * step.x,
          top - 14 - Double(place / perLine) * step.y)
        panel.add(to: &graph, at: corner, size: grid.panel, from: low, to: high)
        if place % perLine == 0 {
          addScale(to: &graph, beside: corner, grid.panel, place, low, high)
        }
      }
      top -= Double(lines) * step.y
      guard !others.isEmpty else {
        top -= 8
        return
      }
      let room = Double(perLine) * step.x
      let text = VariableColumn.shortened(others, room, size: 8)
      let width = VariableColumn.estimatedWidth(text) * 0.8 + 4
      graph.add(
        DrawingStyle.text(
          "others-\(output)", text,
          at: Point(grid.left + width / 2, panels.isEmpty ? top + step.y - 20 : top + 5),
          width: width, size: 8, colour: DrawingStyle.faint))
      top -= panels.isEmpty ? 40 - step.y : 16
    }

    private func addNameAbove(to graph: inout Graph, _ grid: Grid, top: Double) {
      var texts = [(label, 9.0, DrawingStyle.outputColours.line, true)]
      if !unit.isEmpty { texts.append(("in \(unit)", 8, DrawingStyle.faint, false)) }
      if let explained {
        texts.append((explained, 8, isNothing ? DrawingStyle.negative : DrawingStyle.faint, false))
      }
      var x = 0.0
      for (number, (text, size, colour, bold)) in texts.enumerated() {
        let width = VariableColumn.estimatedWidth(text) * size / 10 * (bold ? 1.1 : 1) + 6
        graph.add(
          DrawingStyle.text(
            "output-\(output)-\(number)", text, at: Point(x + width / 2, top - 6), width: width,
            size: size, colour: colour, bold: bold))
        x += width
      }
    }

    private func addName(to graph: inout Graph, top: Double) {
      let width = 84.0
      var y = top - 24
      func add(_ id: String, _ text: String, size: Double, colour: String, bold: Bool = false) {
        graph.add(
          DrawingStyle.text(
            "output-\(output)\(id)",
            VariableColumn.shortened(text, width, size: size, bold: bold),
            at: Point(width / 2 - 12, y), width: width, size: size, colour: colour, bold: bold))
        y -= 1.4 * size
      }
      add("", label, size: 10, colour: DrawingStyle.outputColours.line, bold: true)
      if !unit.isEmpty { add("-unit", "in \(unit)", size: 8, colour: DrawingStyle.faint) }
      if let explained {
        add(
          "-explained", explained, size: 8,
          colour: isNothing ? DrawingStyle.negative : DrawingStyle.faint)
      }
    }

    /// What the upper and the lower edge of the panels are, and zero between them.
    private func addScale(
      to graph: inout Graph, beside corner: Point, _ panel: (width: Double, height: Double),
      _ place: Int, _ low: Double, _ high: Double
    ) {
      let (lower, upper) = AxisText.ends(low, high)
      for (end, text) in [upper, lower].enumerated() {
        let width = VariableColumn.estimatedWidth(text) * 0.7 + 2
        graph.add(
          DrawingStyle.text(
            "scale-\(output)-\(place)-\(end)", text,
            at: Point(
              corner.x - 3 - width / 2, corner.y - 4 - Double(end) * (panel.height - 8)),
            width: width, size: 7, colour: DrawingStyle.faint))
      }
    }
  }

  // MARK: Panels

  /// The effect of one input on one output.
  private struct Panel {
    /// More members are shown by the lowest and the highest of them.
    static let mostMembers = 12
    static let faint = "70"

    let output: Int
    let input: Int
    let variable: Variable
    let relevance: Double
    let evidence: PairEvidence?
    private let bounds: [Double]
    private let mean: [Double]
    private let members: [[Double]]
    private let tooltip: String

    var low: Double { (members + [mean]).joined().min() ?? 0 }
    var high: Double { (members + [mean]).joined().max() ?? 0 }

    init(
      _ ensemble: Ensemble, _ effects: [PartialEffects], _ relevance: Double, _ output: Int,
      _ input: Int
    ) {
      self.output = output
      self.input = input
      self.relevance = relevance
      variable = ensemble.inputs[input]
      evidence = ensemble.evidence(output, input)
      bounds = effects[0].bounds[input]
      let curves = effects.map { $0.curves[output][input] }
      mean = bounds.indices.map { place in
        curves.reduce(0) { $0 + $1[place] } / Double(curves.count)
      }
      members =
        curves.count == 1
        ? []
        : curves.count <= Self.mostMembers
          ? curves
          : [
            bounds.indices.map { place in curves.map { $0[place] }.min() ?? 0 },
            bounds.indices.map { place in curves.map { $0[place] }.max() ?? 0 },
          ]
      let ends = AxisText.ends(bounds[0], bounds[bounds.count - 1])
      let change = mean[mean.count - 1] - mean[0]
      tooltip =
        "\(variable.name) → \(ensemble.members[0].label(ofOutput: output)): from \(ends.0) to \(ends.1) "
        + "\(variable.unit) it changes by \(DrawingStyle.number(change)) \(ensemble.outputs[output].unit); "
        + "mean |J| \(DrawingStyle.number(relevance))"
        + (evidence.map { "; the data say \($0.verdict.rawValue)" } ?? "")
    }

    private var isUndecided: Bool { evidence?.verdict == .undecided }
    private var id: String { "effect-\(output)-\(input)" }

    func add(
      to graph: inout Graph, at corner: Point, size: (width: Double, height: Double),
      from low: Double, to high: Double
    ) {
      let (width, height) = size
      let middle = Point(corner.x + width / 2, corner.y - height / 2)
      var box = Graph.Node(
        id, at: middle, size: (width, height),
        [
          "shape": "box", "style": .keyword(isUndecided ? "dotted" : "solid"), "color": "#BBBBBB",
          "penwidth": 0.8, "id": .keyword(id), "tooltip": .text(tooltip),
          "class": .keyword("effect" + (evidence.map { " verdict-\($0.verdict.rawValue)" } ?? "")),
        ])
      box.data = [
        "input": .text(variable.name), "kind": .text("effect"), "relevance": .number(relevance),
        "change": .number(mean[mean.count - 1] - mean[0]),
      ]
      if let evidence { box.data?["verdict"] = .text(evidence.verdict.rawValue) }
      graph.add(box)
      addTexts(to: &graph, at: corner, size)
      addCurves(to: &graph) { x, y in
        let across =
          bounds.count > 1 ? (x - bounds[0]) / (bounds[bounds.count - 1] - bounds[0]) : 0.5
        return Point(
          corner.x + 3 + across * (width - 6),
          corner.y - height + 3 + (y - low) / (high - low) * (height - 6))
      }
    }

    private func addTexts(
      to graph: inout Graph, at corner: Point, _ size: (width: Double, height: Double)
    ) {
      let (width, height) = size
      func add(
        _ name: String, _ text: String, _ y: Double, right: Bool, size: Double, colour: String
      ) {
        let room = VariableColumn.estimatedWidth(text) * size / 10 + 2
        let x = right ? corner.x + width - room / 2 : corner.x + room / 2
        graph.add(
          DrawingStyle.text(
            "\(id)-\(name)", text, at: Point(x, y), width: room, size: size, colour: colour))
      }
      let number = (isUndecided ? "? " : "") + DrawingStyle.number(relevance, digits: 2)
      let numberWidth = VariableColumn.estimatedWidth(number) * 0.7 + 6
      add(
        "name", VariableColumn.shortened(variable.label, width - numberWidth, size: 8.5),
        corner.y + 6, right: false, size: 8.5, colour: DrawingStyle.colours(variable.role).line)
      add("relevance", number, corner.y + 6, right: true, size: 7, colour: DrawingStyle.faint)
      let (low, high) = AxisText.ends(bounds[0], bounds[bounds.count - 1])
      let y = corner.y - height - 6
      add("low", low, y, right: false, size: 7, colour: DrawingStyle.faint)
      if bounds.count > 1 { add("high", high, y, right: true, size: 7, colour: DrawingStyle.faint) }
    }

    private func addCurves(to graph: inout Graph, _ place: (Double, Double) -> Point) {
      let colour = DrawingStyle.colours(variable.role).line
      func add(_ name: String, _ xs: [Double], _ values: [Double], _ attributes: Attributes) {
        var all = attributes
        all["arrowhead"] = "none"
        all["id"] = .keyword("\(id)-\(name)")
        all["tooltip"] = .text(tooltip)
        graph.add(
          Graph.Edge(id, id, along: DrawingStyle.polyline(zip(xs, values).map(place)), all))
      }
      let ends = [bounds[0], bounds[bounds.count - 1]]
      if bounds.count > 1 {
        add("zero", ends, [0, 0], ["color": "#DDDDDD", "penwidth": 0.6, "class": "zero"])
      }
      for (number, curve) in members.enumerated() {
        add(
          "member-\(number)", bounds, curve,
          ["color": .keyword(colour + Self.faint), "penwidth": 0.7, "class": "member"])
      }
      add(
        "mean", bounds, mean,
        [
          "color": .keyword(colour), "penwidth": 1.8,
          "style": .keyword(isUndecided ? "dotted" : "solid"), "class": "curve",
        ])
    }
  }
}

/// Numbers beside axes.
enum AxisText {
  /// The ends of a range with as many digits as tell them apart to a hundredth of it, powers of ten as people write
  /// them.
  static func ends(_ low: Double, _ high: Double) -> (String, String) {
    let size = max(abs(low), abs(high))
    guard size > 0, size.isFinite else { return ("0", "0") }
    let power = Int(Double.log10(size).rounded(.down))
    let isPlain = (-2...4).contains(power)
    let scale = isPlain ? 1 : Double.pow(10, Double(power))
    let range = (high - low) / scale
    let step = range > 0 ? Double.log10(range / 20).rounded(.down) : -2
    let decimals = max(0, min(6, Int(-step)))
    func text(_ value: Double) -> String {
      var digits = String(format: "%.\(decimals)f", abs(value) / scale)
      if digits.contains(".") {
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
      }
      let sign = value < 0 && digits != "0" ? "−" : ""
      return sign + digits + (isPlain || digits == "0" ? "" : "·10" + superscript(power))
    }
    return (text(low), text(high))
  }

  private static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (number < 0 ? "⁻" : "")
      + String("\(abs(number))".compactMap { $0.wholeNumberValue.map { digits[$0] } })
  }
}
