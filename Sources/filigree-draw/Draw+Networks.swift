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
  func network(_ ensemble: Ensemble) async throws -> (Detail) -> Graph {
    let member = try chosenMember(of: ensemble) ?? 0
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
    let weights = LiveStructure(model.network).network.survivingWeightCount
    if weights > focus.mostEdges {
      if !options.focus.isEverything || data != nil {
        throw ValidationError(
          "\(models[0]) has \(weights) weights and is drawn by groups of units, which have neither "
            + "paths nor activity; --most-edges \(weights) draws every weight.")
      }
      run.note("\(weights) weights are drawn by groups; --most-edges \(weights) draws every one")
    }
    if let points = try points(ensemble) {
      options.activity = UnitActivity(model, over: points)
      options.acting = ActingNetwork(model, over: points, tolerance: focus.fold)
    }
    if !options.focus.isEverything, options.focus.isEmpty(in: model.network) {
      throw ValidationError(
        "no path leads from \(focus.focusInput.isEmpty ? "any input" : focus.focusInput.joined(separator: ", ")) to "
          + "\(focus.focusOutput.isEmpty ? "any output" : focus.focusOutput.joined(separator: ", ")): there is nothing to "
          + "bring out.")
    }
    let name = ensemble.members.count > 1 ? "\(ensemble.name), member \(member)" : ensemble.name
    let title = title ?? whole(name)
    let drawn = named(ensemble).members[member]
    return { [options] detail in
      var options = options
      options.detail = detail
      return NetworkDrawing(drawn, title: title, options: options).graph
    }
  }

  /// Nil where none was asked for.
  /// - Throws: `ValidationError` for a member that there is not.
  func chosenMember(of ensemble: Ensemble) throws -> Int? {
    guard let member else { return nil }
    guard ensemble.members.indices.contains(member) else {
      throw ValidationError(
        "--member \(member): \(models[0]) has members 0 to \(ensemble.members.count - 1).")
    }
    return member
  }

  /// All samples of --data, in the order of the models' inputs; nil without data.
  func points(_ ensemble: Ensemble) throws -> Matrix? {
    guard let data else { return nil }
    return try ensemble.points(of: try tables.read(data, quiet: run.quiet), from: data)
  }

  /// As its variables are called in the drawing.
  func named(_ ensemble: Ensemble) -> Ensemble {
    page.longNames ? ensemble.withLongNames : ensemble
  }

  /// A title that says what sizes are where there are no data.
  private func whole(_ name: String) -> String { data == nil ? "\(name), by weight" : name }

  func gallery(_ ensemble: Ensemble) throws -> Graph {
    try checkSize(ensemble)
    let points = try points(ensemble)
    return EnsembleGallery(
      named(ensemble),
      title: title ?? whole("\(ensemble.name): \(counted(ensemble.members.count, "member"))"),
      acting: points.map { points in
        ensemble.members.map { ActingNetwork($0, over: points, tolerance: focus.fold) }
      } ?? []
    ).graph
  }

  private func checkSize(_ ensemble: Ensemble) throws {
    let weights = ensemble.members.reduce(0) { $0 + $1.network.survivingWeightCount }
    guard weights <= 10 * focus.mostEdges else {
      throw ValidationError(
        "the members of \(models[0]) have \(weights) weights together, too many for one sheet; "
          + "--cut leaves out small ones, --most-edges \((weights + 9) / 10) draws them all.")
    }
  }
}
