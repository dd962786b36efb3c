import Dynamics
import Evidence
import Foundation
import GraphDrawing
import Networks
import Structure

/// The relevance of every input for every output as a table of coloured cells: blue where the output rises with the
/// input, orange where it falls, the deeper the stronger; states and controls apart; what the data say is marked.
///
/// The number in a cell is mean J in deviations, with ± mean |J| where its sign varies over the data.
public struct RelevanceMap {
  private let chosen: PairDrawing.Chosen
  private var captions: Captions

  /// Colours go over so many decades below the largest relevance.
  private static let decades = 3.0
  /// Of effects whose sign varies.
  static let mixed = "#8A4F7D"

  /// - Parameters:
  ///   - chosen: an ensemble over data; all its pairs are shown, those that are not chosen without colour.
  ///   - title: above the map.
  public init(_ chosen: PairDrawing.Chosen, title: String) {
    self.chosen = chosen
    let selected = chosen.selection.consensus
    captions = Captions(
      title: title,
      counts: "\(selected.count { $0 }) of \(selected.count) pairs with \(chosen.condition)")
    captions.legend = Self.legend(chosen, chosen.relevance.mean.elements.max() ?? 0)
    if let explained = chosen.ensemble.explained {
      captions.legend.append(explained.legend(chosen.ensemble.outputs.map(\.name)))
    }
    captions.caption =
      "numbers: mean J in deviations; ± where its sign varies over the data: mean |J|"
  }

  public var graph: Graph { graph(.full) }

  /// - Parameter detail: how much is shown where the drawing is made for a width.
  public func graph(_ detail: Detail) -> Graph {
    var graph = DrawingStyle.graph("heatmap", title: captions.title, summary: captions.counts)
    let places = Places(chosen.ensemble, detail)
    let strongest = chosen.relevance.mean.elements.max() ?? 0
    places.addNames(to: &graph, chosen.ensemble)
    for output in chosen.ensemble.outputs.indices {
      for input in chosen.ensemble.inputs.indices {
        graph.add(
          Cell(chosen, output, input, strongest).node(
            at: places.centre(output, input), size: places.size, isNumbered: !detail.usesNumbers))
      }
    }
    var captions = captions
    if detail.usesNumbers {
      captions.caption = chosen.ensemble.inputs.enumerated().map { "\($0 + 1)\u{A0}\($1.name)" }
        .joined(separator: " · ")
    }
    captions.add(to: &graph, detail)
    return graph
  }

  private static func legend(_ chosen: PairDrawing.Chosen, _ strongest: Double)
    -> [[Captions.Sample]]
  {
    func sample(_ text: String, _ attributes: Attributes) -> Captions.Sample {
      Captions.Sample(
        mark: .unit, text: text,
        attributes: attributes.merging(["shape": "box", "penwidth": 0.8]) { given, _ in given })
    }
    func filled(_ colour: String, _ share: Double) -> Attributes {
      ["style": "filled", "fillcolor": .keyword(Cell.mix(colour, share)), "color": "#BBBBBB"]
    }
    var legend = [
      [
        sample("rises with it", filled(DrawingStyle.positive, 0.8)),
        sample("falls", filled(DrawingStyle.negative, 0.8)),
        sample("both", filled(mixed, 0.8)),
        sample(
          "\(DrawingStyle.number(strongest / 100, digits: 2))",
          filled(DrawingStyle.positive, 1.0 / 3)),
        sample("\(DrawingStyle.number(strongest, digits: 2))", filled(DrawingStyle.positive, 1)),
      ]
    ]
    if let evidence = chosen.ensemble.evidence {
      let all = evidence.pairs.joined()
      func count(_ verdict: Verdict) -> Int { all.count { $0.verdict == verdict } }
      legend.append([
        Captions.Sample(mark: .none, text: "the data say"),
        sample(
          "present (\(count(.present)))",
          ["style": "filled", "fillcolor": "#E6E6E6", "color": "#888888"]),
        sample("undecided (\(count(.undecided)))", Cell.hollow),
        Captions.Sample(mark: .none, text: "weak (\(count(.weak)))"),
        Captions.Sample(mark: .none, text: "absent (\(count(.absent)))"),
      ])
    }
    legend.append([Captions.Sample(mark: .none, text: "·: no path from the input is left")])
    return legend
  }

  // MARK: Places

