import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure

extension Sensitivity {
  func answer() async throws {
    for path in [output, plot].compactMap({ $0 }) {
      try refuseOverwriting(path, [data].compactMap { $0 }, models: [models])
      try WholeFile.checkWritable(path, force: force)
    }
    var ensemble = try Ensemble.load(models, cut: cut.cut, told: reading.description)
    guard let path = data else {
      let point = try NamedValues.point(
        self.point ?? "", option: "--point", of: ensemble.members[0])
      if stability { return try await printModes(ensemble, atPoint: point) }
      let report = PointReport(ensemble, at: point, units: units)
      return try printResult(
        report.tables, json: report.result, format: format.format, first: report.table)
    }
    var trajectories = try tables.read(path, quiet: run.quiet)
    if let trajectory { trajectories = try only(trajectory, of: trajectories, path) }
    if ensemble.members.contains(where: \.scalesNothing), units == .standardised {
      ensemble = ensemble.standardisedBy(
        try ensemble.points(of: trajectories, from: path), of: path)
    }
    if stability {
      try await printModes(ensemble, trajectories, path)
    } else if let output {
      try writeJacobians(ensemble, trajectories, path, to: output)
    } else if let by {
      try await printRegions(ensemble, trajectories, path, by: by)
    } else if let measure = measure.attribution {
      try await printAttribution(measure, ensemble, trajectories, path)
    } else {
      try await printRelevance(ensemble, trajectories, path)
    }
  }

  private func only(_ number: Int, of data: Trajectories, _ path: String) throws -> Trajectories {
    guard data.samples.indices.contains(number) else {
      throw DataMismatch(
        "\(path) has \(counted(data.samples.count, "trajectory")), numbered from 0; there is no "
          + "--trajectory \(number)")
    }
    return data.choosing([number])
  }

  private func printRelevance(_ ensemble: Ensemble, _ data: Trajectories, _ path: String)
    async throws
  {
    let points = try ensemble.points(of: data, from: path)
    let clock = ContinuousClock()
    let start = clock.now
    let relevance = try await EnsembleRelevance(ensemble, over: points, threads: run.threads)
    run.note(
      "Jacobians of \(counted(ensemble.members.count, "member")) at \(points.rows) samples in "
        + "\(String(format: "%.3f", ProgressLine.seconds(clock.now - start))) s")
    let found =
      statistics
      ? try await concurrentMap(ensemble.members.count, threads: run.threads) {
        JacobianStatistics(ensemble.members[$0], over: points)
      } : nil
    let report = RelevanceReport(ensemble, relevance, statistics: found, units: units)
    if let plot { try await draw(report.map, to: plot) }
    try printResult(
      report.tables, json: report.result, format: format.format, csv: report.statisticsTable,
      first: report.table)
  }

  func draw(_ map: HeatMap, to path: String) async throws {
    let bytes = try await map.drawn(as: try PlotFile.format(path))
    try WholeFile.write(bytes, to: path, force: force)
    run.note("\(path): \(map.values.rows) × \(map.values.columns) heat map")
  }
}
