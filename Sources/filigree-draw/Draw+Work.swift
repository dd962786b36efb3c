import CommandSupport
import Drawing
import Dynamics
import Foundation
import GraphDrawing
import Interchange
import Networks
import Reporting
import Structure

extension Draw {
  func draw() async throws {
    try WholeFile.checkWritable(output.output, force: output.force)
    try refuseOverwriting(output.output, [data].compactMap { $0 }, models: models)
    var ensembles = try models.map {
      try Ensemble.load($0, cut: cut.cut, told: reading.description)
    }
    if ensembles.count == 2, ensembles[0].name == ensembles[1].name {
      for index in ensembles.indices { ensembles[index].name = models[index] }
    }
    var graph = try await drawing(of: ensembles)
    if ending == "png" { graph.attributes["dpi"] = .number(Double(resolution)) }
    let bytes =
      if let format = Renderer.Format(rawValue: ending) {
        try Renderer.render(graph, as: format, layout: layout == .dot ? .dot : .fixed)
      } else if ending == "graphml" {
        Array(graph.graphML.utf8)
      } else {
        // Graphviz then takes the places as they are, instead of finding its own.
        Array((layout == .dot ? graph : graph.placed).dot.utf8)
      }
    try WholeFile.write(bytes, to: output.output, force: output.force)
    run.note("\(output.output): \(graph.summary)")
  }

  private func drawing(of ensembles: [Ensemble]) async throws -> Graph {
    let ensemble = ensembles[0]
    switch kind {
    case .network: return try await network(ensemble)
    case .gallery:
      try checkSize(ensemble)
      return EnsembleGallery(
        ensemble,
        title: title ?? "\(ensemble.name): \(counted(ensemble.members.count, "member"))"
      ).graph
    case .dependency, .consensus, .difference:
      let pairs =
        switch kind {
        case .dependency: try await dependencies(ensemble)
        case .consensus: try await consensus(ensemble)
        default: try await difference(ensembles[0], ensembles[1])
        }
      switch layout {
      case .circle: return pairs.graph(.circle)
      case .dot: return pairs.graph(.dot)
      default: return pairs.graph(.columns)
      }
    }
  }
}

extension Graph {
  fileprivate var placed: Graph {
    var result = self
    result.attributes["layout"] = .keyword(Renderer.Layout.fixed.rawValue)
    return result
  }
}