  /// Where cells and names stand.
  private struct Places {
    let size: (width: Double, height: Double)
    private let xs: [Double]
    private let firstControl: Int?
    private let height: Double
    private let nameWidth: Double

    /// Whether inputs have numbers instead of names.
    private let usesNumbers: Bool
    /// Of rows' names, and of columns'.
    private let type: (row: Double, column: Double)

    init(_ ensemble: Ensemble, _ detail: Detail) {
      usesNumbers = detail.usesNumbers
      type = detail.isNarrow ? (8, 8) : (9.5, 8.5)
      let names = ensemble.inputs.map { VariableColumn.estimatedWidth($0.name) * 0.85 + 6 }
      size =
        detail.usesNumbers
        ? (12, 12) : (min(detail.isNarrow ? 40 : 84, max(36, names.max() ?? 0)), 21)
      var xs: [Double] = []
      var x = 0.0
      var first: Int?
      for (index, input) in ensemble.inputs.enumerated() {
        if index > 0, input.role == .control, ensemble.inputs[index - 1].role != .control {
          first = first ?? index
          x += 12
        }
        xs.append(x + size.width / 2)
        x += size.width
      }
      self.xs = xs
      firstControl = first
      height = size.height * Double(ensemble.outputs.count)
      nameWidth = VariableColumn.width(
        of: ensemble.outputs, isOutput: true, size: detail.isNarrow ? .column : .full)
    }

    func centre(_ output: Int, _ input: Int) -> Point {
      Point(xs[input], -size.height * (Double(output) + 0.5))
    }

    func addNames(to graph: inout Graph, _ ensemble: Ensemble) {
      for (input, variable) in ensemble.inputs.enumerated() {
        graph.add(
          DrawingStyle.text(
            "column-\(input)",
            usesNumbers
              ? "\(input + 1)"
              : VariableColumn.shortened(variable.name, size.width - 3, size: type.column),
            at: Point(xs[input], 8), width: size.width, size: type.column,
            colour: DrawingStyle.colours(variable.role).line))
      }
      addHeadings(to: &graph, ensemble)
      for (output, variable) in ensemble.outputs.enumerated() {
        let y = centre(output, 0).y
        graph.add(
          DrawingStyle.text(
            "row-\(output)",
            VariableColumn.shortened(
              ensemble.members[0].label(ofOutput: output), nameWidth - 4, size: type.row),
            at: Point(-nameWidth / 2 - 4, y), width: nameWidth, size: type.row,
            colour: DrawingStyle.outputColours.line))
        addShare(to: &graph, ensemble.explained, output, y, variable)
      }
      addDivider(to: &graph)
    }

    private func addHeadings(to graph: inout Graph, _ ensemble: Ensemble) {
      for (role, name) in [(Role.state, "states"), (.control, "inputs")] {
        let own = ensemble.inputs.indices.filter { ensemble.inputs[$0].role == role }
        guard let first = own.first, let last = own.last else { continue }
        let width = max(30, xs[last] - xs[first] + size.width)
        graph.add(
          DrawingStyle.text(
            "heading-\(role.rawValue)", name, at: Point((xs[first] + xs[last]) / 2, 22),
            width: width, size: min(9, type.row), colour: DrawingStyle.faint))
      }
    }

    private func addShare(
      to graph: inout Graph, _ explained: ExplainedShares?, _ output: Int, _ y: Double,
      _ variable: Variable
    ) {
      guard let explained, let share = explained.shares[output] else { return }
      let isNothing = explained.isNothing(output)
      let text = isNothing ? "nothing explained" : "R² \(ExplainedShares.digits(share))"
      let width = VariableColumn.estimatedWidth(text) * 0.8 + 4
      let right = (xs.last ?? 0) + size.width / 2
      graph.add(
        DrawingStyle.text(
          "explained-\(output)", text, at: Point(right + 4 + width / 2, y), width: width, size: 8,
          colour: isNothing ? DrawingStyle.negative : DrawingStyle.faint))
    }

    /// Between states and controls.
    private func addDivider(to graph: inout Graph) {
      guard let first = firstControl else { return }
      let x = xs[first] - size.width / 2 - 6
      let ends = [Point(x, 26), Point(x, -height)]
      for (number, end) in ends.enumerated() {
        graph.add(
          Graph.Node(
            "divider-\(number)", at: end, size: (0.01, 0.01),
            ["shape": "point", "style": "invis", "class": "divider"]))
      }
      graph.add(
        Graph.Edge(
          "divider-0", "divider-1",
          along: DrawingStyle.polyline(ends),
          [
            "color": .keyword(DrawingStyle.faint), "penwidth": 1.0, "arrowhead": "none",
            "class": "divider",
          ]))
    }
  }

