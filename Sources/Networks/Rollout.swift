import LinearAlgebra

/// A model laid out for moving the states of many trajectories at once: x(k+1) = x(k) + Δt · rates(x(k), u(k)).
///
/// Only what reaches an output through weights other than zero is computed. States are `Double`; the network is
/// evaluated in `Float`, as ONNX runtimes do, or in `Double`.
public struct Rollout: Sendable {
  public enum Precision: String, CaseIterable, Sendable { case single, double }

  /// The memory layout of rollouts that run in turn; they share one table of values.
  public struct Layouts {
    public let lanes: Int
    public let precision: Precision
    public var numbers = ArenaLayout()
    fileprivate var networks = ArenaLayout()
    fileprivate var wiring = ArenaLayout()
    fileprivate var rows = 1

    /// - Parameters:
    ///   - lanes: trajectories, a multiple of 16.
    ///   - precision: in which networks are evaluated.
    public init(lanes: Int, precision: Precision = .single) {
      precondition(lanes % 16 == 0)
      self.lanes = lanes
      self.precision = precision
    }
  }

  public struct Arenas: ~Copyable {
    public var numbers: Arena<Double>
    fileprivate var networks: Arena<Float>
    fileprivate var wiring: Arena<UInt32>
    fileprivate let values: Region
    fileprivate let slopes: Region

    public init(_ layouts: Layouts) {
      var layouts = layouts
      let count = layouts.rows * layouts.lanes
      switch layouts.precision {
      case .single:
        values = layouts.networks.reserve(count)
        slopes = layouts.networks.reserve(count)
      case .double:
        values = layouts.numbers.reserve(count)
        slopes = values
      }
      numbers = Arena(layouts.numbers)
      networks = Arena(layouts.networks)
      wiring = Arena(layouts.wiring)
      let ones = values.part(0, layouts.lanes)
      switch layouts.precision {
      case .single: networks.fill(ones, with: 1)
      case .double: numbers.fill(ones, with: 1)
      }
    }
  }

  /// states × lanes, before the next step.
  public let state: Region
  private let precision: Precision
  private let model: Model
  private let network: WiredNetwork
  private let update: StateUpdate
  private let parameters: Region
  private let lanes: Int
  private let whole: Wiring
  private var selection: Wiring

  /// - Parameters:
  ///   - model: its outputs are the rates of its first inputs, in their order.
  ///   - timeStep: Δt in seconds.
  ///   - layouts: the room is reserved there.
  public init(_ model: Model, timeStep: Double, in layouts: inout Layouts) {
    precondition(model.outputs.count <= model.inputs.count)
    self.model = model
    lanes = layouts.lanes
    precision = layouts.precision
    network = WiredNetwork(model.network.withOutputsApart)
    let states = model.outputs.count
    let width = model.inputs.count
    let rows = 1 + width + network.biases.count
    let count = network.parameterCount
    layouts.rows = max(layouts.rows, rows)
    state = layouts.numbers.reserve(states * lanes)
    update = StateUpdate(
      states: states, controls: width - states, timeStep: timeStep,
      scaling: layouts.numbers.reserve(2 * width + 2 * states),
      outputRows: layouts.wiring.reserve(states))
    parameters =
      precision == .single ? layouts.networks.reserve(count) : layouts.numbers.reserve(count)
    whole = Wiring(
      rows: rows, units: network.biases.count, parameters: count, in: &layouts.wiring)
    selection = Wiring(
      rows: rows, units: network.biases.count, parameters: count, in: &layouts.wiring)
  }

  /// Writes the model and the initial states, one list per lane, into the arenas that were made from the layouts.
  public mutating func load(states: [[Double]], into arenas: inout Arenas) {
    let firstUnitRow = 1 + model.inputs.count
    var wiring = whole
    wiring.describe(
      network.units, firstUnitRow: firstUnitRow, batch: lanes, in: &arenas.wiring)
    var maskLayout = ArenaLayout()
    let mask = maskLayout.reserve(network.parameterCount)
    var masks = Arena<Float>(maskLayout)
    let all = network.parameters
    masks[mask] = all.map { $0.isWeight && $0.value == 0 ? 0 : 1 }
    selection.select(from: wiring, parameters: mask, masks, in: &arenas.wiring)
    let home = arenas.wiring[selection.home].prefix(selection.parameterCount)
    for (index, place) in home.enumerated() {
      let value = all[Int(place)].value
      switch precision {
      case .single: arenas.networks[parameters, index] = Float(value)
      case .double: arenas.numbers[parameters, index] = value
      }
    }
    let (inputs, outputs) = (model.inputScaling, model.outputScaling)
    arenas.numbers[update.scaling] =
      inputs.mean + inputs.deviation + outputs.mean + outputs.deviation
    for (output, unit) in network.outputUnits.enumerated() {
      arenas.wiring[update.outputRows, output] = UInt32((firstUnitRow + unit) * lanes)
    }
    for (lane, values) in states.enumerated() {
      for (index, value) in values.enumerated() {
        arenas.numbers[state, index * lanes + lane] = value
      }
    }
  }

  /// Moves the states by `steps` samples and writes their values; see `Kernels.roll`.
  public func roll(
    _ arenas: borrowing Arenas, steps: Int, controls: Region, forecast: Region,
    kernels: Kernels = .active
  ) {
    switch precision {
    case .single:
      kernels.roll(
        arenas.numbers, networks: arenas.networks, arenas.wiring, selection, update,
        batch: lanes, steps: steps, parameters: parameters, controls: controls, state: state,
        forecast: forecast, values: arenas.values, slopes: arenas.slopes)
    case .double:
      kernels.roll(
        arenas.numbers, arenas.wiring, selection, update, batch: lanes, steps: steps,
        parameters: parameters, controls: controls, state: state, forecast: forecast,
        values: arenas.values)
    }
  }
}
