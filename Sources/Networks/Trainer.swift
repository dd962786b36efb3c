import Dynamics
import LinearAlgebra

/// One epoch of one training problem.
public struct EpochRecord: Equatable, Sendable {
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

/// Trains one network (a shared trunk or one tower) by Adam on minibatches.
///
/// Everything lives in one arena, feature-major with the batch along the vector; the data are read in
/// place. The result depends on network, data, recipe and stream only.
package struct Trainer: ~Copyable {
  private let network: Network
  private let recipe: Recipe
  private let set: TrainingSet
  /// Which of the set's targets this network predicts, from `firstTarget` on.
  private let firstTarget: Int
  private let kernels: Kernels
  private let batch: Int
  private let paddedBatch: Int
  private let plan: Plan
  private var arena: Arena
  private var stream: RandomStream
  private var order: [UInt32]
  private var stepNumber = 0

  package init(
    network: Network, recipe: Recipe, set: TrainingSet, firstTarget: Int, stream: RandomStream,
    kernels: Kernels = .active
  ) {
    self.network = network
    self.recipe = recipe
    self.set = set
    self.firstTarget = firstTarget
    self.stream = stream
    self.kernels = kernels
    batch = min(recipe.batch, set.rows)
    paddedBatch = (batch + 15) / 16 * 16
    plan = Plan(network, batch: paddedBatch)
    arena = Arena(plan.layout)
    order = (0..<UInt32(set.rows)).map { $0 }
    plan.store(network, in: &arena)
  }

  private var stepsPerEpoch: Int { self.set.rows / batch }

  /// One pass over the data in a fresh random order; a rest smaller than a batch is left for another
  /// epoch's order to bring in.
  package mutating func runEpoch(_ epoch: Int, validation: TrainingSet?) -> EpochRecord {
    stream.shuffle(&order)
    var squaredError = 0.0
    var rate = recipe.learningRate
    let totalSteps = Double(recipe.epochs * stepsPerEpoch)
    for step in 0..<stepsPerEpoch {
      rate = recipe.schedule.rate(
        initial: recipe.learningRate, final: recipe.finalLearningRate,
        progress: Double(stepNumber) / totalSteps)
      load(set, rows: order[(step * batch)..<((step + 1) * batch)])
      squaredError += computeGradient()
      stepNumber += 1
      applyGradient(
        AdamStep(
          learningRate: rate, number: stepNumber, strength: recipe.strength,
          penalty: recipe.sparsifier.penalty))
    }
    let weights = arena[plan.weights]
    let magnitude = weights.reduce(0.0) { $0 + Double(abs($1)) }
    return EpochRecord(
      epoch: epoch, learningRate: rate,
      trainingLoss: squaredError / Double(stepsPerEpoch * batch * network.outputCount),
      penalty: recipe.sparsifier == .none ? 0 : recipe.strength * magnitude,
      validationLoss: validation.map { meanSquaredError($0) },
      survivingWeights: weights.count { $0 != 0 })
  }

  /// The network as it stands.
  package var result: Network { plan.load(network, from: arena) }

  /// Loss and gradient over the given rows, for tests.
  package mutating func gradient(rows: [UInt32]) -> (loss: Double, network: Network) {
    load(set, rows: rows[...])
    let loss = computeGradient() / Double(rows.count * network.outputCount)
    return (loss, plan.loadGradient(network, from: arena))
  }

  private mutating func load(_ set: TrainingSet, rows: ArraySlice<UInt32>) {
    kernels.gather(
      arena, features: network.inputCount, stride: set.features.count, batch: paddedBatch,
      source: set.inputs, rows: rows, destination: plan.input)
    kernels.gather(
      arena, features: network.outputCount, from: firstTarget, stride: set.targets.count,
      batch: paddedBatch, source: set.outputs, rows: rows, destination: plan.target)
  }

  private mutating func forward() {
    for (layer, planned) in zip(network.layers, plan.layers) {
      for (index, connection) in planned.connections.enumerated() {
        kernels.affine(
          arena, outputs: layer.unitCount, inputs: connection.width, batch: paddedBatch,
          weight: connection.weight, x: connection.source,
          bias: index == 0 ? planned.bias : nil, z: planned.value)
      }
      if layer.activation != .identity {
        kernels.activate(
          arena, layer.activation, z: planned.value, value: planned.value, slope: planned.slope)
      }
    }
  }

  /// Gradient of the mean squared error over the loaded batch; returns Σ error².
  private mutating func computeGradient() -> Double {
    forward()
    for planned in plan.layers { arena.clear(planned.delta) }
    let squaredError = computeOutputDelta(
      rows: batch, factor: 2 / Double(batch * network.outputCount))
    for (layer, planned) in zip(network.layers, plan.layers).reversed() {
      if layer.activation != .identity {
        kernels.multiply(arena, planned.delta, by: planned.slope)
      }
      kernels.biasGradient(
        arena, outputs: layer.unitCount, batch: paddedBatch, delta: planned.delta,
        gradient: planned.biasGradient)
      for connection in planned.connections {
        kernels.weightGradient(
          arena, outputs: layer.unitCount, inputs: connection.width, batch: paddedBatch,
          delta: planned.delta, x: connection.source, gradient: connection.gradient)
        guard let sourceDelta = connection.sourceDelta else { continue }
        kernels.propagate(
          arena, outputs: layer.unitCount, inputs: connection.width, batch: paddedBatch,
          weight: connection.weight, delta: planned.delta, g: sourceDelta)
      }
    }
    return squaredError
  }

  private mutating func computeOutputDelta(rows: Int, factor: Double) -> Double {
    let planned = plan.layers[network.outputLayers[0]]
    if rows < paddedBatch {
      // The padding predicts what it is compared with.
      for unit in 0..<network.outputCount {
        for lane in rows..<paddedBatch {
          let index = unit * paddedBatch + lane
          arena[plan.target, index] = arena[planned.value, index]
        }
      }
    }
    return kernels.residual(
      arena, prediction: planned.value, target: plan.target, factor: factor, delta: planned.delta)
  }

  private mutating func applyGradient(_ step: AdamStep) {
    kernels.adam(
      arena, step, parameters: plan.weights, gradient: plan.weightGradients,
      moment1: plan.weightMoments.0, moment2: plan.weightMoments.1)
    var free = step
    free.penalty = .none
    kernels.adam(
      arena, free, parameters: plan.biases, gradient: plan.biasGradients,
      moment1: plan.biasMoments.0, moment2: plan.biasMoments.1)
  }

  private mutating func meanSquaredError(_ other: TrainingSet) -> Double {
    var sum = 0.0
    var first = 0
    while first < other.rows {
      let rows = first..<min(other.rows, first + batch)
      load(other, rows: rows.map { UInt32($0) }[...])
      forward()
      sum += computeOutputDelta(rows: rows.count, factor: 0)
      first = rows.upperBound
    }
    return sum / Double(other.rows * network.outputCount)
  }
}

/// Where everything lies in the arena.
private struct Plan {
  struct Connection {
    var source: Region
    var sourceDelta: Region?
    var width: Int
    var weight: Region
    var gradient: Region
  }

