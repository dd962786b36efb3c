import LinearAlgebra

/// One epoch of one training problem.
public struct EpochRecord: Equatable, Codable, Sendable {
  public var epoch: Int
  public var learningRate: Double
  /// Mean squared error over the epoch's minibatches and the problem's outputs, standardised, each
  /// before the step that it led to.
  public var trainingLoss: Double
  /// λ Σ|w| at the end of the epoch.
  public var penalty: Double
  public var validationLoss: Double?
  public var survivingWeights: Int
}

/// Where and how a training left the finite numbers.
public struct Divergence: Error, Equatable, Codable, Sendable {
  public enum Cause: String, Codable, Sendable {
    /// The squared error of a minibatch is infinite or no number.
    case loss
    /// A weight is infinite or no number.
    case weights
  }

  public var cause: Cause
  public var epoch: Int
  /// The step within the epoch, from 1.
  public var step: Int
  /// Mean squared error of the minibatch before it; nil in the first step of an epoch.
  public var lossBefore: Double?
  public var learningRate: Double
}

/// Trains networks of the same inputs side by side on the same minibatches by Adam: a shared trunk, or
/// some towers of a member.
///
/// Everything lives in two arenas (numbers and wiring); samples are feature-major with the batch along
/// the vector, the data are read in place, and a minibatch is fetched once for all networks. A network
/// is trained on its *selection*: the biases of units that reach an output and the weights other than
/// zero, packed together. With a proximal sparsifier every `Recipe.revisit`-th step, the first of each
/// epoch and all of the last epoch are full ones: such a step computes the gradient of every weight, moves all of them and selects
/// anew. Between full steps weights at zero, and whatever reaches no output, stay as they are, moments
/// included; what reaches no output is then shrunk for all of the steps that it missed. `revisit` 1 is
/// ordinary proximal Adam.
///
/// The result depends on networks, data, recipe and orders only.
package struct Trainer: ~Copyable {
  /// What a tower's training continues from, in the order of the whole wiring.
  package struct State: Equatable, Sendable {
    package var parameters: [Float]
    package var moment1: [Float]
    package var moment2: [Float]
  }

  private let recipe: Recipe
  private let set: TrainingSet
  private let orders: SampleOrders
  private let kernels: Kernels
  private let epochs: Int
  private let batch: Int
  private let paddedBatch: Int
  private let samples: SampleTable
  private var towers: [Tower]
  private var arena: Arena<Float>
  private var indices: Arena<UInt32>
  private var order: [UInt32]
  private var stepsSinceFull = 0
  /// Where in the order the next minibatch stands.
  private var next = 0..<0

  /// - Parameters:
  ///   - networks: of the same shape; the first predicts the set's targets from `firstTarget` on, the
  ///     second those that follow, and so on.
  ///   - orders: in which the epochs go through the data.
  package init(
    networks: [Network], recipe: Recipe, set: TrainingSet, firstTarget: Int, orders: SampleOrders,
    kernels: Kernels = .active
  ) {
    self.recipe = recipe
    self.set = set
    self.orders = orders
    self.kernels = kernels
    epochs = recipe.epochs(rows: set.rows)
    batch = min(recipe.batch, set.rows)
    paddedBatch = (batch + 15) / 16 * 16
    var layout = ArenaLayout()
    var wiringLayout = ArenaLayout()
    let units = networks.map { $0.layers.reduce(0) { $0 + $1.unitCount } }.max() ?? 0
    let samples = SampleTable(set, units: units, batch: paddedBatch, in: &layout)
    self.samples = samples
    var target = firstTarget
    towers = networks.map { network in
      defer { target += network.outputCount }
      return Tower(
        network, samples: samples, firstTarget: target, in: &layout, wiring: &wiringLayout)
    }
    arena = Arena(layout)
    indices = Arena(wiringLayout)
    order = []
    arena.fill(samples.ones, with: 1)
    let strength = recipe.sparsifier == .none ? 0 : Float(recipe.strength)
    for tower in towers.indices {
      towers[tower].wiring.describe(
        towers[tower].wired.units, firstUnitRow: samples.firstUnitRow, batch: paddedBatch,
        in: &indices)
      let parameters = towers[tower].wired.parameters
      arena[towers[tower].whole.parameters] = parameters.map { Float($0.value) }
      arena[towers[tower].whole.strengths] = parameters.map { $0.isWeight ? strength : 0 }
    }
    for tower in towers.indices { select(tower) }
  }

  private var stepsPerEpoch: Int { self.set.rows / batch }

  /// One pass over the data in the epoch's order; a rest smaller than a batch is left for another
  /// epoch's order to bring in.
  ///
  /// - Returns: a record for each tower, or why it cannot go on. A tower that diverged is left alone
  ///   from then on.
  package mutating func runEpoch(_ epoch: Int, validation: TrainingSet?)
    -> [Result<EpochRecord, Divergence>]
  {
    orders.fill(&order, rows: self.set.rows, epoch: epoch)
    var rate = recipe.learningRate
    for tower in towers.indices { towers[tower].beginEpoch() }
    // The same whether or not the training was taken up again at this epoch.
    stepsSinceFull = 0
    for tower in towers.indices where recipe.sparsifier.selects { select(tower) }
    for step in 0..<stepsPerEpoch {
      let number = (epoch - 1) * stepsPerEpoch + step
      rate = recipe.rate(progress: Double(number) / Double(epochs * stepsPerEpoch))
      let adam = AdamStep(
        learningRate: rate, number: number + 1, penalty: recipe.sparsifier.penalty)
      load(self.set, rows: order[(step * batch)..<((step + 1) * batch)])
      next = step + 1 < stepsPerEpoch ? ((step + 1) * batch)..<((step + 2) * batch) : 0..<0
      let isFull = isFull(step: step, of: epoch)
      stepsSinceFull += 1
      for tower in towers.indices where towers[tower].divergence == nil {
        let error = isFull ? fullStep(tower, adam) : self.step(tower, adam)
        towers[tower].note(error, batch: batch, epoch: epoch, step: step, rate: rate)
      }
      if isFull { stepsSinceFull = 0 }
    }
    return towers.indices.map { tower in
      endEpoch(tower, epoch: epoch, rate: rate, validation: validation)
    }
  }

  /// The last epoch is ordinary proximal Adam, so that what survives at the end is what survives there.
  private func isFull(step: Int, of epoch: Int) -> Bool {
    recipe.sparsifier.selects && (step % recipe.revisit == 0 || epoch == epochs)
  }

  private mutating func endEpoch(
    _ index: Int, epoch: Int, rate: Double, validation: TrainingSet?
  ) -> Result<EpochRecord, Divergence> {
    putBack(index)
    let tower = towers[index]
    let parameters = arena[tower.whole.parameters]
    let magnitude = parameters.reduce(0) { $0 + Double(abs($1)) }
    if towers[index].divergence == nil && !magnitude.isFinite {
      towers[index].divergence = Divergence(
        cause: .weights, epoch: epoch, step: stepsPerEpoch,
        lossBefore: tower.lastError / Double(batch * tower.outputCount),
        learningRate: rate)
    }
    if let divergence = towers[index].divergence { return .failure(divergence) }
    let penalty = zip(parameters, arena[tower.whole.strengths]).reduce(0.0) {
      $0 + Double(abs($1.0)) * Double($1.1)
    }
    return .success(
      EpochRecord(
        epoch: epoch, learningRate: rate,
        trainingLoss: tower.squaredError
          / Double(stepsPerEpoch * batch * tower.outputCount),
        penalty: penalty, validationLoss: validation.map { meanSquaredError(index, $0) },
        survivingWeights: parameters.count { $0 != 0 }
          - tower.wired.biases.count { parameters[$0] != 0 }))
  }

  /// A tower's network as it stands after an epoch.
  package func result(_ tower: Int = 0) -> Network {
    towers[tower].wired.network(
      with: arena[towers[tower].whole.parameters].map { Double($0) }
    ).dividingInputs(by: self.set.spread)
  }

  /// - Precondition: the state has the shape of the tower.
  package subscript(state tower: Int) -> State {
    get {
      let whole = towers[tower].whole
      return State(
        parameters: arena[whole.parameters], moment1: arena[whole.moment1],
        moment2: arena[whole.moment2])
    }
    set {
      let whole = towers[tower].whole
      arena[whole.parameters] = newValue.parameters
      arena[whole.moment1] = newValue.moment1
      arena[whole.moment2] = newValue.moment2
      select(tower)
    }
  }

  /// Loss and gradient of a tower over the given rows, for tests.
  package mutating func gradient(rows: [UInt32], tower index: Int = 0) -> (
    loss: Double, network: Network
  ) {
    load(self.set, rows: rows[...])
    let squaredError = forwardAndResidual(index, rows: rows.count, onlyLive: false)
    backward(index, everyWeight: true)
    let tower = towers[index]
    return (
      squaredError / Double(rows.count * tower.outputCount),
      tower.wired.network(with: arena[tower.whole.gradient].map { Double($0) })
    )
  }
}

