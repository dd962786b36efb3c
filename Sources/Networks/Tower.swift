import LinearAlgebra

/// The rows that a minibatch and the units on it fill: ones, features, targets, units. All towers of
/// a trainer use the same, one after the other.
struct SampleTable {
  let batch: Int
  let features: Int
  let targets: Int
  let rows: Int
  let values: Region
  /// Where an activation's slope does not follow from its value.
  let slopes: Region
  let deltas: Region

  init(_ set: TrainingSet, units: Int, batch: Int, in layout: inout ArenaLayout) {
    self.batch = batch
    features = set.features.count
    targets = set.targets.count
    rows = 1 + features + targets + units
    values = layout.reserve(rows * batch)
    slopes = layout.reserve(rows * batch)
    deltas = layout.reserve(rows * batch)
  }

  var ones: Region { values.part(0, batch) }
  var loaded: Region { values.part(batch, (features + targets) * batch) }
  var firstUnitRow: Int { 1 + features + targets }

  func targets(_ first: Int, _ count: Int) -> Region {
    values.part((1 + features + first) * batch, count * batch)
  }

  func units(_ table: Region, _ first: Int, _ count: Int) -> Region {
    table.part((firstUnitRow + first) * batch, count * batch)
  }
}

/// Parameters with what an optimiser keeps for each.
struct ParameterBlock {
  let parameters: Region
  let gradient: Region
  let moment1: Region
  let moment2: Region
  /// λ of each: zero for biases.
  let strengths: Region

  init(count: Int, in layout: inout ArenaLayout) {
    parameters = layout.reserve(count)
    gradient = layout.reserve(count)
    moment1 = layout.reserve(count)
    moment2 = layout.reserve(count)
    strengths = layout.reserve(count)
  }
}

/// One network in training: where its parts lie, and how its epoch goes.
struct Tower {
  let network: Network
  let whole: ParameterBlock
  let selected: ParameterBlock
  var wiring: Wiring
  var selection: Wiring
  /// Where each unit's bias stands among the parameters; its weights follow.
  let biases: [Int]
  let target: Region
  let prediction: Region
  let outputDelta: Region
  private(set) var squaredError = 0.0
  private(set) var lastError = 0.0
  var divergence: Divergence?

  /// - Precondition: the last layer is the output and nothing reads it.
  init(
    _ network: Network, samples: SampleTable, firstTarget: Int, in layout: inout ArenaLayout,
    wiring wiringLayout: inout ArenaLayout
  ) {
    precondition(network.outputLayers == [network.layers.count - 1])
    self.network = network
    let units = network.layers.reduce(0) { $0 + $1.unitCount }
    let count = network.weightCount + units
    whole = ParameterBlock(count: count, in: &layout)
    selected = ParameterBlock(count: count, in: &layout)
    wiring = Wiring(rows: samples.rows, units: units, parameters: count, in: &wiringLayout)
    selection = Wiring(rows: samples.rows, units: units, parameters: count, in: &wiringLayout)
    biases = network.biasPlaces
    target = samples.targets(firstTarget, network.outputCount)
    let firstOutput = units - network.outputCount
    prediction = samples.units(samples.values, firstOutput, network.outputCount)
    outputDelta = samples.units(samples.deltas, firstOutput, network.outputCount)
  }

  mutating func beginEpoch() {
    squaredError = 0
    lastError = 0
  }

  mutating func note(_ error: Double, batch: Int, epoch: Int, step: Int, rate: Double) {
    if error.isFinite {
      squaredError += error
      lastError = error
    } else {
      divergence = Divergence(
        cause: .loss, epoch: epoch, step: step + 1,
        lossBefore: step == 0 ? nil : lastError / Double(batch * network.outputCount),
        learningRate: rate)
    }
  }

  /// The layers' units in order, each with what it reads.
  mutating func describe(_ samples: SampleTable, in indices: inout Arena<UInt32>) {
    let starts = network.firstUnits
    let units = network.layers.enumerated().flatMap { number, layer in
      let sources = layer.connections.flatMap { connection in
        switch connection.source {
        case .inputs: (0..<network.inputCount).map { Wiring.Source.input($0) }
        case .layer(let index):
          (0..<network.layers[index].unitCount).map { Wiring.Source.unit(starts[index] + $0) }
        }
      }
      return Array(
        repeating: Wiring.Unit(
          activation: layer.activation, isOutput: number == network.layers.count - 1,
          layer: number, sources: sources),
        count: layer.unitCount)
    }
    wiring.describe(
      units, firstUnitRow: samples.firstUnitRow, batch: samples.batch, in: &indices)
  }

  func store(
    _ network: Network, recipe: Recipe, in arena: inout Arena<Float>
  ) {
    let strength = recipe.sparsifier == .none ? 0 : Float(recipe.strength)
    var unit = 0
    for layer in network.layers {
      for row in 0..<layer.unitCount {
        var place = biases[unit]
        arena[whole.parameters, place] = Float(layer.bias[row])
        for connection in layer.connections {
          for column in 0..<connection.weight.columns {
            place += 1
            arena[whole.parameters, place] = Float(connection.weight[row, column])
            arena[whole.strengths, place] = strength
          }
        }
        unit += 1
      }
    }
  }

  /// The network with these numbers, in the order of the wiring, as its parameters.
  func network(with parameters: [Float]) -> Network {
    var result = network
    var unit = 0
    for (number, layer) in network.layers.enumerated() {
      for row in 0..<layer.unitCount {
        var place = biases[unit]
        result.layers[number].bias[row] = Double(parameters[place])
        for connection in layer.connections.indices {
          for column in 0..<layer.connections[connection].weight.columns {
            place += 1
            result.layers[number].connections[connection].weight[row, column] =
              Double(parameters[place])
          }
        }
        unit += 1
      }
    }
    return result
  }
}

extension Network {
  /// The number of each layer's first unit when all units are counted through.
  fileprivate var firstUnits: [Int] {
    var starts: [Int] = []
    var next = 0
    for layer in layers {
      starts.append(next)
      next += layer.unitCount
    }
    return starts
  }

  /// Where each unit's bias stands in the order of a wiring: later units first, each with its bias and
  /// then its weights.
  fileprivate var biasPlaces: [Int] {
    var places: [Int] = []
    var next = 0
    for layer in layers.reversed() {
      let width = layer.connections.reduce(1) { $0 + $1.weight.columns }
      for _ in 0..<layer.unitCount {
        places.append(next)
        next += width
      }
    }
    return places.reversed()
  }
}
