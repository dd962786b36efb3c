import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

/// An input's share of the outputs by measures other than mean |J|, in standardised units.
public struct AttributionReport {
  public struct Result: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var measure: Attribution.Measure
    var members: Int
    var samples: Int
    /// outputs × inputs, standardised
    var attribution: [[Double]]
    var attributionSpread: [[Double]]
    var completenessGap: Double?
    /// R² of each output on trajectories that were held out in training, where the ensemble says so.
    var explained: [Double?]?
  }

  public let result: Result
  public let tables: [Table]
  /// The first for programs.
  public let table: Table
  public let map: HeatMap

  /// - Parameters:
  ///   - measure: of the share.
  ///   - ensemble: whose members are measured.
  ///   - points: samples × inputs in physical units.
  ///   - steps: for permutation importance, which needs what the outputs should be.
  ///   - threads: that may work at once.
  ///   - progress: called after each member.
  public init(
    _ measure: Attribution.Measure, of ensemble: Ensemble, over points: Matrix,
    steps: ShuffledSteps?, threads: Int, progress: @escaping @Sendable () -> Void
  ) async throws {
    let style = JacobianTables(ensemble: ensemble, units: .standardised)
    let found = try await concurrentMap(ensemble.members.count, threads: threads) { index in
      defer { progress() }
      let model = ensemble.members[index]
      switch measure {
      case .gradientInput: return Attribution.gradientInput(model, over: points)
      case .integratedGradients: return Attribution.integratedGradients(model, over: points)
      case .permutation:
        return Attribution.permutation(
          model, over: steps?.inputs ?? points, rates: steps?.rates ?? points,
          orders: steps?.orders ?? [])
      }
    }
    let (mean, spread) = JacobianTables.meanAndSpread(found.map(\.mean))
    let gap = found.compactMap(\.completenessGap).max()
    var first = style.table(
      "\(Self.title(measure)), \(counted(found[0].samples, "sample")), standardised\(style.membersText)",
      mean)
    first.isShaded = true
    first.notes = [Self.pitfall(measure)]
    if let gap {
      first.notes.append(
        "Shares of a sample add up to what the rate differs from that at the training mean, to "
          + String(format: "%.1g.", gap))
    }
    table = first
    tables = ([first] + (found.count > 1 ? [style.spreadTable(spread)] : []))
      .saying(ensemble.explained)
    map = style.map(mean.map { max($0, 0) }, legend: measure.rawValue)
    result = Result(
      inputs: ensemble.inputs, outputs: ensemble.outputs, measure: measure,
      members: found.count, samples: found[0].samples, attribution: mean.nested,
      attributionSpread: spread.nested, completenessGap: gap,
      explained: ensemble.explained?.shares)
  }

  private static func title(_ measure: Attribution.Measure) -> String {
    switch measure {
    case .gradientInput: "Gradient × input: mean |z · J|"
    case .integratedGradients: "Integrated gradients from the training mean: mean magnitude"
    case .permutation: "Permutation importance: rise of the rates' squared error, 5 shufflings"
    }
  }

  private static func pitfall(_ measure: Attribution.Measure) -> String {
    switch measure {
    case .gradientInput:
      "Where the function bends, it is neither what a small change does nor what the whole distance did."
    case .integratedGradients:
      "The straight way from the training mean may pass states that never occur."
    case .permutation:
      "Where inputs are correlated, shuffling one makes states that never occur; negative values are chance."
    }
  }
}
