import Dynamics
import Evidence
import LinearAlgebra
import Networks

/// What follows the stochastic training, problem by problem, according to the recipe: a fit of the surviving
/// weights by Levenberg-Marquardt, elimination of inputs and of weights, and a fit to all trajectories.
public struct Refinement: Sendable {
  let recipe: Recipe
  let material: Material

  /// The rows to be fitted. During the search for structure a few suffice, ten for each parameter; the cost of an
  /// attempt is proportional to their number.
  struct Material: Sendable {
    let rows: RegressionRows
    let validation: RegressionRows?
    /// Both.
    let all: RegressionRows
    let smoothing: Smoothing
    let set: TrainingSet
    let cut: Cut
    let few: Int

    /// Which part of the data is held out.
    struct Cut: Sendable {
      var part: Int
      var parts: Int
      var fraction: Double
    }

    /// - Throws: `DataProblem` for data without a step.
    init(
      fold: Fold, cut: Cut, all: Smoothing, parameters: Int, scaledLike set: TrainingSet
    ) throws(DataProblem) {
      few = min(max(10 * parameters, 2500), 10_000)
      self.cut = cut
      let training = fold.training.smoothing
      let noise = training.typicalRateVariances
      rows = try RegressionRows(training, scaledLike: set, typicalNoise: noise, limit: few)
      validation =
        if let held = fold.held, held.smoothing.data.samples.contains(where: { $0.rows > 1 }) {
          try RegressionRows(
            held.smoothing, scaledLike: set, typicalNoise: noise, limit: 5000)
        } else {
          nil
        }
      self.all = try RegressionRows(all, scaledLike: set, typicalNoise: noise, limit: 10_000)
      smoothing = all
      self.set = set
    }

    /// The samples of a block of rows that counts as independent of the next.
    var blockLength: Int { max(20, smoothing.data.sampleCount / 60) }
  }

  /// What was done to a network.
  public struct Record: Equatable, Codable, Sendable {
    /// Mean squared errors, standardised, on the rows that were fitted last.
    public var before: Double
    public var after: Double
    /// On held-out rows, before the last fit included them.
    public var validation: Double?
    /// The inputs that were removed, in this order.
    public var removed: [Int]
    /// The number of parameters of a network that was left unchanged because it has too many.
    public var sizeBeyondLimit: Int?
  }

  /// Every attempt costs the square of the number of parameters.
  public static let largestSize = 1000

  /// - Parameters:
  ///   - network: of the targets from `firstTarget` on.
  ///   - stream: for the weights of units that are revived.
  /// - Returns: the network fitted to the surviving weights; nothing is removed yet.
  /// - Throws: `CancellationError`.
  func fit(_ network: Network, firstTarget: Int, stream: RandomStream) throws -> (
    network: Network, record: Record
  ) {
    var stream = stream
    let size = network.survivingWeightCount + network.layers.reduce(0) { $0 + $1.unitCount }
    guard size <= Self.largestSize else {
      return (network, Record(before: .nan, after: .nan, removed: [], sizeBeyondLimit: size))
    }
    let targets = firstTarget..<(firstTarget + network.outputCount)
    let rows = material.rows.targets(targets)
    // What the cut takes away must not be leaned on.
    var network = network.cut(recipe.cut)
    // What a penalty has taken out of one member may be what another member stands on.
    if recipe.isCrossFitted { network = network.withLinearPartOpen() }
    var fit = fitting(recipe.refine).fit(network, rows)
    try Task.checkCancellation()
    if recipe.refine > 0, let validation = material.validation?.targets(targets),
      let wider = UnitRevival(attempts: recipe.refine)
        .run(fit.network, rows, validation: validation, stream: &stream)
    {
      fit.network = wider
    }
    try Task.checkCancellation()
    return (fit.network, Record(before: fit.lossBefore, after: fit.loss, removed: []))
  }

  /// The rows by which inputs are judged: those that a member learns from, and those that it has not seen.
  struct Grounds: Sendable {
    var networks: [Network]
    var rows: RegressionRows
    /// Of the trajectories that it learns from, as recorded.
    var learnt: RegressionRows
    /// Of those that it holds out, as recorded.
    var held: RegressionRows
    /// Inputs of what it learns from that follow from each other; the same for all outputs.
    var collinear: [[Int]]