// MARK: - One step

extension Trainer {
  private mutating func load(
    _ set: TrainingSet, rows: ArraySlice<UInt32>
  ) {
    kernels.gather(
      arena, features: set.features.count + set.targets.count, stride: set.stride,
      batch: paddedBatch, source: set.samples, rows: rows,
      destination: samples.loaded)
  }

  /// Each tower asks for its share of the next minibatch in two parts, between its own loops.
  private func prefetch(_ tower: Int, half: Int) {
    let parts = 2 * towers.count
    let part = 2 * tower + half
    let begin = next.lowerBound + next.count * part / parts
    let end = next.lowerBound + next.count * (part + 1) / parts
    kernels.prefetch(stride: self.set.stride, source: self.set.samples, rows: order[begin..<end])
  }

  /// A step on the selection alone.
  private mutating func step(_ tower: Int, _ adam: AdamStep) -> Double {
    prefetch(tower, half: 0)
    let squaredError = forwardAndResidual(tower, rows: batch, onlyLive: true)
    prefetch(tower, half: 1)
    backward(tower, everyWeight: false)
    update(towers[tower].selected, count: towers[tower].selection.liveParameterCount, adam)
    return squaredError
  }

  /// A step on all weights, after which the selection is made anew.
  private mutating func fullStep(_ tower: Int, _ adam: AdamStep) -> Double {
    prefetch(tower, half: 0)
    let squaredError = forwardAndResidual(tower, rows: batch, onlyLive: false)
    prefetch(tower, half: 1)
    backward(tower, everyWeight: true)
    putBack(tower)
    setStrengthOfIdleWeights(tower, recipe.strength * Double(stepsSinceFull))
    update(towers[tower].whole, count: towers[tower].whole.parameters.count, adam)
    setStrengthOfIdleWeights(tower, recipe.strength)
    select(tower)
    return squaredError
  }

