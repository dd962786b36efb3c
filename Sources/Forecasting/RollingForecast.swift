import Dynamics
import LinearAlgebra
import Networks

/// What moves the states: a model, or a plant whose equations are known.
public enum Forecaster: Sendable {
  case model(Model)
  case plant(any Plant)
}

/// Rolling forecasts of many models over many trajectories: from the true state at the start, x̂(k+1) = x̂(k) + Δt
/// · rates(x̂(k), u(k)), with the controls of the data.
///
/// A horizon is a number of samples, the start included: 5000 samples are 4999 steps. Normalised errors are e = (x̂
/// − x)/σ_x. A forecast diverges at the first sample at which the mean of |e| over the states exceeds 3 or is NaN.
/// Results do not depend on the number of threads, nor those of a trajectory on which others are forecast.
public struct RollingForecast: Sendable {
  /// Models whose forecasts are also combined: their mean, and a band around it.
  public struct Group: Sendable {
    public var name: String
    public var members: [Forecaster]

    public init(name: String, members: [Forecaster]) {
      self.name = name
      self.members = members
    }
  }

  /// Mean over the states of |e| above which a forecast has diverged.
  public static var divergenceLimit: Double { ForecastErrors.divergenceLimit }
  /// The share of truths that a band is meant to cover.
  public static let confidence = 0.95
  /// Samples processed at a time: few enough for the second-level cache, members included.
  fileprivate static let blockLength = 32

  public let groups: [Group]
  public let states: [Variable]
  public let horizons: [Int]
  /// σ_x of each state.
  public let scale: [Double]
  public let precision: Rollout.Precision
  /// For each member of each group: how it is moved if not by the kernels.
  fileprivate let laggedRollouts: [[LaggedRollout?]]
  fileprivate let data: Trajectories
  fileprivate let stateColumns: [Int]
  fileprivate let controlColumns: [Int]

  /// - Parameters:
  ///   - groups: models that are forecast with, by ensembles.
  ///   - inputs: what models without lags read, in their order; what others read are moments of these.
  ///   - states: those whose rates they predict, the first of the inputs.
  ///   - data: true trajectories.
  ///   - horizons: ascending.
  ///   - scale: σ of each state, that errors are divided by.
  ///   - precision: in which networks are evaluated.
  /// - Throws: `DataProblem.missingVariables`.
  public init(
    groups: [Group], inputs: [Variable], states: [Variable], over data: Trajectories,
    horizons: [Int], scale: [Double], precision: Rollout.Precision = .single
  ) throws(DataProblem) {
    precondition(
      scale.count == states.count && inputs.prefix(states.count).map(\.name) == states.map(\.name))
    precondition(
      !horizons.isEmpty && horizons[0] > 0 && zip(horizons, horizons.dropFirst()).allSatisfy(<))
    let columns = inputs.map { wanted in data.variables.firstIndex { $0.name == wanted.name } }
    let missing = zip(inputs, columns).filter { $1 == nil }.map(\.0.name)
    guard missing.isEmpty else {
      throw .missingVariables(
        missing,
        extra: data.variables.map(\.name).filter { name in !inputs.contains { $0.name == name } })
    }
    var lagged: [[LaggedRollout?]] = []
    for group in groups {
      var rollouts: [LaggedRollout?] = []
      for member in group.members {
        guard case .model(let model) = member,
          model.inputs.haveLags || model.inputs.map(\.name) != inputs.map(\.name)
        else {
          rollouts.append(nil)
          continue
        }
        rollouts.append(try LaggedRollout(model, over: data))
      }
      lagged.append(rollouts)
    }
    laggedRollouts = lagged
    self.groups = groups
    self.states = states
    self.horizons = horizons
    self.scale = scale
    // The float kernels have the activations that can be trained.
    let hasOthers = groups.contains { group in
      group.members.contains { member in
        if case .model(let model) = member {
          return model.network.layers.contains { !$0.activation.isTrainable }
        }
        return false
      }
    }
    self.precision = hasOthers ? .double : precision
    self.data = data
    stateColumns = Array(columns.compactMap { $0 }.prefix(states.count))
    controlColumns = Array(columns.compactMap { $0 }.dropFirst(states.count))
  }

