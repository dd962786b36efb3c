import CommandSupport
import Dynamics
import Forecasting
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Training

@main
struct Forecast: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-forecast",
    abstract: "Rolling forecasts: how far models stay on the track, and for how long.",
    discussion: """
      Every member of every ensemble starts from the true state of every trajectory and goes on alone, \
      x(k+1) = x(k) + Δt · rates(x(k), u(k)), with the inputs of the data. Errors are divided by each \
      state's deviation in the training data. A horizon counts samples, the start included. A forecast \
      has diverged at the first sample at which the mean error of the states exceeds 3 deviations; \
      errors are averages over the pairs of member and trajectory that have not, and, for comparisons, \
      over those in which no compared ensemble has.

      For reference: persistence (nothing changes), the linear least-squares model of --training, and \
      the plant itself.

      EXAMPLES
        filigree-forecast models/sparse --data test.nc
        filigree-forecast models/dense models/sparse --data test.nc --training train.nc
        filigree-forecast models/sparse --data test.nc --horizons 500 --by-state --format markdown
        filigree-forecast models/sparse --data test.nc --plot forecast.svg --trajectory 3 --states T_bath
      """,
    version: filigreeVersion)

  @Argument(help: "Ensembles (folders) or models (.onnx).", completion: .directory)
  var ensembles: [String]

  @Option(help: "Trajectories to forecast.", completion: .file())
  var data: String

  @Option(
    help: ArgumentHelp(
      "Samples over which errors are taken, separated by commas.", valueName: "samples,…"))
  var horizons = "100,1000,2500,5000"

  @Option(help: "Data for the linear reference and for the deviations.", completion: .file())
  var training: String?

  @Option(
    help: "Also run this plant: \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant: String?

  @Option(
    help: """
      Of the networks: single, as other runtimes evaluate them, or double. States are double in any \
      case.
      """)
  var precision = Rollout.Precision.single

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With training data: also the linear model (ARX) that reads so many moments of states and inputs.",
      valueName: "order"))
  var arx: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Forecast only what lies behind this share of each trajectory; what lies before is the training data.",
      valueName: "share"))
  var split: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Begin a forecast, as long as the longest horizon, every so many samples.",
      valueName: "samples"))
  var origins: Int?

  @Flag(help: "Also the errors of each state.")
  var byState = false

  @Flag(help: "Also the errors of each member.")
  var byMember = false

  @Option(
    name: .shortAndLong, help: "Write mean forecasts and bands to this file (.nc).",
    completion: .file())
  var output: String?

  @Option(help: "Draw a trajectory's truth, forecasts and inputs (.svg).", completion: .file())
  var plot: String?

  @Option(parsing: .unconditional, help: "The trajectory to draw, from 0.")
  var trajectory = 0

  @Option(help: ArgumentHelp("The states to draw; all by default.", valueName: "names"))
  var states: String?

  @Flag(name: .shortAndLong, help: "Replace output files that are there already.")
  var force = false

  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard !ensembles.isEmpty else { throw ValidationError("Give at least one model or ensemble.") }
    _ = try parsedHorizons()
    if let plant { _ = try variation.plant(plant) }
    if let arx, !(1...200).contains(arx) {
      throw ValidationError("--arx \(arx): must be between 1 and 200.")
    }
    if arx != nil, training == nil, split == nil {
      throw ValidationError("--arx needs data to be fitted to: give --training or --split.")
    }
    if let split, !(split > 0 && split < 1) {
      throw ValidationError("--split \(split): must be between 0 and 1.")
    }
    if let origins, origins < 1 {
      throw ValidationError("--origins \(origins): must be at least 1.")
    }
    guard trajectory >= 0 else { throw ValidationError("--trajectory \(trajectory): from 0 on.") }
    if let output, WholeFile.ending(output) != "nc" {
      throw ValidationError("--output \(output): must end in .nc.")
    }
    if let plot, WholeFile.ending(plot) != "svg" {
      throw ValidationError("--plot \(plot): must end in .svg.")
    }
    if plot == nil, states != nil {
      throw ValidationError("--states chooses what --plot draws; give --plot FILE.svg as well.")
    }
  }

  private func parsedHorizons() throws -> [Int] {
    let parts = horizons.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let numbers = parts.compactMap { $0 }
    guard numbers.count == parts.count, numbers.allSatisfy({ $0 > 0 }) else {
      throw ValidationError(
        "--horizons \(horizons): must be positive whole numbers, for example 100,1000.")
    }
    return Array(Set(numbers)).sorted()
  }

  mutating func work() async throws {
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
    let plain = plainInputs(ensembles, data)
    let groups = try groups(ensembles, plain, trainingData)
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
    if let output { try write(output, forecast, outcome, compared: ensembles.count, data) }
    if let plot { try await draw(plot, forecast, outcome, compared: ensembles.count, data) }
    try printResult(
      format.format == .csv ? [report.longTable] : report.tables, json: report.result,
      format: format.format)
  }

  /// The data that are forecast, and those to which references are fitted.
  private func readData(_ ensembles: [Ensemble]) throws -> (Trajectories, Trajectories?) {
    var data = try tables.read(self.data, gaps: .inStates, quiet: run.quiet)
    var training = try training.map { try tables.read($0, gaps: .inStates, quiet: run.quiet) }
    if let split {
      let (before, behind) = data.splitInTime(split)
      data = behind
      training = training ?? before
    }
    if let origins {
      let longest = try parsedHorizons().last ?? 1
      let windows = data.windows(length: longest, every: origins)
      guard !windows.samples.isEmpty else {
        throw DataMismatch(
          "\(self.data): no trajectory has the \(longest) samples of the longest horizon; give smaller "
            + "--horizons")
      }
      data = windows
    }
    if split == nil, let training {
      let overlap = data.overlap(with: training)
      if overlap > 0.5 {
        Console.warning(
          "\(Int((100 * overlap).rounded())) % of the samples of \(self.data) are in "
            + "\(self.training ?? "the training data") too; forecasts of what was learnt say little"
        )
      }
    }
    return (data, training)
  }

  /// The data with what the models call inputs as inputs, where a table does not say.
  private func withRoles(of ensembles: [Ensemble], _ data: Trajectories) throws -> Trajectories {
    let controls = plainInputs(ensembles, data).filter { $0.role == .control }.map(\.name)
    let there = Set(data.variables.map(\.name))
    guard tables.inputs == nil, controls.allSatisfy(there.contains),
      Set(controls) != Set(data.controls.map(\.name))
    else { return data }
    return try data.declaring(controls: controls)
  }

  /// What models without lags read: states, then inputs.
  private func plainInputs(_ ensembles: [Ensemble], _ data: Trajectories) -> [Variable] {
    guard ensembles.contains(where: { $0.inputs.haveLags }) else { return ensembles[0].inputs }
    return data.sources(of: ensembles[0].inputs)
  }

  /// The linear model of any order, with that many lags of each state and input.
  private func linear(order: Int, _ training: Trajectories, _ ensembles: [Ensemble]) throws -> Model
  {
    let isEarly = ensembles.contains { $0.inputs.contains { $0.delay < 0 } }
    let moments = LagOrders.Control(delay: isEarly ? -1 : 0, count: isEarly ? order + 1 : order)
    return try Model.linear(
      training.lagged(
        LagOrders(stateLags: order - 1, controls: training.controls.map { _ in moments })))
  }

  /// The horizons that were asked for, limited by the length of the data.
  private func shownHorizons(_ data: Trajectories) throws -> [Int] {
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
    for ensemble in loaded {
      guard ensemble.members.allSatisfy({ $0.predicts != .value }) else {
        throw DataMismatch(
          "\(ensemble.name): a forecast needs rates of change or next states, and its outputs are taken for "
            + "values; --predicts rate or next says otherwise")
      }
      let inputs = ensemble.inputs.map(\.name)
      let outputs = ensemble.outputs.map(\.name)
      guard Array(inputs.prefix(outputs.count)) == outputs else {
        throw DataMismatch(
          "\(ensemble.name): a rolling forecast needs the rate of each state, in the order of the "
            + "inputs; the outputs are \(outputs.joined(separator: ", ")), the inputs "
            + inputs.joined(separator: ", "))
      }
      // Different moments of the same variables forecast the same.
      guard Set(ensemble.inputs.sources) == Set(loaded[0].inputs.sources),
        outputs == loaded[0].outputs.map(\.name),
        ensemble.inputs.haveLags || loaded[0].inputs.haveLags
          || inputs == loaded[0].inputs.map(\.name)
      else {
        throw DataMismatch(
          "\(loaded[0].name) and \(ensemble.name) have different variables, so their forecasts "
            + "cannot be compared")
      }
    }
    return loaded
  }

  private func groups(
    _ ensembles: [Ensemble], _ inputs: [Variable], _ training: Trajectories?
  ) throws -> [RollingForecast.Group] {
    let outputs = ensembles[0].outputs
    var groups = ensembles.map {
      RollingForecast.Group(name: $0.name, members: $0.members.map { .model($0) })
    }
    groups.append(
      RollingForecast.Group(
        name: "persistence", members: [.model(.persistence(inputs: inputs, outputs: outputs))]))
    if let training {
      let path = self.training ?? data
      do {
        let chosen = try training.selecting(inputs.map(\.name))
        let linear = try Model.linear(chosen)
        guard linear.outputs.map(\.name) == outputs.map(\.name) else {
          throw DataMismatch("\(path): its states are not those of \(ensembles[0].name)")
        }
        groups.append(RollingForecast.Group(name: "linear", members: [.model(linear)]))
        if let arx {
          let model = try self.linear(order: arx, chosen, ensembles)
          groups.append(RollingForecast.Group(name: "ARX \(arx)", members: [.model(model)]))
        }
      } catch let problem as DataProblem {
        throw FileProblem.badData(path: path, problem: problem)
      }
    }
    if let plant = try plant.map(variation.plant) {
      let names = (plant.states + plant.controls).map(\.name)
      guard inputs.map(\.name) == names, outputs.map(\.name) == plant.states.map(\.name) else {
        throw DataMismatch(
          "\(ensembles[0].name) does not model the plant \(plant.name), which has the variables "
            + names.joined(separator: ", "))
      }
      groups.append(RollingForecast.Group(name: "plant", members: [.plant(plant)]))
    }
    return groups
  }

  private func prepare(
    _ groups: [RollingForecast.Group], _ ensemble: Ensemble, _ inputs: [Variable],
    _ data: Trajectories, _ training: Trajectories?
  ) throws -> RollingForecast {
    if let step = ensemble.members[0].timeStep, abs(step / data.timeStep - 1) > 1e-6 {
      Console.warning(
        "\(ensemble.name) was trained on samples \(step) s apart, \(self.data) has them "
          + "\(data.timeStep) s apart; the rates are used as they are")
    }
    let longest = data.samples.map(\.rows).max() ?? 0
    var horizons = try shownHorizons(data)
    if try horizons != parsedHorizons() {
      run.note(
        "note: the trajectories have at most \(longest) samples; horizons: "
          + horizons.map(String.init).joined(separator: ", "))
    }
    if plot != nil || output != nil, horizons.last != longest { horizons.append(longest) }
    guard plot == nil || data.samples.indices.contains(trajectory) else {
      throw ValidationError(
        "--trajectory \(trajectory): \(self.data) has trajectories 0 to \(data.samples.count - 1).")
    }
    let states = ensemble.outputs.count
    do {
      let scale =
        try training.map {
          let training = try $0.selecting(inputs.map(\.name))
          return try Regression(training).standardisation().inputs.deviation
        } ?? ensemble.members[0].inputScaling.deviation
      return try RollingForecast(
        groups: groups, inputs: inputs, states: Array(inputs.prefix(states)), over: data,
        horizons: horizons,
        scale: Array(scale.prefix(states)), precision: precision)
    } catch let problem as DataProblem {
      throw FileProblem.badData(path: self.data, problem: problem)
    }
  }
}

extension Rollout.Precision: ExpressibleByArgument {}