  /// The λ of the weights into units that reach no output.
  private mutating func setStrengthOfIdleWeights(_ index: Int, _ strength: Double) {
    guard stepsSinceFull > 1 else { return }
    let selection = towers[index].selection
    arena.replace(
      towers[index].whole.strengths, at: selection.home, of: indices,
      range: selection.liveParameterCount..<selection.parameterCount, with: Float(strength))
  }

  /// Gradient of the mean squared error with respect to the outputs; returns Σ error².
  private mutating func forwardAndResidual(_ index: Int, rows: Int, onlyLive: Bool) -> Double {
    kernels.forward(
      arena, indices, towers[index].selection, onlyLive: onlyLive, batch: paddedBatch,
      parameters: towers[index].selected.parameters, values: samples.values,
      slopes: samples.slopes)
    let prediction = towers[index].prediction
    let target = towers[index].target
    if rows < paddedBatch {
      // The padding predicts what it is compared with.
      for lane in 0..<prediction.count where lane % paddedBatch >= rows {
        arena[target, lane] = arena[prediction, lane]
      }
    }
    return kernels.residual(
      arena, prediction: prediction, target: target,
      factor: 2 / Double(batch * towers[index].outputCount),
      delta: towers[index].outputDelta)
  }

  private mutating func backward(_ index: Int, everyWeight: Bool) {
    if everyWeight { arena.fill(towers[index].whole.gradient) }
    kernels.backward(
      arena, indices, towers[index].selection,
      gradientsOf: everyWeight ? towers[index].wiring : nil, batch: paddedBatch,
      parameters: towers[index].selected.parameters, values: samples.values,
      slopes: samples.slopes, deltas: samples.deltas,
      gradient: everyWeight ? towers[index].whole.gradient : towers[index].selected.gradient)
  }

