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
  private func chosen(_ ensemble: Ensemble) async throws -> PairDrawing.Chosen? {
    guard let points = try points(ensemble) else { return nil }
    return try await chosen(ensemble, over: points)
  }

  private func chosen(_ ensemble: Ensemble, over points: Matrix) async throws -> PairDrawing.Chosen
  {
    let relevance = try await EnsembleRelevance(ensemble, over: points, threads: run.threads)
    return PairDrawing.Chosen(
      named(ensemble), relevance: relevance, rule: .relevant(above: threshold))
  }

  func effects(_ ensemble: Ensemble) async throws -> (Detail) -> Graph {
    guard let points = try points(ensemble) else { throw needsData }
    let curves = try await concurrentMap(ensemble.members.count, threads: run.threads) {
      PartialEffects(ensemble.members[$0], over: points)
    }
    let drawing = EffectsDrawing(
      try await chosen(ensemble, over: points), effects: curves,
      outputs: try focus.focus(in: ensemble).outputs,
      title: title ?? "\(ensemble.name): how each input acts")
    return { drawing.graph($0) }
  }

  func heatMap(_ ensemble: Ensemble) async throws -> (Detail) -> Graph {
    guard let chosen = try await chosen(ensemble) else { throw needsData }
    let map = RelevanceMap(chosen, title: title ?? "\(ensemble.name): what drives what")
    return { map.graph($0) }
  }

  private var needsData: ValidationError {
    ValidationError("--kind \(kind.rawValue) needs --data FILE: it shows what happens over data.")
  }

  func dependencies(_ ensemble: Ensemble) async throws -> PairDrawing {
    guard let data, let chosen = try await chosen(ensemble) else {
      throw needsData
    }
    guard let plant else {
      return .dependencies(chosen, title: title ?? "\(ensemble.name): what drives what")
    }
    let truth = try await variation.truth(
      plant, for: ensemble, over: try tables.read(data, quiet: run.quiet), from: data,
      threads: run.threads)
    return .judged(
      chosen, by: truth, plant: plant + (variation.vary.map { ", varied by \($0)" } ?? ""),
      title: title ?? "\(ensemble.name) and the plant")
  }

  func consensus(_ ensemble: Ensemble) async throws -> PairDrawing {
    let chosen = try await chosen(ensemble)
    if ensemble.members.count == 1 {
      run.note("note: \(ensemble.name) has one member, which agrees with itself")
    }
    return .consensus(
      named(ensemble), chosen?.selection ?? PairSelection.connected.selection(of: ensemble, nil),
      signed: chosen?.relevance.signedMean.elements, condition: condition(chosen),
      title: title ?? "\(ensemble.name): what the members agree on")
  }

  func difference(_ first: Ensemble, _ second: Ensemble) async throws -> PairDrawing {
    try first.checkComparable(with: second)
    let (one, other) = (try await chosen(first), try await chosen(second))
    let selections = (
      one?.selection ?? PairSelection.connected.selection(of: first, nil),
      other?.selection ?? PairSelection.connected.selection(of: second, nil)
    )
    let several = max(first.members.count, second.members.count) > 1
    return .difference(
      named(first), named(second), pairs: (selections.0.consensus, selections.1.consensus),
      sizes: (
        one?.relevance.mean.elements ?? selections.0.frequency,
        other?.relevance.mean.elements ?? selections.1.frequency
      ),
      signed: one.flatMap { one in
        other.map { (one.relevance.signedMean.elements, $0.relevance.signedMean.elements) }
      }, change: change,
      condition: condition(one) + (several ? ", in most members" : ""),
      measure: one == nil ? "share of members" : "mean |J|",
      title: title ?? "\(first.name) and \(second.name)")
  }

  /// What selects a pair, in words.
  private func condition(_ chosen: PairDrawing.Chosen?) -> String {
    (chosen?.rule ?? .connected).words
  }
}