    /// Whether networks have been fitted to increments as recorded.
    var isWhitened: Bool { !rows.whitenings.isEmpty }

    func member(_ index: Int, targets: Range<Int>) -> PooledElimination.Member {
      PooledElimination.Member(
        network: networks[index], rows: rows.targets(targets), learnt: learnt.targets(targets),
        held: held.targets(targets), collinear: collinear)
    }
  }

  /// Smooths the states again with what the networks of a member say of their rates, and fits these to the increments
  /// as recorded of the part that it learns from, whitened; nothing where there is no noise.
  ///
  /// - Returns: nil where nothing is held out.
  /// - Throws: `CancellationError`, `DataProblem`.
  func grounds(_ networks: [Network]) throws -> Grounds? {
    var networks = networks
    var smoothing = material.smoothing
    var rows = material.rows
    if material.smoothing.rateVariances != nil {
      for _ in 0..<recipe.resmooth {
        smoothing = try Smoother(threads: 1).run(
          again: smoothing, rates: smoothing.data.samples.map { rates(networks, $0) })
        guard let (learnt, held) = try recorded(smoothing) else { return nil }
        rows = whitened(learnt, by: held, networks)
        networks = try fit(networks, rows, attempts: min(16, recipe.refine))
      }
    }
    guard let (learnt, held) = try recorded(smoothing) else { return nil }
    return Grounds(
      networks: networks, rows: rows, learnt: learnt, held: held,
      collinear: CollinearInputs.groups(learnt))
  }

  /// What a member learns from and what it holds out, increments as recorded; nil where nothing is held out.
  private func recorded(_ smoothing: Smoothing) throws(DataProblem) -> (
    learnt: RegressionRows, held: RegressionRows
  )? {
    let fold = Fold(
      smoothing, part: material.cut.part, of: material.cut.parts, fraction: material.cut.fraction)
    guard let held = fold.held else { return nil }
    return (
      try RegressionRows(
        fold.training, scaledLike: material.set, limit: 10_000, blockLength: material.blockLength),
      try RegressionRows(
        held, scaledLike: material.set, limit: 10_000, blockLength: material.blockLength)
    )
  }

  /// Rows with what makes the networks' errors on other rows independent.
  private func whitened(_ rows: RegressionRows, by others: RegressionRows, _ networks: [Network])
    -> RegressionRows
  {
    var rows = rows
    var first = 0
    rows.whitenings = networks.flatMap { network -> [Whitening] in
      let targets = first..<(first + network.outputCount)
      first = targets.upperBound
      let errors = HeldOutErrors(network, others.targets(targets), kernels: .active)
      return (0..<network.outputCount).map { output in
        Whitening(of: [(errors.plain.column(output), others.begins)])
      }
    }
    return rows
  }

  /// Networks fitted to their targets.
  func fit(_ networks: [Network], _ rows: RegressionRows, attempts: Int) throws -> [Network] {
    var first = 0
    return try networks.map { network in
      try Task.checkCancellation()
      defer { first += network.outputCount }
      return fitting(attempts)
        .fit(network, rows.targets(first..<(first + network.outputCount))).network
    }
  }

  /// Removes weights from a network whose inputs are decided, and fits it to all trajectories.
  ///
  /// - Returns: the network, its parameters rounded to `Float`, as in model files.
  /// - Throws: `CancellationError`.
  ///
  /// - Parameter grounds: what its inputs were decided on.
  func finish(_ network: Network, firstTarget: Int, record: Record, _ grounds: Grounds?) throws -> (
    network: Network, record: Record
  ) {
    guard record.sizeBeyondLimit == nil else { return (network, record) }
    var (network, record) = (network, record)
    let targets = firstTarget..<(firstTarget + network.outputCount)
    let rows = material.rows.targets(targets)
    let validation = material.validation?.targets(targets)
    if recipe.thin > 0, let validation {
      network = thinned(network, targets, rows, validation, grounds)
      try Task.checkCancellation()
    }
    record.validation = validation.map { fitting(0).fit(network, $0).loss }
    if recipe.finish > 0 && !isResmoothed {
      let fit = fitting(recipe.finish).fit(network, material.all.targets(targets))
      network = fit.network
      record.after = fit.loss
    }
    return (network.inSinglePrecision, record)
  }