  struct Layer {
    var bias: Region
    var biasGradient: Region
    var value: Region
    var slope: Region
    var delta: Region
    var connections: [Connection]
  }

  let layout: ArenaLayout
  let input: Region
  let target: Region
  let weights: Region
  let weightGradients: Region
  let weightMoments: (Region, Region)
  let biases: Region
  let biasGradients: Region
  let biasMoments: (Region, Region)
  let layers: [Layer]

  init(_ network: Network, batch: Int) {
    var layout = ArenaLayout()
    let input = layout.reserve(network.inputCount * batch)
    target = layout.reserve(network.outputCount * batch)
    let weights = layout.reserve(network.weightCount)
    let weightGradients = layout.reserve(network.weightCount)
    weightMoments = (layout.reserve(network.weightCount), layout.reserve(network.weightCount))
    let biasCount = network.layers.reduce(0) { $0 + $1.unitCount }
    let biases = layout.reserve(biasCount)
    let biasGradients = layout.reserve(biasCount)
    biasMoments = (layout.reserve(biasCount), layout.reserve(biasCount))

    var layers: [Layer] = []
    var weightOffset = 0
    var biasOffset = 0
    for layer in network.layers {
      let connections = layer.connections.map { connection in
        let count = connection.weight.elements.count
        defer { weightOffset += count }
        let (source, delta): (Region, Region?) =
          switch connection.source {
          case .inputs: (input, nil)
          case .layer(let index): (layers[index].value, layers[index].delta)
          }
        return Connection(
          source: source, sourceDelta: delta, width: connection.weight.columns,
          weight: weights.part(weightOffset, count),
          gradient: weightGradients.part(weightOffset, count))
      }
      let size = layer.unitCount * batch
      layers.append(
        Layer(
          bias: biases.part(biasOffset, layer.unitCount),
          biasGradient: biasGradients.part(biasOffset, layer.unitCount),
          value: layout.reserve(size), slope: layout.reserve(size), delta: layout.reserve(size),
          connections: connections))
      biasOffset += layer.unitCount
    }
    self.layers = layers
    self.layout = layout
    self.input = input
    self.weights = weights
    self.weightGradients = weightGradients
    self.biases = biases
    self.biasGradients = biasGradients
  }

  func store(_ network: Network, in arena: inout Arena) {
    for (layer, planned) in zip(network.layers, layers) {
      arena[planned.bias] = layer.bias.map { Float($0) }
      for (connection, place) in zip(layer.connections, planned.connections) {
        arena[place.weight] = connection.weight.elements.map { Float($0) }
      }
    }
  }

  func load(_ shape: Network, from arena: borrowing Arena) -> Network {
    fill(shape, from: arena, weight: \.weight, bias: \.bias)
  }

  func loadGradient(_ shape: Network, from arena: borrowing Arena) -> Network {
    fill(shape, from: arena, weight: \.gradient, bias: \.biasGradient)
  }

  private func fill(
    _ shape: Network, from arena: borrowing Arena, weight: KeyPath<Connection, Region>,
    bias: KeyPath<Layer, Region>
  ) -> Network {
    var network = shape
    for (index, planned) in layers.enumerated() {
      network.layers[index].bias = arena[planned[keyPath: bias]].map { Double($0) }
      for (number, place) in planned.connections.enumerated() {
        network.layers[index].connections[number].weight.elements =
          arena[place[keyPath: weight]].map { Double($0) }
      }
    }
    return network
  }
}
