import Reporting
import Training

extension Chart {
  /// The losses of a training: a panel for each output (one for a shared trunk), in which every member is a curve of its
  /// training and, where trajectories were held out, one of its error on them.
  ///
  /// - Parameters:
  ///   - histories: of all networks; those without an epoch are left out.
  ///   - names: of the states.
  public init(_ histories: [TrainingHistory], _ names: [String]) {
    let towers = Set(histories.map { $0.problem.tower ?? -1 }).sorted()
    let panels = towers.map { tower in
      let own = histories.filter { ($0.problem.tower ?? -1) == tower && !$0.epochs.isEmpty }
      var series: [Chart.Series] = []
      for (number, history) in own.enumerated() {
        let x = history.epochs.map { Double($0.epoch) }
        series.append(
          Chart.Series(
            number == 0 ? "training" : "", colour: "#0072B2", x: x,
            y: history.epochs.map(\.trainingLoss)))
        guard history.epochs.contains(where: { $0.validationLoss != nil }) else { continue }
        series.append(
          Chart.Series(
            number == 0 ? "held-out trajectories" : "", colour: "#D55E00", x: x,
            y: history.epochs.map { $0.validationLoss ?? .nan }))
      }
      var panel = Chart.Panel(names.indices.contains(tower) ? names[tower] : "all rates", series)
      panel.isLogarithmic = true
      return panel
    }
    let half = panels.count > 3 ? (panels.count + 1) / 2 : panels.count
    let columns = [Array(panels.prefix(half)), Array(panels.dropFirst(half))]
    self.init(
      title: "Losses of the training: mean squared error of the rates in deviations",
      xLabel: "epoch", columns: columns.filter { !$0.isEmpty })
  }
}