  /// Without the weights that can be spared.
  private func thinned(
    _ network: Network, _ targets: Range<Int>, _ rows: RegressionRows,
    _ validation: RegressionRows, _ grounds: Grounds?
  ) -> Network {
    var elimination = WeightElimination(attempts: recipe.thin)
    if let grounds, grounds.isWhitened {
      // Where most of the error is noise, what many weights have learnt is within a hundredth of it.
      (elimination.tolerance, elimination.share) = (0.002, 0)
      let held = grounds.held.targets(targets)
      return elimination.run(
        network, whitened(grounds.learnt.targets(targets), by: held, [network]),
        validation: whitened(held, by: held, [network]))
    }
    if rows.weights != nil || fitting(0).fit(network, validation).loss > 0.01 {
      (elimination.tolerance, elimination.share) = (0.01, 0)
    }
    return elimination.run(network, rows, validation: validation)
  }

  /// Whether `resmooth` does anything, the last fit included.
  var isResmoothed: Bool {
    recipe.finish > 0 && recipe.resmooth > 0 && material.smoothing.rateVariances != nil
  }

  /// Smooths the states again with what the networks of a member say of their rates (see
  /// `Smoother.run(again:rates:)`), and fits the networks to the increments as recorded at the smoothed states,
  /// whitened (see `Whitening`), as often as the recipe says. Noise that passed for motion the first time is taken out
  /// of what the networks read, and what they learn shows what else is noise.
  ///
  /// - Parameter networks: for all targets, in their order.
  /// - Returns: the networks with parameters rounded to `Float`; unchanged where nothing had to be smoothed.
  /// - Throws: `CancellationError`, `DataProblem`.
  func resmooth(_ networks: [Network]) throws -> [Network] {
    guard isResmoothed else { return networks }
    var networks = networks
    var smoothing = material.smoothing
    for _ in 0..<recipe.resmooth {
      smoothing = try Smoother(threads: 1).run(
        again: smoothing, rates: smoothing.data.samples.map { rates(networks, $0) })
      let rows = try RegressionRows(
        Fold(smoothing, part: 0, of: 1, fraction: 0).training, scaledLike: material.set,
        limit: 20_000,
        blockLength: material.blockLength)
      networks = try fit(networks, whitened(rows, by: rows, networks), attempts: recipe.finish)
    }
    return networks.map(\.inSinglePrecision)
  }

  /// The rates that networks predict at the states of a trajectory: steps × states.
  func rates(_ networks: [Network], _ samples: Matrix) -> Matrix {
    let (inputs, outputs) = (material.set.inputScaling, material.set.outputScaling)
    var rates = Matrix(rows: samples.rows - 1, columns: outputs.count)
    guard rates.rows > 0 else { return rates }
    let rows = RegressionRows(
      inputs: Matrix(rows: rates.rows, columns: inputs.count) {
        inputs.standardise($1, samples[$0, $1])
      }, targets: rates)
    var first = 0
    for network in networks {
      let targets = first..<(first + network.outputCount)
      var problem = LeastSquares(network, rows.targets(targets))
      let predictions = problem.predictions()
      for row in 0..<rates.rows {
        for (column, target) in targets.enumerated() {
          rates[row, target] =
            outputs.mean[target] + outputs.deviation[target] * predictions[row, column]
        }
      }
      first = targets.upperBound
    }
    return rates
  }

  func fitting(_ attempts: Int) -> LevenbergMarquardt {
    LevenbergMarquardt(
      attempts: attempts, improvement: 0.02, ridge: LevenbergMarquardt.smallRidge)
  }
}

