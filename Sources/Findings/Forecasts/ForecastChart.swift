import Dynamics
import Forecasting
import LinearAlgebra
import Reporting

extension Chart {
  /// One trajectory: each state's truth, forecasts and bands; below, the inputs.
  ///
  /// - Parameters:
  ///   - forecast: that was run.
  ///   - outcome: of its groups, with the bands of the trajectory.
  ///   - compared: how many of the first groups are ensembles.
  ///   - data: that was forecast.
  ///   - trajectory: its number, counted from 0.
  ///   - states: numbers of those that are drawn.
  public init(
    _ forecast: RollingForecast, _ outcome: [RollingForecast.GroupOutcome], compared: Int,
    _ data: Trajectories, trajectory: Int, states: [Int]
  ) {
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
    let panels = states.map { index -> Chart.Panel in
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
    self.init(
      title: "Rolling forecast of trajectory \(trajectory)", xLabel: "time [\(unit)]",
      columns: (0..<columns).map { share(panels, $0) + share(inputs, $0) })
  }
}
