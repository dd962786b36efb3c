import LinearAlgebra
import Networks

/// Trains networks of the same inputs side by side on the same minibatches by Adam: a shared trunk, or
/// some towers of a member.
///
/// Everything is in two arenas (numbers and wiring); samples are feature-major with the batch along the vector, the
/// data are read in place, and a minibatch is fetched once for all networks. A network is trained on its
/// *selection*: the biases of units that reach an output and the weights other than zero, packed together. With a
/// proximal sparsifier every `Recipe.revisit`-th step, the first of each epoch and all of the last epoch are full
/// steps: such a step computes the gradient of every weight, moves all weights and selects anew. Between full
/// steps, weights at zero and whatever reaches no output stay unchanged, moments included; what reaches no output
/// is then shrunk for all of the steps that it missed. `revisit` 1 is ordinary proximal Adam.
///
/// Towards the end weights at zero may be frozen: there are no full steps, nothing is pulled to zero, and the
/// parameters may be averaged.
///
/// The result depends on networks, data, recipe and orders only.
package struct Trainer: ~Copyable {
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
  private var isFrozen = false
  /// Where in the order the next minibatch stands.
  private var next = 0..<0

  /// - Precondition: the networks' activations can be trained.
  /// - Parameters:
  ///   - networks: of the same shape; the first predicts the set's targets from `firstTarget` on, the
  ///     second those that follow, and so on.
  ///   - orders: in which the epochs go through the data.
  package init(
    networks: [Network], recipe: Recipe, set: TrainingSet, firstTarget: Int, orders: SampleOrders,
    kernels: Kernels = .active
  ) {
    precondition(
      networks.allSatisfy { $0.layers.allSatisfy(\.activation.isTrainable) },
      "the float kernels have no such activation")
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
    let strength = recipe.sparsifier.isL1 ? recipe.strength : 0
    let inputStrength = recipe.inputStrength ?? strength
    for tower in towers.indices {
      towers[tower].wiring.describe(
        towers[tower].wired.units, firstUnitRow: samples.firstUnitRow, batch: paddedBatch,
        in: &indices)
      let parameters = towers[tower].wired.parameters
      let reads = towers[tower].wired.factorRows(firstUnitRow: samples.firstUnitRow)
      arena[towers[tower].whole.strengths] = zip(parameters, reads).map { parameter, row in
        guard parameter.isWeight else { return 0 }
        return Float((1...set.features.count).contains(row) ? inputStrength : strength)
      }
      let pruner = recipe.sparsifier.pruner(
        towers[tower].wired,
        recipe.sparsifier.amount == .density ? recipe.density : recipe.strength)
      let drawn = parameters.map { Float($0.value) }
      arena[towers[tower].whole.parameters] = pruner?.weights(from: drawn) ?? drawn
      towers[tower].pruner = pruner
    }
    for tower in towers.indices { select(tower) }
  }

  private var stepsPerEpoch: Int { self.set.rows / batch }

  /// From this step on the zeros are frozen.
  private var firstFrozenStep: Int {
    let all = epochs * stepsPerEpoch
    return recipe.freeze > 0 ? min(Int((1 - recipe.freeze) * Double(all)), all - 1) : all
  }

  /// Whether weights at zero are left out between the full steps.
  private var leavesZerosOut: Bool {
    recipe.sparsifier.selects || isFrozen && recipe.cut > 0
  }

  /// One pass over the data in the epoch's order; a remainder smaller than a batch is left out, and another epoch's
  /// order brings it in.
  ///
  /// - Returns: a record for each tower, or why it cannot continue. A tower that diverged is not trained any
  ///   further.
  package mutating func runEpoch(_ epoch: Int, validation: TrainingSet?)
    -> [Result<EpochRecord, Divergence>]
  {
    orders.fill(&order, rows: self.set.rows, epoch: epoch)
    var rate = recipe.learningRate
    for tower in towers.indices { towers[tower].beginEpoch() }
    // The same whether or not the training was taken up again at this epoch.
    stepsSinceFull =
      epoch == 1 || recipe.sparsifier.fullSteps == .all ? 0 : (stepsPerEpoch - 1) % recipe.revisit
    isFrozen = (epoch - 1) * stepsPerEpoch >= firstFrozenStep
    for tower in towers.indices where leavesZerosOut { select(tower) }
    for step in 0..<stepsPerEpoch {
      let number = (epoch - 1) * stepsPerEpoch + step
      rate = recipe.rate(progress: Double(number) / Double(epochs * stepsPerEpoch))
      if number == firstFrozenStep { freeze() }
      let adam = AdamStep(
        learningRate: rate, number: number + 1,
        penalty: isFrozen ? .none : recipe.sparsifier.adam)
      load(self.set, rows: order[(step * batch)..<((step + 1) * batch)])
      next = step + 1 < stepsPerEpoch ? ((step + 1) * batch)..<((step + 2) * batch) : 0..<0
      let isFull = isFull(step: step, of: epoch)
      stepsSinceFull += 1
      for tower in towers.indices where towers[tower].isRunning {
        let error =
          isFull ? fullStep(tower, adam, rate: rate, number: number) : self.step(tower, adam)
        if isFrozen { average(tower, number: number) }
        towers[tower].note(error, batch: batch, epoch: epoch, step: step, rate: rate)
      }
      if isFull { stepsSinceFull = 0 }
    }
    return towers.indices.map { tower in
      endEpoch(tower, epoch: epoch, rate: rate, validation: validation)
    }
  }

  private func isFull(step: Int, of epoch: Int) -> Bool {
    guard recipe.sparsifier.selects && !isFrozen else { return false }
    switch recipe.sparsifier.fullSteps {
    case .all: return true
    case .revisits: return step % recipe.revisit == 0
    case .revisitsAndLastEpoch: return step % recipe.revisit == 0 || epoch == epochs
    }
  }

  /// Weights below the cut are removed first: the rest must not rely on them.
  private mutating func freeze() {
    isFrozen = true
    for tower in towers.indices {
      putBack(tower)
      if recipe.cut > 0 {
        let isWeight = towers[tower].wired.parameters.map(\.isWeight)
        arena[towers[tower].whole.parameters] = zip(
          arena[towers[tower].whole.parameters], isWeight
        ).map { $1 && abs($0) < Float(recipe.cut) ? 0 : $0 }
      }
      select(tower)
    }
  }

  /// Adds the parameters of every `Recipe.revisit`-th frozen step to their mean.
  private mutating func average(_ index: Int, number: Int) {
    let count = (number - firstFrozenStep) / recipe.revisit
    guard recipe.average, (number - firstFrozenStep) % recipe.revisit == 0 else { return }
    putBack(index)
    let parameters = arena[towers[index].whole.parameters]
    if count == 0 {
      towers[index].average = parameters
    } else {
      for (place, value) in parameters.enumerated() {
        towers[index].average[place] += (value - towers[index].average[place]) / Float(count + 1)
      }
    }
  }

  private mutating func endEpoch(
    _ index: Int, epoch: Int, rate: Double, validation: TrainingSet?
  ) -> Result<EpochRecord, Divergence> {
    putBack(index)
    if epoch == epochs && !towers[index].average.isEmpty {
      arena[towers[index].whole.parameters] = towers[index].average
      select(index)
    }
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
    let penalty =
      tower.pruner?.penalty(parameters)
      ?? zip(parameters, arena[tower.whole.strengths]).reduce(0.0) {
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
    result(tower, parameters: arena[towers[tower].whole.parameters])
  }

  /// A tower's network with the parameters of another epoch.
  func result(_ tower: Int, parameters: [Float]) -> Network {
    towers[tower].wired.network(with: parameters.map { Double($0) })
      .dividingInputs(by: self.set.spread)
  }

  /// Stops the training of a tower.
  mutating func stop(_ tower: Int) { towers[tower].isStopped = true }

  /// - Precondition: the state has the shape of the tower.
  package subscript(state tower: Int) -> TowerState {
    get {
      let whole = towers[tower].whole
      return TowerState(
        parameters: arena[whole.parameters], moment1: arena[whole.moment1],
        moment2: arena[whole.moment2], latent: towers[tower].pruner?.latent ?? [],
        average: towers[tower].average)
    }
    set {
      let whole = towers[tower].whole
      arena[whole.parameters] = newValue.parameters
      arena[whole.moment1] = newValue.moment1
      arena[whole.moment2] = newValue.moment2
      towers[tower].pruner?.latent = newValue.latent
      towers[tower].average = newValue.average
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

  /// Each tower prefetches its share of the next minibatch in two parts, between its own loops.
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
  private mutating func fullStep(
    _ tower: Int, _ adam: AdamStep, rate: Double, number: Int
  ) -> Double {
    prefetch(tower, half: 0)
    let squaredError = forwardAndResidual(tower, rows: batch, onlyLive: false)
    prefetch(tower, half: 1)
    backward(tower, everyWeight: true)
    putBack(tower)
    if let pruner = towers[tower].pruner {
      let step = PruningStep(
        learningRate: rate, correction1: adam.correction1, correction2: adam.correction2,
        steps: stepsSinceFull, progress: Double(number) / Double(firstFrozenStep))
      towers[tower].pruner = prune(tower, pruner, adam, step)
    } else {
      let whole = towers[tower].whole
      let strengths = arena[whole.strengths]
      scaleStrengthOfIdleWeights(tower)
      update(whole, count: whole.parameters.count, adam)
      arena[whole.strengths] = strengths
    }
    select(tower)
    return squaredError
  }

  /// Adam's step, with the pruner's actions before and after it.
  private mutating func prune(
    _ index: Int, _ pruner: any Pruner, _ adam: AdamStep, _ step: PruningStep
  ) -> any Pruner {
    var pruner = pruner
    let whole = towers[index].whole
    var weights = wholeWeights(whole)
    pruner.prepare(&weights)
    put(weights, whole)
    update(whole, count: whole.parameters.count, adam)
    weights = wholeWeights(whole)
    pruner.finish(&weights, step)
    put(weights, whole)
    return pruner
  }

  private func wholeWeights(_ whole: ParameterBlock) -> WholeWeights {
    WholeWeights(
      parameters: arena[whole.parameters], gradient: arena[whole.gradient],
      moment1: arena[whole.moment1], moment2: arena[whole.moment2])
  }

  private mutating func put(_ weights: WholeWeights, _ whole: ParameterBlock) {
    arena[whole.parameters] = weights.parameters
    arena[whole.gradient] = weights.gradient
    arena[whole.moment1] = weights.moment1
    arena[whole.moment2] = weights.moment2
  }

  /// Weights into units that reach no output are shrunk for all steps since the last full one.
  private mutating func scaleStrengthOfIdleWeights(_ index: Int) {
    let selection = towers[index].selection
    arena.scale(
      towers[index].whole.strengths, at: selection.home, of: indices,
      range: selection.liveParameterCount..<selection.parameterCount,
      by: Float(stepsSinceFull))
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
      parameters: leavesZerosOut ? towers[index].whole.parameters : nil,
      keepingZeros: recipe.keepsZeros, arena, in: &indices)
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

  /// The mean squared error of a tower's predictions of another set, standardised.
  mutating func meanSquaredError(_ index: Int, _ other: TrainingSet) -> Double {
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

/// The order in which an epoch visits the samples: a function of seed, path and epoch, so that a training can be
/// resumed at any epoch and all towers of a member see the same minibatches.
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
