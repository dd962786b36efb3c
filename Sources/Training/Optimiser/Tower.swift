import LinearAlgebra
import Networks

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
  let wired: WiredNetwork
  let whole: ParameterBlock
  let selected: ParameterBlock
  var wiring: Wiring
  var selection: Wiring
  let target: Region
  let prediction: Region
  let outputDelta: Region
  private(set) var squaredError = 0.0
  private(set) var lastError = 0.0
  var divergence: Divergence?
  var isStopped = false
  var isRunning: Bool { divergence == nil && !isStopped }
  /// nil where Adam's own step does all that the sparsifier does.
  var pruner: (any Pruner)?
  /// See `TowerState`.
  var average: [Float] = []

  init(
    _ network: Network, samples: SampleTable, firstTarget: Int, in layout: inout ArenaLayout,
    wiring wiringLayout: inout ArenaLayout
  ) {
    precondition(network.outputLayers == [network.layers.count - 1])
    wired = WiredNetwork(network)
    let units = wired.biases.count
    let count = wired.parameterCount
    whole = ParameterBlock(count: count, in: &layout)
    selected = ParameterBlock(count: count, in: &layout)
    wiring = Wiring(rows: samples.rows, units: units, parameters: count, in: &wiringLayout)
    selection = Wiring(rows: samples.rows, units: units, parameters: count, in: &wiringLayout)
    target = samples.targets(firstTarget, network.outputCount)
    let firstOutput = units - network.outputCount
    prediction = samples.units(samples.values, firstOutput, network.outputCount)
    outputDelta = samples.units(samples.deltas, firstOutput, network.outputCount)
  }

  var outputCount: Int { wired.network.outputCount }

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
        lossBefore: step == 0 ? nil : lastError / Double(batch * outputCount),
        learningRate: rate)
    }
  }
}
