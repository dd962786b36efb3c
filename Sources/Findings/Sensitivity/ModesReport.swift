import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The modes of the model, linearised along data or at a point, beside those of a plant.
public struct ModesReport {
  public struct Result: Encodable {
    struct Entry: Encodable {
      var name: String
      var samples: Int
      var modes: [Stability.Mode]
      var unstableSamples: Int
      /// At a point: λ as real and imaginary part.
      var eigenvalues: [[Double]]?
    }

    /// Δt in seconds, by which the models' modes are taken.
    var timeStep: Double
    var members: [Entry]
    var plant: Entry?
  }

  public let result: Result
  public let tables: [Table]

  /// - Parameters:
  ///   - ensemble: whose members are linearised.
  ///   - points: samples × inputs in physical units.
  ///   - timeStep: Δt in seconds.
  ///   - place: where they are linearised, in words.
  ///   - plant: whose modes are told beside; nil for none.
  ///   - plantName: as tables call it.
  ///   - remedy: how to say what the outputs are where that is not known, in words.
  ///   - threads: that may work at once.
  /// - Throws: `DataMismatch` for models that give no rates, or of another plant.
  public init(
    _ ensemble: Ensemble, at points: Matrix, timeStep: Double, place: String, plant: (any Plant)?,
    plantName: String, remedy: String, threads: Int
  ) async throws {
    let members = try await concurrentMap(ensemble.members.count, threads: threads) {
      try Self.modes(of: ensemble, $0, at: points, timeStep: timeStep, remedy: remedy)
    }
    let truth = try plant.flatMap { try Self.modes(of: $0, plantName, for: ensemble, at: points) }
    let whose = ensemble.members.count > 1 ? "median of \(members.count) members" : ensemble.name
    tables = [
      Self.modesTable(
        members, truth, "Modes of x + Δt · rates, \(place); the slowest first, \(whose)")
    ]
    func entry(_ name: String, _ found: Stability) -> Result.Entry {
      .init(
        name: name, samples: found.samples, modes: found.modes,
        unstableSamples: found.largest.count { $0 > Stability.unstableAbove },
        eigenvalues: found.samples == 1 ? found.lastSpectrum.map { [$0.real, $0.imaginary] } : nil)
    }
    result = Result(
      timeStep: timeStep, members: members.enumerated().map { entry("\($0)", $1) },
      plant: truth.map { entry(plantName, $0) })
  }

  private static func modes(
    of ensemble: Ensemble, _ member: Int, at points: Matrix, timeStep: Double, remedy: String
  ) throws -> Stability {
    guard let model = ensemble.members[member].asRates(timeStep: timeStep) else {
      throw DataMismatch(
        "\(ensemble.name): modes need rates or next states of inputs, and its outputs are taken for "
          + "values; \(remedy)")
    }
    let jacobians: [Matrix]
    do {
      jacobians =
        model.inputs.haveLags
        ? try model.companionJacobians(at: points, timeStep: timeStep)
        : try model.stateJacobians(at: points)
    } catch {
      throw DataMismatch("\(ensemble.name): the state of an output is no input: \(error)")
    }
    guard let found = Stability(jacobians, timeStep: timeStep) else {
      throw DataMismatch(
        "\(ensemble.name), member \(member): a Jacobian has no finite eigenvalues")
    }
    return found
  }

  private static func modes(
    of known: any Plant, _ plant: String, for ensemble: Ensemble, at points: Matrix
  ) throws -> Stability? {
    let variables = known.states + known.controls
    let columns = variables.compactMap { wanted in
      ensemble.inputs.firstIndex { $0.name == wanted.name }
    }
    guard columns.count == variables.count else {
      throw DataMismatch(
        "\(ensemble.name) does not model the plant \(plant), which has the variables "
          + variables.listed)
    }
    let states = known.states.count
    let jacobians = (0..<points.rows).compactMap { row -> Matrix? in
      let values = columns.map { points[row, $0] }
      let (state, controls) = (Array(values.prefix(states)), Array(values.dropFirst(states)))
      guard known.isInDomain(state: state, controls: controls) else { return nil }
      return known.incrementJacobian(state: state, controls: controls)
        .submatrix(rows: Array(0..<states), columns: Array(0..<states))
    }
    guard !jacobians.isEmpty else {
      throw DataMismatch("no sample lies where the plant \(plant) is defined")
    }
    return Stability(jacobians, timeStep: known.timeStep)
  }

  /// Time constants in seconds if all are short, otherwise in minutes.
  private static func modesTable(
    _ members: [Stability], _ truth: Stability?, _ title: String
  ) -> Table {
    func median(_ modes: [Stability.Mode], _ part: (Stability.TimeConstant) -> Double) -> Double? {
      let values = modes.compactMap(\.timeConstant).map(part).sorted()
      return values.isEmpty ? nil : values.quantile(0.5)
    }
    let ranks = members[0].modes.indices
    let slowest = ranks.compactMap { rank in median(members.map { $0.modes[rank] }, \.median) }
      .max()
    let (unit, seconds) = slowest ?? 0 < 300 ? ("s", 1.0) : ("min", 60.0)
    func cells(_ modes: [Stability.Mode]) -> [Cell] {
      let constants = [
        median(modes, \.median), median(modes, \.quantile05), median(modes, \.quantile95),
      ]
      let shares = [\Stability.Mode.integrating, \.unstable, \.oscillating].map { part in
        modes.map { $0[keyPath: part] }.mean
      }
      return constants.map { $0.map { .number($0 / seconds) } ?? .missing }
        + shares.map { .number(100 * $0) }
    }
    let names = ["τ \(unit)", "5 %", "95 %", "% int.", "% unst.", "% osc."]
    var table = Table(
      title: title, corner: "mode",
      columns: names + (truth == nil ? [] : names.map { "plant \($0)" }))
    for rank in ranks {
      var row = cells(members.map { $0.modes[rank] })
      if let truth, rank < truth.modes.count { row += cells([truth.modes[rank]]) }
      while row.count < table.columns.count { row.append(.missing) }
      table.rows.append(("\(rank + 1)", row))
    }
    table.notes = [
      "τ: time constant −Δt/ln|λ|, median and quantiles over the samples at which the mode decays; int.: "
        + "|λ − 1| < 1e-6; unst.: |λ| > 1 + 1e-4; osc.: a complex pair; shares of the samples. Modes are ranked "
        + "by |λ| at each sample."
    ]
    return table
  }
}
