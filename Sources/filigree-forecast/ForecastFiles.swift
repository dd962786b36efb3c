import CommandSupport
import Dynamics
import Forecasting
import Foundation
import Interchange
import LinearAlgebra
import Reporting

extension Forecast {
  /// Mean forecasts and bands of the ensembles, and when each member diverged.
  func write(
    _ path: String, _ forecast: RollingForecast, _ outcome: [RollingForecast.GroupOutcome],
    compared: Int, _ data: Trajectories
  ) throws {
    let groups = outcome.prefix(compared)
    let length = forecast.horizons.last ?? 0
    let members = groups.map(\.members.count).max() ?? 1
    var file = GriddedFile(dimensions: [
      ("ensemble", groups.count), ("trajectory", data.samples.count), ("time", length),
      ("member", members),
    ])
    file.attributes = [
      "ensembles": groups.map(\.name).joined(separator: ", "),
      "source": "rolling forecasts by filigree-forecast",
    ]
    file.variables.append(
      .init(
        "time", dimensions: [2], values: (0..<length).map { Double($0) * data.timeStep },
        texts: ["units": "s", "long_name": "time since the start of the trajectory"]))
    let names = GriddedFile.names(of: forecast.states)
    for (index, state) in forecast.states.enumerated() {
      let parts: [(String, String, KeyPath<ForecastBand, Matrix>)] = [
        ("mean", "mean forecast of the members", \.mean),
        ("lower", "lower end of the band", \.lower), ("upper", "upper end of the band", \.upper),
      ]
      for (suffix, meaning, part) in parts {
        var values = [Double](repeating: .nan, count: groups.count * data.samples.count * length)
        var place = 0
        for group in groups {
          for trajectory in data.samples.indices {
            if let band = group.bands[trajectory]?[keyPath: part] {
              for sample in 0..<band.rows { values[place + sample] = band[sample, index] }
            }
            place += length
          }
        }
        file.variables.append(
          .init(
            "\(names[index])_\(suffix)", dimensions: [0, 1, 2], values: values,
            texts: [
              "units": state.unit, "long_name": "\(state.name): \(meaning)", "state": state.name,
            ]))
      }
    }
    file.variables.append(
      .init(
        "diverged_at", dimensions: [0, 3, 1],
        values: groups.flatMap { group in
          (0..<members).flatMap { member in
            data.samples.indices.map { trajectory -> Double in
              guard member < group.members.count else { return .nan }
              return group.members[member].divergedAt[trajectory].map { Double($0) } ?? -1
            }
          }
        },
        texts: ["long_name": "first sample at which the forecast diverged, -1 for none"]))
    try WholeFile.write(try file.bytes(path: path), to: path, force: force)
  }

  /// One trajectory: each state's truth, forecasts and bands; below, the inputs.
  func draw(
    _ path: String, _ forecast: RollingForecast, _ outcome: [RollingForecast.GroupOutcome],
    compared: Int, _ data: Trajectories
  ) async throws {
    let chosen = try chosenStates(forecast)
    let samples = data.samples[trajectory]
    let length = min(samples.rows, forecast.horizons.last ?? 0)
    let seconds = Double(length) * data.timeStep
    let (unit, divisor) = seconds > 7200 ? ("h", 3600.0) : seconds > 300 ? ("min", 60) : ("s", 1)
    let times = (0..<length).map { Double($0) * data.timeStep / divisor }
    func column(_ variable: Variable) -> Int {
      data.variables.firstIndex { $0.name == variable.name } ?? 0
    }
    func values(_ column: Int) -> [Double] { (0..<length).map { samples[$0, column] } }
    let colours = ["#2166ac", "#b2182b", "#1b7837", "#762a83"]
    let panels = chosen.map { index -> Chart.Panel in
      let state = forecast.states[index]
      var series: [Chart.Series] = []
      for (number, group) in outcome.prefix(compared).enumerated() {
        guard let band = group.bands[trajectory] else { continue }
        var area = Chart.Series(
          "", colour: colours[number % colours.count], x: times,
          y: (0..<length).map { band.lower[$0, index] })
        area.upper = (0..<length).map { band.upper[$0, index] }
        series.append(area)
      }
      series.append(Chart.Series("truth", colour: "#000000", x: times, y: values(column(state))))
      for (number, group) in outcome.prefix(compared).enumerated() {
        guard let band = group.bands[trajectory] else { continue }
        series.append(
          Chart.Series(
            group.members.count > 1 ? "\(group.name), mean and band" : group.name,
            colour: colours[number % colours.count], x: times,
            y: (0..<length).map { band.mean[$0, index] }))
      }
      return Chart.Panel(state.label, series)
    }
    let inputs = data.controls.map { control -> Chart.Panel in
      var series = Chart.Series("", colour: "#666666", x: times, y: values(column(control)))
      series.isStepped = true
      return Chart.Panel(control.label, [series], height: 0.55)
    }
    let columns = panels.count > 3 ? 2 : 1
    func share(_ panels: [Chart.Panel], _ number: Int) -> [Chart.Panel] {
      let half = (panels.count + columns - 1) / columns
      return Array(panels.dropFirst(number * half).prefix(half))
    }
    let chart = Chart(
      title: "Rolling forecast of trajectory \(trajectory)", xLabel: "time [\(unit)]",
      columns: (0..<columns).map { share(panels, $0) + share(inputs, $0) })
    try WholeFile.write(try await chart.svg(), to: path, force: force)
  }

  private func chosenStates(_ forecast: RollingForecast) throws -> [Int] {
    guard let states else { return Array(forecast.states.indices) }
    return try NameList.parse(states).map { name in
      guard let index = forecast.states.firstIndex(where: { $0.name == name }) else {
        throw ValidationError(
          "--states \(name): there is no such state; there are "
            + forecast.states.map(\.name).joined(separator: ", ") + ".")
      }
      return index
    }
  }
}
