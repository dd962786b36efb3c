import CKernels

/// How a network moves states: x(k+1) = x(k) + Δt (μ_y + σ_y · f((z − μ_z)/σ_z)), z = (x, u) at sample k.
public struct StateUpdate: Sendable {
  public let states: Int
  public let controls: Int
  public let timeStep: Double
  /// μ_z, σ_z, μ_y, σ_y, one after the other.
  public let scaling: Region
  /// Per state, in the table of indices: where the network leaves its rate.
  public let outputRows: Region

  public init(states: Int, controls: Int, timeStep: Double, scaling: Region, outputRows: Region) {
    precondition(scaling.count == 2 * (states + controls) + 2 * states)
    precondition(outputRows.count == states)
    self.states = states
    self.controls = controls
    self.timeStep = timeStep
    self.scaling = scaling
    self.outputRows = outputRows
  }
}

/// Forecasts in `Double`, a block of samples at a time, trajectories along the vector (batch a multiple
/// of 8). Tables of samples are sample-major: [sample, variable, trajectory].
extension Kernels {
  /// Writes the states at `steps` samples to `forecast` and moves `state` to the one that follows.
  ///
  /// - Parameters:
  ///   - arena: of states, controls and forecasts, and of networks that are evaluated in `Double`.
  ///   - networks: holds parameters and room for values and slopes; row 0 of the values must hold ones.
  ///     In `Float` the network is evaluated as other runtimes do, states stay `Double`.
  ///   - indices: of the wiring.
  ///   - wiring: of the network.
  ///   - update: what makes a state of the one before and the rates.
  ///   - batch: trajectories side by side.
  ///   - steps: how far.
  ///   - parameters: of the network.
  ///   - controls: steps × controls × batch.
  ///   - state: states × batch; before and after.
  ///   - forecast: steps × states × batch; after each step.
  ///   - values: room for the units.
  ///   - slopes: room for their slopes.
  public func roll(
    _ arena: borrowing Arena<Double>, networks: borrowing Arena<Float>,
    _ indices: borrowing Arena<UInt32>, _ wiring: Wiring, _ update: StateUpdate, batch: Int,
    steps: Int, parameters: Region, controls: Region, state: Region, forecast: Region,
    values: Region, slopes: Region
  ) {
    precondition(batch % 16 == 0 && parameters.count >= wiring.parameterCount)
    precondition(min(values.count, slopes.count) >= wiring.rows * batch)
    check(update, batch, steps, controls: controls, state: state, forecast: forecast)
    var native = wiring.pointers(indices)
    var description = description(of: update, arena, indices, batch: batch)
    table.pointee.roll(
      &native, &description, steps, networks.pointer(parameters), arena.pointer(controls),
      arena.pointer(state), arena.pointer(forecast), networks.pointer(values),
      networks.pointer(slopes))
  }

  /// Moves the states by a network evaluated in `Double`, all in one arena.
  public func roll(
    _ arena: borrowing Arena<Double>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    _ update: StateUpdate, batch: Int, steps: Int, parameters: Region, controls: Region,
    state: Region, forecast: Region, values: Region
  ) {
    precondition(batch % 8 == 0 && parameters.count >= wiring.parameterCount)
    precondition(values.count >= wiring.rows * batch)
    check(update, batch, steps, controls: controls, state: state, forecast: forecast)
    var native = wiring.pointers(indices)
    var description = description(of: update, arena, indices, batch: batch)
    table.pointee.roll_double(
      &native, &description, steps, arena.pointer(parameters), arena.pointer(controls),
      arena.pointer(state), arena.pointer(forecast), arena.pointer(values))
  }

  private func check(
    _ update: StateUpdate, _ batch: Int, _ steps: Int, controls: Region, state: Region,
    forecast: Region
  ) {
    precondition(controls.count >= steps * update.controls * batch)
    precondition(forecast.count >= steps * update.states * batch)
    check(state, update.states * batch)
  }

  private func description(
    of update: StateUpdate, _ arena: borrowing Arena<Double>,
    _ indices: borrowing Arena<UInt32>, batch: Int
  ) -> filigree_dynamics {
    let width = update.states + update.controls
    let scaling = arena.pointer(update.scaling)
    return filigree_dynamics(
      batch: batch, states: update.states, controls: update.controls, mean: scaling,
      deviation: scaling + width, rate_mean: scaling + 2 * width,
      rate_deviation: scaling + 2 * width + update.states,
      output_row: indices.pointer(update.outputRows), time_step: update.timeStep)
  }

  /// Adds the absolute and squared normalised errors of `steps` samples, numbered from `first` on, to
  /// their sums (states × batch), and notes in `divergedAt` (one per trajectory, infinity at the
  /// start) the first sample at which their mean over the states exceeds `limit`.
  public func score(
    _ arena: borrowing Arena<Double>, states: Int, batch: Int, first: Int, steps: Int,
    forecast: Region, truth: Region, scale: Region, limit: Double, absolute: Region,
    squared: Region, divergedAt: Region
  ) {
    precondition(batch % 8 == 0)
    precondition(min(forecast.count, truth.count) >= steps * states * batch)
    check(scale, states)
    check(absolute, states * batch)
    check(squared, states * batch)
    check(divergedAt, batch)
    table.pointee.score(
      states, batch, first, steps, arena.pointer(forecast), arena.pointer(truth),
      arena.pointer(scale), limit, arena.pointer(absolute), arena.pointer(squared),
      arena.pointer(divergedAt))
  }

  /// Adds a member's forecast to the ensemble's: number of members that have not diverged (steps × batch), their
  /// mean and the sum of squared distances from it (steps × states × batch).
  public func pool(
    _ arena: borrowing Arena<Double>, states: Int, batch: Int, first: Int, steps: Int,
    forecast: Region, divergedAt: Region, count: Region, mean: Region, square: Region
  ) {
    precondition(batch % 8 == 0)
    let size = steps * states * batch
    precondition(min(forecast.count, mean.count, square.count) >= size)
    precondition(count.count >= steps * batch)
    check(divergedAt, batch)
    table.pointee.pool(
      states, batch, first, steps, arena.pointer(forecast), arena.pointer(divergedAt),
      arena.pointer(count), arena.pointer(mean), arena.pointer(square))
  }

  /// Counts in `inside` (states × batch) the samples whose truth lies within √(reach[n] · square) of the
  /// mean, n being the number of members pooled there.
  public func cover(
    _ arena: borrowing Arena<Double>, states: Int, batch: Int, steps: Int, truth: Region,
    count: Region, mean: Region, square: Region, reach: Region, inside: Region
  ) {
    precondition(batch % 8 == 0)
    precondition(min(truth.count, mean.count, square.count) >= steps * states * batch)
    precondition(count.count >= steps * batch)
    check(inside, states * batch)
    table.pointee.cover(
      states, batch, steps, arena.pointer(truth), arena.pointer(count), arena.pointer(mean),
      arena.pointer(square), arena.pointer(reach), arena.pointer(inside))
  }
}
