import Drawing
import Forecasting
import Foundation
import GraphDrawing
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The ensemble that a report is about, with what its parts all need of it.
struct ReportSubject {
  let group: StudyResults.Group
  /// Carries the evidence of its training.
  let ensemble: Ensemble
  /// Samples × inputs of the test data, physical units.
  let points: Matrix
  let relevance: EnsembleRelevance
  let chosen: PairDrawing.Chosen
  let effects: [PartialEffects]
  let sentences: EffectSentences

  /// Effects of single paths and units are taken over at most so many samples.
  static let mostSamples = 2000

  init(
    _ group: StudyResults.Group, _ ensemble: Ensemble, over points: Matrix, rule: PairSelection,
    threads: Int
  ) async throws {
    self.group = group
    self.ensemble = ensemble
    self.points = points
    relevance = try await EnsembleRelevance(ensemble, over: points, threads: threads)
    chosen = PairDrawing.Chosen(ensemble, relevance: relevance, rule: rule)
    effects = try await concurrentMap(ensemble.members.count, threads: threads) {
      PartialEffects(ensemble.members[$0], over: points)
    }
    sentences = EffectSentences(
      ensemble, mean: relevance.mean, signed: relevance.signedMean, selection: chosen.selection,
      threshold: rule.threshold ?? 0)
  }

  /// Evenly spaced samples for what costs more.
  var fewPoints: Matrix { points.evenlySpaced(Self.mostSamples) }

  /// What an output is called: "d/dt level".
  func label(_ output: Int) -> String { ensemble.members[0].label(ofOutput: output) }

  /// Of pictures: for a page, and for a screen as narrow as a phone's.
  ///
  /// - Parameters:
  ///   - id: of the figure.
  ///   - caption: below it.
  ///   - draw: with as much detail as there is room for. A printed page has 186 mm.
  static func drawn(
    _ id: String, caption: String, _ draw: (Detail) -> Graph
  ) throws -> ReportDocument.Figure {
    let wide = (try? PageFit("186mm")?.fit(draw)) ?? draw(.full)
    let narrow = try? PageFit("85mm")?.fit(draw)
    return .init(
      id, caption: caption, description: "\(wide.title): \(wide.summary)",
      svg: try Renderer.render(wide, as: .svg),
      narrow: try narrow.map { try Renderer.render($0, as: .svg) }, isGraph: true)
  }
}

extension ReportDocument.Figure {
  /// A chart of categories for a page and for a phone; of few categories two have room beside each other.
  ///
  /// - Throws: `ChartProblem` where gnuplot fails.
  init(_ id: String, caption: String, description: String, _ chart: CategoryChart) async throws {
    self.init(
      id, caption: caption, description: description, svg: try await chart.svg(),
      narrow: try await chart.narrowed.svg())
    isHalf = chart.categories.count * chart.groups.count <= 9
  }
}
