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
  func network(_ ensemble: Ensemble) async throws -> Graph {
    guard ensemble.members.indices.contains(member) else {
      throw ValidationError(
        "--member \(member): \(models[0]) has members 0 to \(ensemble.members.count - 1).")
    }
    let model = ensemble.members[member]
    if ensemble.members.count > 1 {
      run.note("drawing member \(member) of \(ensemble.members.count); --member chooses another")
    }
    var options = NetworkDrawing.Options()
    options.layout =
      switch layout {
      case .towers: .towers
      case .layers: .layers
      case .dot: .dot
      // Other programs place nodes themselves; an input then is one node.
      default: ending == "graphml" ? .layers : nil
      }
    options.focus = try focus.focus(in: ensemble)
    options.crops = focus.crop
    options.movesEnds = focus.freeOrder
    options.mostEdges = focus.mostEdges
    options.explained = ensemble.explained
    if let data {
      let points = try ensemble.points(of: try tables.read(data, quiet: run.quiet), from: data)
      options.activity = UnitActivity(model, over: points)
    }
    let weights = LiveStructure(model.network).network.survivingWeightCount
    if weights > focus.mostEdges {
      if !options.focus.isEverything || data != nil {
        throw ValidationError(
          "\(models[0]) has \(weights) weights and is drawn by groups of units, which have neither "
            + "paths nor activity; --most-edges \(weights) draws every weight.")
      }
      run.note("\(weights) weights are drawn by groups; --most-edges \(weights) draws every one")
    }
    if !options.focus.isEverything, options.focus.isEmpty(in: model.network) {
      throw ValidationError(
        "no path leads from \(focus.focusInput.isEmpty ? "any input" : focus.focusInput.joined(separator: ", ")) to "
          + "\(focus.focusOutput.isEmpty ? "any output" : focus.focusOutput.joined(separator: ", ")): there is nothing to "
          + "bring out.")
    }
    let name = ensemble.members.count > 1 ? "\(ensemble.name), member \(member)" : ensemble.name
    return NetworkDrawing(model, title: title ?? name, options: options).graph
  }

  func checkSize(_ ensemble: Ensemble) throws {
    let weights = ensemble.members.reduce(0) { $0 + $1.network.survivingWeightCount }
    guard weights <= 10 * focus.mostEdges else {
      throw ValidationError(
        "the members of \(models[0]) have \(weights) weights together, too many for one sheet; "
          + "--cut leaves out small ones, --most-edges \((weights + 9) / 10) draws them all.")
    }
  }
}