  /// A group's results.
  public struct GroupOutcome: Sendable {
    public var name: String
    public var members: [ForecastErrors]
    /// Of the members' mean; nil for a single member.
    public var mean: ForecastErrors?
    /// Samples × states that the band covered, and all of them: per horizon and state.
    public var covered: [[(inside: Int, all: Int)]] = []
    /// Of the trajectories that were asked for.
    public var bands: [Int: ForecastBand] = [:]

    public init(name: String, members: [ForecastErrors]) {
      self.name = name
      self.members = members
    }
  }

  /// Runs on the calling thread.
  public func run() -> [GroupOutcome] {
    let chunks = chunks(threads: 1)
    return joined(
      chunks.map { part in
        var block = ForecastBlock(self, trajectories: part, kept: [])
        return block.run()
      })
  }

  /// - Parameters:
  ///   - threads: that may work at once.
  ///   - kept: trajectories whose mean forecasts and bands are returned.
  ///   - finished: called from any thread with the number of forecasts that were finished.
  public func run(
    threads: Int, keepingBandsOf kept: Set<Int> = [],
    finished: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> [GroupOutcome] {
    let chunks = chunks(threads: threads)
    return joined(
      try await concurrentMap(chunks.count, threads: threads) { chunk in
        var block = ForecastBlock(self, trajectories: chunks[chunk], kept: kept)
        let result = block.run()
        finished(block.trajectories.count)
        return result
      })
  }

  /// 16 trajectories to a vector; with four vectors the table of values stays in the first-level cache.
  private func chunks(threads: Int) -> [Range<Int>] {
    let count = data.samples.count
    let vectors = (count + 15) / 16
    let chunks = max((vectors + 3) / 4, min(threads, vectors))
    func first(_ chunk: Int) -> Int { min(count, 16 * (vectors * chunk / chunks)) }
    return (0..<chunks).map { first($0)..<first($0 + 1) }
  }

  private func joined(_ parts: [[GroupOutcome]]) -> [GroupOutcome] {
    groups.indices.map { group in
      parts.dropFirst().reduce(parts[0][group]) { $0.joined(with: $1[group]) }
    }
  }
}

extension RollingForecast.GroupOutcome {
  /// This group with the results for further trajectories.
  func joined(with other: Self) -> Self {
    var result = self
    result.members = zip(members, other.members).map { $0.joined(with: $1) }
    if let mean, let more = other.mean { result.mean = mean.joined(with: more) }
    result.covered = zip(covered, other.covered).map { a, b in
      zip(a, b).map { (inside: $0.inside + $1.inside, all: $0.all + $1.all) }
    }
    result.bands = bands.merging(other.bands) { $1 }
    return result
  }
}

/// An ensemble's forecast of one trajectory: mean, and mean ± t s √(1 + 1/n) with the standard deviation s and
/// Student's t of the n members that have not diverged by then; NaN for fewer than two.
public struct ForecastBand: Equatable, Sendable {
  /// samples × states, in physical units
  public var mean: Matrix
  public var lower: Matrix
  public var upper: Matrix
}

// MARK: - One chunk of trajectories

/// Processes time in blocks of samples, and within a block all members: data and pooled forecasts are fetched once
/// for all of them.
private struct ForecastBlock: ~Copyable {
  let trajectories: Range<Int>
  private let forecast: RollingForecast
  private let kept: Set<Int>
  private let lanes: Int
  private let steps = RollingForecast.blockLength
  private let kernels = Kernels.active
  private var arenas: Rollout.Arenas
  private let table: Tables
  private var groups: [GroupState]

  private struct Tables {
    let controls, truth, forecast, count, mean, square, scale, reach: Region
  }

  /// Sums over the samples so far.
  private struct Sums {
    let absolute, squared, divergedAt: Region
    var errors: ForecastErrors
  }

  private struct GroupState {
    var members: [(mover: Mover, sums: Sums)]
    /// Of the members' mean, where it is asked for.
    var mean: Sums?
    /// states × lanes: samples that the band covers.
    let inside: Region
    /// Samples in which there is a band.
    var bandSamples = 0
    var outcome: RollingForecast.GroupOutcome
  }

