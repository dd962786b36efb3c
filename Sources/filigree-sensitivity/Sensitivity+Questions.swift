import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The questions beside that of relevance.
extension Sensitivity {
  func printRegions(
    _ ensemble: Ensemble, _ data: Trajectories, _ path: String, by name: String
  ) async throws {
    let points = try ensemble.points(of: data, from: path)
    let found = data.variables.firstIndex { $0.name == name }
    guard let column = found else {
      throw DataMismatch("\(path) has no variable \"\(name)\"; it has \(data.variables.listed)")
    }
    let variable = data.variables[column]
    if let first = data.samples.first?[0, column],
      data.samples.allSatisfy({ matrix in matrix.column(column).allSatisfy { $0 == first } })
    {
      Console.warning("\(name) is \(first) at all samples: there is one region")
    }
    // Of the same samples: models with lags have none at the start of a trajectory.
    let values = try data.points(of: ensemble.inputs + [variable]).column(ensemble.inputs.count)
    let report = try await RegionReport(
      ensemble, over: points, by: variable, values: values, units: units, threads: run.threads)
    try printResult(
      report.tables, json: report.result, format: format.format, csv: report.longTable)
  }

  func printAttribution(
    _ measure: Attribution.Measure, _ ensemble: Ensemble, _ data: Trajectories, _ path: String
  ) async throws {
    guard units == .standardised else {
      throw ValidationError("--measure \(measure.rawValue) is in standardised units.")
    }
    let most = samples ?? Self.usualSamples
    let points = try ensemble.points(of: data, from: path).evenlySpaced(most)
    let progress = ProgressLine(
      total: ensemble.members.count, unit: "members", quiet: run.quiet)
    let steps =
      measure == .permutation
      ? try ShuffledSteps(ensemble, data, from: path, most: most, seed: seed ?? 1) : nil
    let report = try await AttributionReport(
      measure, of: ensemble, over: points, steps: steps, threads: run.threads
    ) { progress.advance() }
    progress.finish()
    if let plot {
      try await draw(report.map, to: plot)
    }
    try printResult(
      report.tables, json: report.result, format: format.format, first: report.table)
  }

  // MARK: Modes

  func printModes(_ ensemble: Ensemble, _ data: Trajectories, _ path: String) async throws {
    let points = try ensemble.points(of: data, from: path)
    let timeStep = ensemble.members[0].timeStep ?? data.timeStep
    if abs(timeStep / data.timeStep - 1) > 1e-9 {
      Console.warning(
        "\(path) has a time step of \(Float(data.timeStep)) s and \(ensemble.name) was trained on "
          + "\(Float(timeStep)) s, by which its modes are taken")
    }
    let step = max(1, points.rows / (samples ?? Self.usualSamples))
    let rows = Array(stride(from: 0, to: points.rows, by: step))
    try await printModes(
      ensemble, at: points.submatrix(rows: rows, columns: Array(0..<points.columns)),
      timeStep: timeStep, place: "linearised at \(counted(rows.count, "sample"))")
  }

  func printModes(_ ensemble: Ensemble, atPoint point: [Double]) async throws {
    guard let timeStep = ensemble.members[0].timeStep else {
      throw DataMismatch(
        "\(ensemble.name) does not say on what time step it was trained; give --data")
    }
    try await printModes(
      ensemble, at: Matrix([point]), timeStep: timeStep, place: "linearised at the point")
  }

  private func printModes(
    _ ensemble: Ensemble, at points: Matrix, timeStep: Double, place: String
  ) async throws {
    let report = try await ModesReport(
      ensemble, at: points, timeStep: timeStep, place: place, plant: try plant.map(variation.plant),
      plantName: plant ?? "", remedy: "--predicts rate or next says otherwise",
      threads: run.threads)
    try printResult(report.tables, json: report.result, format: format.format)
  }

  // MARK: Along a trajectory

  func writeJacobians(
    _ ensemble: Ensemble, _ data: Trajectories, _ source: String, to path: String
  ) throws {
    guard data.samples.count == 1 else {
      throw ValidationError(
        "--output writes the Jacobian along one trajectory, and \(source) has \(data.samples.count): say "
          + "which with --trajectory.")
    }
    let points = try ensemble.points(of: data, from: source)
    let file = try JacobianFile.along(
      points, of: ensemble, timeStep: data.timeStep, trajectory: trajectory ?? 0, units: units)
    try WholeFile.write(try file.bytes(path: path), to: path, force: force)
    run.note(
      "\(path): \(counted(ensemble.members.count, "member")) × \(points.rows) samples × "
        + "\(ensemble.outputs.count) × \(ensemble.inputs.count), \(units.words)")
  }
}
