import Dynamics
import GraphDrawing
import Networks
import Structure

/// All members of an ensemble on one sheet. With several towers, members are rows and towers columns, or the other
/// way round, whichever has the better shape: along one line one sees whether the members found the same structure.
/// Otherwise members stand side by side.
///
/// Panels of a tower show the same inputs on one scale, and units stand in an order that depends on their
/// weights alone: equal structures look alike.
public struct EnsembleGallery {
  private let ensemble: Ensemble
  private let title: String
  private let subjects: [NetworkPanel.Subject]
  private let showsEffects: Bool
  /// Per member, the layers of each tower.
  private let bands: [[[Int]]]

  /// - Parameters:
  ///   - ensemble: whose members are drawn.
  ///   - title: above the sheet.
  ///   - acting: each member over data, for effects instead of weights; empty for weights.
  public init(_ ensemble: Ensemble, title: String, acting: [ActingNetwork] = []) {
    precondition(acting.isEmpty || acting.count == ensemble.members.count)
    self.ensemble = ensemble
    self.title = title
    showsEffects = !acting.isEmpty
    subjects = ensemble.members.indices.map { member in
      NetworkPanel.Subject(
        ShownNetwork(
          ensemble.members[member], acting: acting.isEmpty ? nil : acting[member]))
    }
    bands = ensemble.members.map(\.network.bands)
  }

  public var graph: Graph {
    let isByTower = bands[0].count > 1 && bands.allSatisfy { $0.count == bands[0].count }
    let body = isByTower ? towers : whole
    let counts =
      "\(Self.range(subjects.map(\.structure.network.survivingWeightCount))) \(edges), "
      + "\(Self.range(subjects.map(\.structure.liveNeuronCount))) hidden units each"
    var graph = DrawingStyle.graph("gallery", title: title, summary: counts)
    graph.add(body)
    Captions(
      title: title, counts: counts,
      legend: [.relativeScale(scale(isByTower))]
        + (ensemble.explained.map { [$0.legend(ensemble.outputs.map(\.name))] } ?? []),
      caption: NetworkDescription.recipe(ensemble.members[0].recipe)
    ).add(to: &graph)
    return graph
  }

  /// What the edges are: some stand for units that were folded.
  private var edges: String { showsEffects ? "edges" : "weights" }

  private func scale(_ isByTower: Bool) -> String {
    let whose = isByTower ? (showsEffects ? " on its rate" : " of its rate") : ""
    return showsEffects
      ? "effects over the data, relative to the largest\(whose)"
      : "by weight, relative to the largest weight\(whose)"
  }

  private static func range(_ counts: [Int]) -> String {
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    return least == most ? "\(least)" : "\(least) to \(most)"
  }

  private var towers: Graph {
    let inputs = bands[0].indices.map { tower in
      let read = subjects.indices.map {
        subjects[$0].structure.network.inputsRead(by: bands[$0][tower])
      }
      return ensemble.inputs.indices.filter { input in read.contains { $0[input] } }
    }
    let strongest = bands[0].indices.map { tower in
      largest { bands[$0][tower] }
    }
    let rows = subjects.indices.map { member in
      [label(member)]
        + NetworkDrawing.towers(
          subjects[member], bands[member], inputs: inputs, strongest: strongest, size: .thumbnail
        ).map { renamed($0.graph(headings: false), member) }
    }
    let columns = rows[0].indices.map { column in rows.map { $0[column] } }
    let sheets = [rows, columns].map { Sheet.grid($0, gap: (16, 12)) }
    return sheets.min { Sheet.unlikeness($0) < Sheet.unlikeness($1) } ?? sheets[0]
  }

  private var whole: Graph {
    let strongest = largest { bands[$0].flatMap { $0 } }
    let panels = subjects.indices.map { member in
      let panel = NetworkPanel(
        subjects[member], bands: bands[member], size: .thumbnail, strongest: strongest)
      var graph = renamed(panel.graph(headings: false), member)
      if let frame = graph.bounds {
        graph.add(label(member).moved(by: Point(frame.centre.x, frame.top + 16)))
      }
      return graph
    }
    let sheets = panels.indices.map { last in
      Sheet.grid(
        stride(from: 0, to: panels.count, by: last + 1).map {
          Array(panels[$0..<min(panels.count, $0 + last + 1)])
        }, gap: (24, 24))
    }
    return sheets.min { Sheet.unlikeness($0) < Sheet.unlikeness($1) } ?? Graph(name: "gallery")
  }

  /// The largest weight of some layers over all members.
  private func largest(_ layers: (Int) -> [Int]) -> Double {
    subjects.indices.map { subjects[$0].strongest(of: layers($0)) }.max() ?? 0
  }

  private func renamed(_ graph: Graph, _ member: Int) -> Graph {
    var result = Graph(name: graph.name)
    result.add(graph, prefix: "member-\(member)-")
    return result
  }

  private func label(_ member: Int) -> Graph {
    var graph = Graph(name: "label")
    let weights = subjects[member].structure.network.survivingWeightCount
    for (line, text) in ["member \(member)", "\(weights) \(edges)"].enumerated() {
      graph.add(
        DrawingStyle.text(
          "member-\(member)-label-\(line)", text, at: Point(0, 5.8 - 11.6 * Double(line)),
          width: 64,
          size: line == 0 ? 9 : 7, colour: line == 0 ? DrawingStyle.ink : DrawingStyle.faint,
          bold: line == 0))
    }
    return graph
  }
}