  private enum Mover {
    case rollout(Rollout)
    /// With the states of all lanes.
    case plant(any Plant, [[Double]])
    case lagged(LaggedRollout)
  }

  init(_ forecast: RollingForecast, trajectories: Range<Int>, kept: Set<Int>) {
    self.forecast = forecast
    self.trajectories = trajectories
    self.kept = kept
    lanes = max(16, (trajectories.count + 15) / 16 * 16)
    var layouts = Rollout.Layouts(lanes: lanes, precision: forecast.precision)
    let (states, lanes) = (forecast.states.count, lanes)
    func sums() -> Sums {
      Sums(
        absolute: layouts.numbers.reserve(states * lanes),
        squared: layouts.numbers.reserve(states * lanes),
        divergedAt: layouts.numbers.reserve(lanes), errors: forecast.emptyErrors(trajectories))
    }
    groups = []
    for (number, group) in forecast.groups.enumerated() {
      var members: [(mover: Mover, sums: Sums)] = []
      for (place, member) in group.members.enumerated() {
        let mover: Mover =
          switch (member, forecast.laggedRollouts[number][place]) {
          case (_, let lagged?): .lagged(lagged)
          case (.model(let model), nil):
            .rollout(Rollout(model, timeStep: forecast.data.timeStep, in: &layouts))
          case (.plant(let plant), nil): .plant(plant, [])
          }
        members.append((mover, sums()))
      }
      groups.append(
        GroupState(
          members: members, mean: members.count > 1 || !kept.isEmpty ? sums() : nil,
          inside: layouts.numbers.reserve(states * lanes),
          outcome: RollingForecast.GroupOutcome(name: group.name, members: [])))
    }
    let size = steps * states * lanes
    let mostMembers = forecast.groups.map(\.members.count).max() ?? 0
    table = Tables(
      controls: layouts.numbers.reserve(steps * forecast.controlColumns.count * lanes),
      truth: layouts.numbers.reserve(size), forecast: layouts.numbers.reserve(size),
      count: layouts.numbers.reserve(steps * lanes), mean: layouts.numbers.reserve(size),
      square: layouts.numbers.reserve(size), scale: layouts.numbers.reserve(states),
      reach: layouts.numbers.reserve(mostMembers + 1))
    arenas = Rollout.Arenas(layouts)
    start()
  }

  private mutating func start() {
    arenas.numbers[table.scale] = forecast.scale
    arenas.numbers[table.reach] = (0..<table.reach.count).map { forecast.bandReach($0) }
    let initial = (0..<lanes).map { initialState($0) }
    for group in groups.indices {
      for member in groups[group].members.indices {
        switch groups[group].members[member].mover {
        case .rollout(var rollout):
          rollout.load(states: initial, into: &arenas)
          groups[group].members[member].mover = .rollout(rollout)
        case .plant(let plant, _):
          groups[group].members[member].mover = .plant(plant, initial)
        case .lagged(var lagged):
          lagged.load(trajectories.map { forecast.data.samples[$0] })
          groups[group].members[member].mover = .lagged(lagged)
        }
        arenas.numbers.fill(groups[group].members[member].sums.divergedAt, with: .infinity)
      }
      if let mean = groups[group].mean { arenas.numbers.fill(mean.divergedAt, with: .infinity) }
    }
  }

  /// Lanes after the last trajectory repeat it.
  private func trajectory(_ lane: Int) -> Int {
    min(trajectories.lowerBound + lane, trajectories.upperBound - 1)
  }

  private func samples(_ lane: Int) -> Matrix { forecast.data.samples[trajectory(lane)] }

  private func initialState(_ lane: Int) -> [Double] {
    let samples = samples(lane)
    return forecast.stateColumns.map { samples[0, $0] }
  }

