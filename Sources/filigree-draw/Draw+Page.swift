import CommandSupport
import Drawing
import Dynamics
import Foundation
import GraphDrawing
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure

extension Draw {
  /// Makes a page to explore.
  func explore() async throws {
    try checkOutput()
    var ensemble = try Ensemble.load(models[0], cut: cut.cut, told: reading.description)
    var options = Exploration.Options()
    options.title = title
    options.layout = layout.map { $0 == .layers ? .layers : .towers }
    options.rule = .relevant(above: threshold)
    options.tolerance = focus.fold
    options.limits.weights = focus.mostEdges
    let pinned = try focus.focus(in: ensemble)
    options.start = Exploration.Start(
      member: try chosenMember(of: ensemble), input: pinned.inputs.first,
      output: pinned.outputs.first)
    let points = try points(ensemble)
    if let points {
      ensemble = ensemble.standardisedBy(points, of: data ?? "", quietly: run.quiet)
    }
    let exploration = try await Exploration(
      ensemble, over: points, options: options, threads: run.threads)
    for remark in exploration.leftOut { run.note("note: \(remark)") }
    let bytes = Array(try exploration.page().utf8)
    try await deliver(
      bytes, "\(exploration.summary), \(Self.size(bytes.count))\(data == nil ? ", by weight" : "")")
  }

  private static func size(_ bytes: Int) -> String {
    bytes < 1_000_000
      ? "\((bytes + 999) / 1000) kB" : String(format: "%.1f MB", Double(bytes) / 1e6)
  }
}
