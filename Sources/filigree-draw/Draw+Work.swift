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
    try checkOutput()
    var ensembles = try models.map {
      try Ensemble.load($0, cut: cut.cut, told: reading.description)
    }
    if ensembles.count == 2, ensembles[0].name == ensembles[1].name {
      for index in ensembles.indices { ensembles[index].name = models[index] }
    }
    let draw = try await drawing(of: ensembles)
    var graph = try fitted(draw)
    if ending == "png" { graph.attributes["dpi"] = .number(Double(page.resolution)) }
    let bytes =
      if let format = Renderer.Format(rawValue: ending) {
        try Renderer.render(graph, as: format, layout: layout == .dot ? .dot : .fixed)
      } else if ending == "graphml" {
        Array(graph.graphML.utf8)
      } else {
        // Graphviz then takes the places as they are, instead of finding its own.
        Array((layout == .dot ? graph : graph.placed).dot.utf8)
      }
    try await deliver(bytes, graph.summary)
  }

  /// - Throws: where the output cannot be written, or would replace what is read.
  func checkOutput() throws {
    if isToStandardOutput {
      guard !["png", "pdf"].contains(ending) || isatty(STDOUT_FILENO) == 0 else {
        throw ValidationError(
          "--output -: a .\(ending) is not for a terminal; send it to a file or a program.")
      }
    } else {
      try WholeFile.checkWritable(output.output, force: output.force)
    }
    try refuseOverwriting(output.output, [data].compactMap { $0 }, models: models)
  }

  /// Writes the file, and shows it where that was asked for.
  func deliver(_ bytes: [UInt8], _ summary: String) async throws {
    if isToStandardOutput { return try Console.output(bytes) }
    try WholeFile.write(bytes, to: output.output, force: output.force)
    run.note("\(output.output): \(summary)")
    if open, let problem = await Viewer.open(output.output) { Console.warning(problem) }
  }

  private func fitted(_ draw: (Detail) -> Graph) throws -> Graph {
    guard let fit = page.fit else { return draw(.full) }
    do {
      return try fit.fit(draw)
    } catch {
      throw ValidationError("--width: \(error).")
    }
  }

  /// What draws with as much detail as asked.
  private func drawing(of ensembles: [Ensemble]) async throws -> (Detail) -> Graph {
    let ensemble = ensembles[0]
    switch kind {
    case .network: return try await network(ensemble)
    case .gallery:
      let graph = try gallery(ensemble)
      return { _ in graph }
    case .effects: return try await effects(ensemble)
    case .heatmap: return try await heatMap(ensemble)
    case .dependency, .consensus, .difference:
      let pairs =
        switch kind {
        case .dependency: try await dependencies(ensemble)
        case .consensus: try await consensus(ensemble)
        default: try await difference(ensembles[0], ensembles[1])
        }
      let places: PairDrawing.Layout =
        layout == .circle ? .circle : layout == .dot ? .dot : .columns
      return { pairs.graph(places, $0) }
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