  mutating func run() -> [RollingForecast.GroupOutcome] {
    var first = 0
    for (horizon, end) in forecast.horizons.enumerated() {
      while first < end {
        let count = min(steps, end - first)
        load(first, count)
        for group in groups.indices { advance(group, first, count) }
        first += count
      }
      for group in groups.indices { note(group, horizon) }
    }
    return groups.map { group in
      var outcome = group.outcome
      outcome.members = group.members.map(\.sums.errors)
      outcome.mean = group.members.count > 1 ? group.mean?.errors : nil
      return outcome
    }
  }

  /// The truth and the controls of `count` samples; after its end a trajectory has no truth and keeps its last
  /// controls.
  private mutating func load(_ first: Int, _ count: Int) {
    for lane in 0..<lanes {
      let samples = samples(lane)
      for step in 0..<count {
        let row = min(first + step, samples.rows - 1)
        let isOver = row < first + step
        for (index, column) in forecast.stateColumns.enumerated() {
          arenas.numbers[table.truth, (step * forecast.states.count + index) * lanes + lane] =
            isOver ? .nan : samples[row, column]
        }
        for (index, column) in forecast.controlColumns.enumerated() {
          arenas.numbers[
            table.controls, (step * forecast.controlColumns.count + index) * lanes + lane] =
            samples[row, column]
        }
      }
    }
  }

  private mutating func advance(_ group: Int, _ first: Int, _ count: Int) {
    let states = forecast.states.count
    let isPooled = groups[group].mean != nil
    if isPooled {
      for region in [table.count, table.mean, table.square] { arenas.numbers.fill(region) }
    }
    for member in groups[group].members.indices {
      let sums = groups[group].members[member].sums
      switch groups[group].members[member].mover {
      case .rollout(let rollout):
        rollout.roll(
          arenas, steps: count, controls: table.controls, forecast: table.forecast)
      case .plant(let plant, let state):
        groups[group].members[member].mover = .plant(plant, roll(plant, state, first, count))
      case .lagged(var lagged):
        roll(&lagged, first, count)
        groups[group].members[member].mover = .lagged(lagged)
      }
      score(sums, table.forecast, first, count)
      if isPooled {
        kernels.pool(
          arenas.numbers, states: states, batch: lanes, first: first, steps: count,
          forecast: table.forecast, divergedAt: sums.divergedAt, count: table.count,
          mean: table.mean, square: table.square)
      }
    }
    if let mean = groups[group].mean { finishMean(group, mean, first, count) }
  }

  private func score(_ sums: Sums, _ forecastTable: Region, _ first: Int, _ count: Int) {
    kernels.score(
      arenas.numbers, states: forecast.states.count, batch: lanes, first: first, steps: count,
      forecast: forecastTable, truth: table.truth, scale: table.scale,
      limit: RollingForecast.divergenceLimit, absolute: sums.absolute, squared: sums.squared,
      divergedAt: sums.divergedAt)
  }

  private mutating func roll(_ lagged: inout LaggedRollout, _ first: Int, _ count: Int) {
    for lane in 0..<lanes {
      // Lanes behind the last trajectory repeat it and count for nothing.
      let path =
        lane < trajectories.count
        ? lagged.roll(lane, first: first, count: count)
        : Matrix(rows: count, columns: forecast.states.count)
      for step in 0..<count {
        for index in forecast.states.indices {
          arenas.numbers[table.forecast, (step * forecast.states.count + index) * lanes + lane] =
            path[step, index]
        }
      }
    }
  }

  private mutating func roll(
    _ plant: any Plant, _ state: [[Double]], _ first: Int, _ count: Int
  ) -> [[Double]] {
    (0..<lanes).map { lane in
      guard lane < trajectories.count else { return state[lane] }
      let samples = samples(lane)
      let controls = Matrix(rows: count, columns: forecast.controlColumns.count) {
        samples[min(first + $0, samples.rows - 1), forecast.controlColumns[$1]]
      }
      var now = state[lane]
      let path = plant.roll(state: &now, controls: controls, timeStep: forecast.data.timeStep)
      for step in 0..<count {
        for index in forecast.states.indices {
          arenas.numbers[table.forecast, (step * forecast.states.count + index) * lanes + lane] =
            path[step, index]
        }
      }
      return now
    }
  }