  // MARK: Cells

  private struct Cell {
    static let hollow: Attributes = [
      "style": "filled,dotted", "fillcolor": "#FFFFFF", "color": .keyword(DrawingStyle.ink),
    ]

    let output: Int
    let input: Int
    private let mean: Double
    private let magnitude: Double
    private let share: Double
    private let isChosen: Bool
    private let evidence: PairEvidence?
    private let tooltip: String

    init(_ chosen: PairDrawing.Chosen, _ output: Int, _ input: Int, _ strongest: Double) {
      self.output = output
      self.input = input
      mean = chosen.relevance.signedMean[output, input]
      magnitude = chosen.relevance.mean[output, input]
      isChosen = chosen.selection.consensus[output * chosen.ensemble.inputs.count + input]
      evidence = chosen.ensemble.evidence(output, input)
      share =
        magnitude > 0 && strongest > 0
        ? max(0.06, 1 + Double.log10(magnitude / strongest) / RelevanceMap.decades) : 0
      let name =
        "\(chosen.ensemble.inputs[input].name) → \(chosen.ensemble.members[0].label(ofOutput: output))"
      tooltip =
        magnitude == 0
        ? "\(name): no path is left"
        : "\(name): mean |J| \(DrawingStyle.number(magnitude)), mean J \(DrawingStyle.number(mean))"
    }

    private var colour: String {
      abs(mean) < 0.5 * magnitude
        ? RelevanceMap.mixed : mean < 0 ? DrawingStyle.negative : DrawingStyle.positive
    }

    private var sign: String { abs(mean) < 0.5 * magnitude ? "±" : mean < 0 ? "−" : "+" }

    /// - Parameter isNumbered: whether it says how large the effect is.
    func node(at centre: Point, size: (width: Double, height: Double), isNumbered: Bool)
      -> Graph.Node
    {
      let verdict = evidence?.verdict
      let isUndecided = verdict == .undecided
      let isFilled = isChosen && !isUndecided
      var attributes: Attributes = [
        "shape": "box", "style": "filled", "color": "#FFFFFF", "penwidth": 0.8,
        "fillcolor": .keyword(isFilled ? Self.mix(colour, share) : "#FFFFFF"),
        "fontname": .keyword(DrawingStyle.font), "fontsize": .number(isNumbered ? 8.5 : 8),
        "fontcolor": .keyword(
          isFilled && share > 0.72
            ? "#FFFFFF" : magnitude == 0 || !isFilled ? DrawingStyle.faint : DrawingStyle.ink),
        "id": .keyword("cell-\(output)-\(input)"),
        "class": .keyword(
          "cell" + (magnitude == 0 ? " none" : mean < 0 ? " negative" : " positive")
            + (verdict.map { " verdict-\($0.rawValue)" } ?? "")),
        "tooltip": .text(
          tooltip + (evidence.map { "; the data say \($0.verdict.rawValue)" } ?? "")),
      ]
      if isUndecided { attributes.merge(Self.hollow) { $1 } }
      let text =
        magnitude == 0
        ? (isUndecided ? "?" : "·")
        : !isNumbered
          ? (isUndecided ? "?" : sign)
          : (isUndecided ? "? " : "") + DrawingStyle.signed(mean, magnitude: magnitude)
      var node = Graph.Node(
        "cell-\(output)-\(input)", label: text, at: centre,
        // Half a point is left between cells.
        size: (size.width - 1, size.height - 1), attributes)
      node.data = [
        "kind": .text("cell"), "relevance": .number(magnitude), "effect": .number(mean),
      ]
      if let verdict { node.data?["verdict"] = .text(verdict.rawValue) }
      return node
    }

    /// White with a share of a colour.
    static func mix(_ colour: String, _ share: Double) -> String {
      let digits = Array(colour.utf8.dropFirst())
      let parts = stride(from: 0, to: 6, by: 2).map { place in
        Int(String(decoding: digits[place..<(place + 2)], as: UTF8.self), radix: 16) ?? 0
      }
      return "#"
        + parts.map { String(format: "%02X", 255 - Int((Double(255 - $0) * share).rounded())) }
        .joined()
    }
  }
}