  private mutating func update(_ parameters: ParameterBlock, count: Int, _ adam: AdamStep) {
    kernels.adam(
      arena, adam, count: count, strengths: parameters.strengths,
      parameters: parameters.parameters, gradient: parameters.gradient,
      moment1: parameters.moment1, moment2: parameters.moment2)
  }

  /// Copies the selection's parameters and moments to their places in the whole.
  private mutating func putBack(_ index: Int) {
    let tower = towers[index]
    for part in [\ParameterBlock.parameters, \.moment1, \.moment2] {
      arena.distribute(
        tower.selected[keyPath: part], at: tower.selection.home, of: indices,
        count: tower.selection.liveParameterCount, into: tower.whole[keyPath: part])
    }
  }

  /// Selects the weights that are not zero (all of them without a sparsifier that makes zeros).
  private mutating func select(_ index: Int) {
    let changed = towers[index].selection.select(
      from: towers[index].wiring,
      parameters: recipe.sparsifier.selects ? towers[index].whole.parameters : nil, arena,
      in: &indices)
    collect(\.parameters, index)
    collect(\.moment1, index)
    collect(\.moment2, index)
    if changed { collect(\.strengths, index) }
  }

  private mutating func collect(_ part: KeyPath<ParameterBlock, Region>, _ index: Int) {
    arena.collect(
      towers[index].whole[keyPath: part], at: towers[index].selection.home, of: indices,
      count: towers[index].selection.parameterCount, into: towers[index].selected[keyPath: part])
  }

  private mutating func meanSquaredError(_ index: Int, _ other: TrainingSet) -> Double {
    var sum = 0.0
    var first = 0
    while first < other.rows {
      let rows = first..<min(other.rows, first + batch)
      load(other, rows: rows.map { UInt32($0) }[...])
      sum += forwardAndResidual(index, rows: rows.count, onlyLive: true)
      first = rows.upperBound
    }
    return sum / Double(other.rows * towers[index].outputCount)
  }
}

/// In which order an epoch goes through the samples: a function of seed, path and epoch, so that a
/// training can be taken up at any epoch and all towers of a member see the same minibatches.
package struct SampleOrders: Sendable {
  private let seed: UInt64?
  private let path: [UInt64]

  /// Always that of the rows, for tests.
  package static let inOrder = SampleOrders(seed: nil)

  package init(seed: UInt64?, path: [UInt64] = []) {
    self.seed = seed
    self.path = path
  }

  func fill(_ order: inout [UInt32], rows: Int, epoch: Int) {
    if order.count == rows {
      for row in order.indices { order[row] = UInt32(row) }
    } else {
      order = (0..<UInt32(rows)).map { $0 }
    }
    guard let seed else { return }
    var stream = RandomStream(seed: seed, path: path + [UInt64(epoch)])
    stream.shuffle(&order)
  }
}