  /// Where no member is left the mean is NaN.
  private mutating func finishMean(_ group: Int, _ mean: Sums, _ first: Int, _ count: Int) {
    let states = forecast.states.count
    for place in 0..<(count * lanes) {
      let members = arenas.numbers[table.count, place]
      let (step, lane) = (place / lanes, place % lanes)
      if members == 0 {
        for index in 0..<states {
          arenas.numbers[table.mean, (step * states + index) * lanes + lane] = .nan
        }
      }
      let isTrajectory = lane < trajectories.count && first + step < samples(lane).rows
      if members > 1 && isTrajectory { groups[group].bandSamples += 1 }
    }
    score(mean, table.mean, first, count)
    kernels.cover(
      arenas.numbers, states: states, batch: lanes, steps: count, truth: table.truth,
      count: table.count, mean: table.mean, square: table.square, reach: table.reach,
      inside: groups[group].inside)
    for lane in 0..<trajectories.count where kept.contains(trajectory(lane)) {
      keepBand(group, lane, first, min(count, samples(lane).rows - first))
    }
  }

  private mutating func keepBand(_ group: Int, _ lane: Int, _ first: Int, _ count: Int) {
    guard count > 0 else { return }
    let states = forecast.states.count
    let rows = min(samples(lane).rows, forecast.horizons.last ?? 0)
    let empty = Matrix(rows: rows, columns: states, repeating: .nan)
    // Taken out, so that it is changed in place.
    var band =
      groups[group].outcome.bands.removeValue(forKey: trajectory(lane))
      ?? ForecastBand(mean: empty, lower: empty, upper: empty)
    for step in 0..<count {
      let members = Int(arenas.numbers[table.count, step * lanes + lane])
      let reach = arenas.numbers[table.reach, members]
      for index in 0..<states {
        let place = (step * states + index) * lanes + lane
        let centre = arenas.numbers[table.mean, place]
        let half = (reach * arenas.numbers[table.square, place]).squareRoot()
        band.mean[first + step, index] = centre
        band.lower[first + step, index] = centre - half
        band.upper[first + step, index] = centre + half
      }
    }
    groups[group].outcome.bands[trajectory(lane)] = band
  }

  private func covered(_ group: Int) -> [(inside: Int, all: Int)] {
    forecast.states.indices.map { index in
      let inside = (0..<trajectories.count).reduce(0.0) {
        $0 + arenas.numbers[groups[group].inside, index * lanes + $1]
      }
      return (inside: Int(inside), all: groups[group].bandSamples)
    }
  }

  /// Takes the errors up to a horizon from the sums.
  private mutating func note(_ group: Int, _ horizon: Int) {
    for member in groups[group].members.indices {
      groups[group].members[member].sums = noted(groups[group].members[member].sums, horizon)
    }
    if let mean = groups[group].mean {
      groups[group].mean = noted(mean, horizon)
      groups[group].outcome.covered.append(covered(group))
    }
  }

  private func noted(_ sums: Sums, _ horizon: Int) -> Sums {
    var sums = sums
    for lane in 0..<trajectories.count {
      for index in forecast.states.indices {
        sums.errors.note(
          trajectory: lane, horizon: horizon, state: index,
          absolute: arenas.numbers[sums.absolute, index * lanes + lane],
          squared: arenas.numbers[sums.squared, index * lanes + lane])
      }
      let at = arenas.numbers[sums.divergedAt, lane]
      let isWithin = at < Double(sums.errors.lengths[lane])
      sums.errors.divergedAt[lane] = isWithin ? Int(at) : nil
    }
    return sums
  }
}

extension RollingForecast {
  fileprivate func emptyErrors(_ trajectories: Range<Int>) -> ForecastErrors {
    ForecastErrors(
      horizons: horizons, states: states.count, lengths: trajectories.map { data.samples[$0].rows })
  }

  /// t² (1 + 1/n)/(n − 1): a band reaches as far from the mean as the root of this times the sum of squared
  /// distances.
  fileprivate func bandReach(_ n: Int) -> Double {
    guard n > 1 else { return .nan }
    let t = studentQuantile(confidence: Self.confidence, degrees: n - 1)
    return t * t * (1 + 1 / Double(n)) / Double(n - 1)
  }
}
