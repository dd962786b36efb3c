import CommandSupport
import Dynamics
import Findings
import Forecasting
import Foundation
import Interchange
import Networks
import Reporting

extension Forecast {
  func forecast() async throws {
    for path in [output, plot].compactMap({ $0 }) {
      let inputs = [data] + [training].compactMap { $0 } + ensembles
      if let same = inputs.first(where: { WholeFile.areSame($0, path) }) {
        throw ValidationError("\(path): that is \(same), which is read; choose another name.")
      }
      try WholeFile.checkWritable(path, force: force)
    }
    var ensembles = try loadEnsembles()
    let (recorded, trainingData) = try readData(ensembles)
    let data = try withRoles(of: ensembles, recorded)
    for index in ensembles.indices {
      ensembles[index].members = ensembles[index].members.map { model in
        model.asRates(timeStep: model.timeStep ?? data.timeStep) ?? model
      }
    }
    let plain = ForecastReferences.plainInputs(of: ensembles, data)
    let groups = try ForecastReferences.groups(
      ensembles, inputs: plain, training: trainingData, from: self.training ?? self.data, arx: arx,
      plant: try plant.map(variation.plant))
    let forecast = try prepare(groups, ensembles[0], plain, data, trainingData)
    let clock = ContinuousClock()
    let began = clock.now
    let progress = ProgressLine(
      total: data.samples.count, unit: "trajectories", quiet: run.quiet)
    let wanted: Set<Int> =
      output != nil ? Set(data.samples.indices) : plot != nil ? [trajectory] : []
    let outcome = try await forecast.run(threads: run.threads, keepingBandsOf: wanted) { count in
      for _ in 0..<count { progress.advance() }
    }
    progress.finish()
    let seconds = ProgressLine.seconds(clock.now - began)
    run.note(
      "\(groups.reduce(0) { $0 + $1.members.count }) forecasts of "
        + "\(counted(data.samples.count, "trajectory")) in \(String(format: "%.3f", seconds)) s")
    let report = ForecastReport(
      forecast, outcome, shown: try shownHorizons(data), compared: ensembles.count, data: data,
      known: 1 + (ensembles.map(\.inputs.history).max() ?? 0), byState: byState,
      byMember: byMember)
    if let output {
      let file = ForecastFile.grid(forecast, outcome, compared: ensembles.count, data)
      try WholeFile.write(try file.bytes(path: output), to: output, force: force)
    }
    if let plot {
      let chart = Chart(
        forecast, outcome, compared: ensembles.count, data, trajectory: trajectory,
        states: try chosenStates(forecast))
      let bytes = try await chart.drawn(as: try PlotFile.format(plot))
      try WholeFile.write(bytes, to: plot, force: force)
    }
    try printResult(
      format.format == .csv ? [report.longTable] : report.tables, json: report.result,
      format: format.format)
  }

  /// Those that were asked for; what goes beyond the data ends with them.
  func shownHorizons(_ data: Trajectories) throws -> [Int] {
    let longest = data.samples.map(\.rows).max() ?? 0
    return Array(Set(try parsedHorizons().map { min($0, longest) })).sorted()
  }

  private func loadEnsembles() throws -> [Ensemble] {
    var loaded = try ensembles.map {
      try Ensemble.load($0, cut: cut.cut, told: reading.description)
    }
    let names = loaded.map(\.name)
    for index in loaded.indices where names.count(where: { $0 == names[index] }) > 1 {
      loaded[index].name = ensembles[index]
    }
    for index in loaded.indices.dropFirst() {
      // The same one twice.
      if loaded[..<index].contains(where: { $0.name == loaded[index].name }) {
        loaded[index].name += " (\(index + 1))"
      }
    }
    try ForecastReferences.check(loaded, remedy: "--predicts rate or next says otherwise")
    return loaded
  }
}
