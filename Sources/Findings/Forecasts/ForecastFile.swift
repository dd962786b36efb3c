import Dynamics
import Forecasting
import Interchange
import LinearAlgebra

/// Mean forecasts and bands of ensembles, and when each member diverged, as a NetCDF file.
public enum ForecastFile {
  /// - Parameters:
  ///   - forecast: that was run.
  ///   - outcome: of its groups, with the bands of all trajectories.
  ///   - compared: how many of the first groups are ensembles.
  ///   - data: that was forecast.
  public static func grid(
    _ forecast: RollingForecast, _ outcome: [RollingForecast.GroupOutcome], compared: Int,
    _ data: Trajectories
  ) -> GriddedFile {
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
    return file
  }
}