extension RegressionRows {
  /// At most `limit` samples: those in which an input lies more than five standard deviations from its mean
  /// (impulses are rare, and carry all that is known of some inputs), and evenly spaced others.
  ///
  /// - Throws: `DataProblem` for data without a step.
  init(
    _ smoothing: Smoothing, scaledLike set: TrainingSet, typicalNoise: [Double]?, limit: Int
  ) throws(DataProblem) {
    let data = smoothing.data
    let regression = try Regression(data)
    let controls = data.states.count..<regression.features.count
    let (inputScaling, outputScaling) = (set.inputScaling, set.outputScaling)
    var rare: [Int] = []
    regression.forEachRow { row, values in
      if controls.contains(where: { abs(inputScaling.standardise($0, values[$0])) > 5 }) {
        rare.append(row)
      }
    }
    let chosen = Self.chosen(of: regression.rows, first: rare, limit: limit)
    var inputs = Matrix(rows: chosen.count, columns: inputScaling.count)
    var targets = Matrix(rows: chosen.count, columns: outputScaling.count)
    var next = 0
    regression.forEachRow { row, values in
      guard next < chosen.count, chosen[next] == row else { return }
      for column in 0..<inputs.columns {
        inputs[next, column] = inputScaling.standardise(column, values[column])
      }
      for column in 0..<targets.columns {
        targets[next, column] = outputScaling.standardise(column, values[inputs.columns + column])
      }
      next += 1
    }
    var weights: Matrix?
    if let typicalNoise, let variances = smoothing.rateVariances {
      weights = Self.weights(
        variances, regression, rows: chosen, typical: typicalNoise,
        deviation: outputScaling.deviation)
    }
    self.init(inputs: inputs, targets: targets, weights: weights)
  }

  /// Stretches of neighbouring samples that count as independent of each other.
  struct Blocks {
    /// Of each trajectory, its number in the whole data, and its first sample there.
    var places: [(trajectory: Int, sample: Int)]
    /// In samples.
    var length: Int

    func numbers(_ regression: Regression, rows chosen: [Int]) -> [Int] {
      var numbers: [Int] = []
      regression.forEachStep { row, trajectory, sample in
        guard numbers.count < chosen.count, chosen[numbers.count] == row else { return }
        let place = places[trajectory]
        numbers.append(place.trajectory << 32 + (place.sample + sample) / length)
      }
      return numbers
    }
  }

  /// w = min(1, 2c/(c + ν)) with ν a rate's variance in units of σ_y² and c = 1e-3 + its median: half of the rows
  /// count fully, those known much less precisely hardly.
  private static func weights(
    _ variances: [Matrix], _ regression: Regression, rows chosen: [Int], typical: [Double],
    deviation: [Double]
  ) -> Matrix {
    var weights = Matrix(rows: chosen.count, columns: typical.count)
    var next = 0
    regression.forEachStep { row, trajectory, sample in
      guard next < chosen.count, chosen[next] == row else { return }
      for column in typical.indices {
        let square = deviation[column] * deviation[column]
        let common = 1e-3 + typical[column] / square
        weights[next, column] = min(
          1, 2 * common / (common + variances[trajectory][sample, column] / square))
      }
      next += 1
    }
    return weights
  }

  /// All of `count` if they are few; otherwise `first` (thinned to half of the limit), then others at
  /// even distances, in order.
  static func chosen(of count: Int, first: [Int], limit: Int) -> [Int] {
    guard count > limit else { return Array(0..<count) }
    func thinned(_ rows: [Int], _ most: Int) -> [Int] {
      rows.count <= most ? rows : (0..<most).map { rows[$0 * rows.count / most] }
    }
    let kept = thinned(first, limit / 2)
    let isKept = Set(kept)
    let wanted = limit - kept.count
    let others = count - kept.count
    // The k-th of the others is wanted where k · wanted/others passes a whole number.
    var chosen: [Int] = []
    var place = 0
    for row in 0..<count {
      if isKept.contains(row) {
        chosen.append(row)
      } else {
        if place * wanted % others < wanted { chosen.append(row) }
        place += 1
      }
    }
    return chosen
  }
}

extension Smoothing {
  /// The median over the rows of each rate's variance, in physical units.
  var typicalRateVariances: [Double]? {
    guard let rateVariances, let first = rateVariances.first else { return nil }
    let step = max(1, data.sampleCount / 20_000)
    return (0..<first.columns).map { state in
      rateVariances.flatMap { matrix in
        stride(from: 0, to: matrix.rows - 1, by: step).map { matrix[$0, state] }
      }.median
    }
  }
}
