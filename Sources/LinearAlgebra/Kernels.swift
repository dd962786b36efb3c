import CKernels

/// The instruction set that the training loops run with.
public enum InstructionSet: String, CaseIterable, Sendable {
  case avx512, avx2, baseline
}

/// The constants of one step of Adam (Kingma & Ba 2015); see `Kernels.adam`.
public struct AdamStep: Sendable {
  public enum Penalty: Sendable { case none, l1Gradient, proximal }

  let native: filigree_adam_step
  /// 1/(1 − β₁ᵗ) and 1/(1 − β₂ᵗ)
  public let correction1: Double
  public let correction2: Double

  /// - Parameters:
  ///   - learningRate: η.
  ///   - number: the step's number t, from 1, for the corrections 1/(1 − βᵗ).
  ///   - penalty: what is added to the loss, and how.
  ///   - beta1: decay of the mean of gradients.
  ///   - beta2: decay of the mean of their squares.
  ///   - epsilon: ε, added to the root.
  public init(
    learningRate: Double, number: Int, penalty: Penalty, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8
  ) {
    correction1 = 1 / (1 - Self.power(beta1, number))
    correction2 = 1 / (1 - Self.power(beta2, number))
    native = filigree_adam_step(
      learning_rate: Float(learningRate), beta1: Float(beta1), beta2: Float(beta2),
      epsilon: Float(epsilon), correction1: Float(correction1), correction2: Float(correction2),
      penalty: Self.code(penalty))
  }

  private static func code(_ penalty: Penalty) -> Int32 {
    switch penalty {
    case .none: Int32(FILIGREE_NO_PENALTY)
    case .l1Gradient: Int32(FILIGREE_L1_GRADIENT)
    case .proximal: Int32(FILIGREE_PROXIMAL_STEP)
    }
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var factor = base
    var remaining = exponent
    while remaining > 0 {
      if remaining & 1 == 1 { result *= factor }
      factor *= factor
      remaining >>= 1
    }
    return result
  }
}

/// The C loops of training, chosen once per process for its processor.
///
/// Sample matrices are feature-major (rows × batch, batch a multiple of 16).
/// `FILIGREE_INSTRUCTION_SET` in the environment forces a set (for tests).
public struct Kernels: Sendable {
  public let instructionSet: InstructionSet
  nonisolated(unsafe) let table: UnsafePointer<filigree_kernels>  // immutable, static in C

  /// The kernels for `instructionSet`; nil where this processor cannot run it.
  public init?(_ instructionSet: InstructionSet) {
    guard let table = filigree_kernels_named(instructionSet.rawValue) else { return nil }
    self.instructionSet = instructionSet
    self.table = table
  }

  /// Every set that this processor can run, the fastest first.
  public static var available: [Kernels] { InstructionSet.allCases.compactMap { Kernels($0) } }

  /// Values of the wiring's units (all, or those from which a way leads to an output), and slopes
  /// where they do not follow from the values. Row 0 of `values` must hold ones, the inputs theirs.
  public func forward(
    _ arena: borrowing Arena<Float>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    onlyLive: Bool, batch: Int, parameters: Region, values: Region, slopes: Region
  ) {
    check(values, wiring.rows * batch)
    check(slopes, wiring.rows * batch)
    precondition(parameters.count >= wiring.parameterCount)
    var native = wiring.pointers(indices)
    table.pointee.forward(
      &native, onlyLive ? wiring.liveUnitCount : wiring.unitCount, batch,
      arena.pointer(parameters), arena.pointer(values), arena.pointer(slopes))
  }

  /// Deltas of all live units, those of the outputs being given, and the gradients of their
  /// parameters, Σ_b delta[unit, b] · value[source, b].
  ///
  /// - Parameters:
  ///   - arena: that all regions are in.
  ///   - indices: of the wiring.
  ///   - wiring: of what is live.
  ///   - whole: the wiring that this one was selected from, to get the gradients of the weights
  ///     that are zero as well, in its numbering; those into units that reach no output stay untouched.
  ///   - batch: samples side by side.
  ///   - parameters: weights and biases.
  ///   - values: of inputs and units, from the forward pass.
  ///   - slopes: of the units, from the forward pass.
  ///   - deltas: ∂loss/∂value of the outputs before, of all units after.
  ///   - gradient: ∂loss/∂parameter, written.
  public func backward(
    _ arena: borrowing Arena<Float>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    gradientsOf whole: Wiring?, batch: Int, parameters: Region, values: Region, slopes: Region,
    deltas: Region, gradient: Region
  ) {
    for region in [values, slopes, deltas] { check(region, wiring.rows * batch) }
    precondition(parameters.count >= wiring.parameterCount)
    precondition(gradient.count >= (whole ?? wiring).parameterCount)
    var native = wiring.pointers(indices)
    let (first, last, source) = wiring.gradientRanges(indices, of: whole)
    table.pointee.backward(
      &native, batch, whole == nil ? 0 : 1, first, last, source, arena.pointer(parameters),
      arena.pointer(values),
      arena.pointer(slopes), arena.pointer(deltas), arena.pointer(gradient))
  }

  /// delta = factor · (prediction − target); the sum of the squared errors is returned.
  public func residual(
    _ arena: borrowing Arena<Float>, prediction: Region, target: Region, factor: Double,
    delta: Region
  ) -> Double {
    check(target, prediction.count)
    check(delta, prediction.count)
    return table.pointee.residual(
      prediction.count, arena.vectorPointer(prediction), arena.vectorPointer(target), Float(factor),
      arena.vectorPointer(delta))
  }

  /// An Adam step on the first `count` of `parameters` in place; `strengths` holds each one's λ.
  public func adam(
    _ arena: borrowing Arena<Float>, _ step: AdamStep, count: Int, strengths: Region,
    parameters: Region, gradient: Region, moment1: Region, moment2: Region
  ) {
    for region in [strengths, parameters, gradient, moment1, moment2] {
      precondition(region.count >= count)
    }
    var native = step.native
    table.pointee.adam(
      count, &native, arena.vectorPointer(strengths), arena.vectorPointer(parameters),
      arena.vectorPointer(gradient), arena.vectorPointer(moment1), arena.vectorPointer(moment2))
  }

  /// Transposes chosen rows of a row-major table into `destination` (features × batch); the lanes
  /// beyond the rows become zero.
  ///
  /// - Parameters:
  ///   - arena: that the destination is in.
  ///   - features: columns that are copied.
  ///   - stride: floats per row of the table, a multiple of 16.
  ///   - batch: rows that are copied.
  ///   - source: rows × stride.
  ///   - rows: row numbers below `source.count / stride`.
  ///   - destination: features × batch.
  public func gather(
    _ arena: borrowing Arena<Float>, features: Int, stride: Int, batch: Int, source: [Float],
    rows: ArraySlice<UInt32>, destination: Region
  ) {
    precondition(features <= stride && stride % 16 == 0 && rows.count <= batch)
    check(destination, features * batch)
    let limit = source.count / stride
    precondition(rows.allSatisfy { $0 < limit })
    source.withUnsafeBufferPointer { source in
      rows.withUnsafeBufferPointer { rows in
        guard let first = source.baseAddress, let row = rows.baseAddress else { return }
        table.pointee.gather(
          features, stride, rows.count, batch, first, row, arena.pointer(destination))
      }
    }
  }

  /// Prefetches rows of a table that `gather` will read soon. To be called for a few rows at a time, between other
  /// work: the processor can hold a few dozen requests.
  public func prefetch(stride: Int, source: [Float], rows: ArraySlice<UInt32>) {
    source.withUnsafeBufferPointer { source in
      rows.withUnsafeBufferPointer { rows in
        guard let first = source.baseAddress, let row = rows.baseAddress else { return }
        filigree_prefetch(first, stride, row, rows.count)
      }
    }
  }

  /// Values and slopes of the wiring's live units, in `Double`. Row 0 of `values` must hold ones.
  public func evaluate(
    _ arena: borrowing Arena<Double>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    batch: Int, parameters: Region, values: Region, slopes: Region
  ) {
    precondition(batch % 8 == 0 && parameters.count >= wiring.parameterCount)
    check(values, wiring.rows * batch)
    check(slopes, wiring.rows * batch)
    var native = wiring.pointers(indices)
    table.pointee.evaluate(
      &native, batch, arena.pointer(parameters), arena.pointer(values), arena.pointer(slopes))
  }

  /// With j = seed[b] · ∂(value of the live unit `output`)/∂(parameter p) at sample b, after `evaluate`:
  /// jacobian[p, b] = j as `Float`, and gradient[p] += Σ_b j · error[b], for all live parameters.
  public func jacobian(
    _ arena: borrowing Arena<Double>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    output: Int, batch: Int, parameters: Region, values: Region, slopes: Region, seed: Region,
    error: Region, deltas: Region, gradient: Region, jacobian: Region,
    in floats: borrowing Arena<Float>
  ) {
    precondition(batch % 8 == 0 && (0..<wiring.liveUnitCount).contains(output))
    precondition(parameters.count >= wiring.parameterCount)
    for region in [values, slopes, deltas] { check(region, wiring.rows * batch) }
    for region in [seed, error] { check(region, batch) }
    check(gradient, wiring.liveParameterCount)
    check(jacobian, wiring.liveParameterCount * batch)
    var native = wiring.pointers(indices)
    table.pointee.jacobian(
      &native, output, batch, arena.pointer(parameters), arena.pointer(values),
      arena.pointer(slopes), arena.pointer(seed), arena.pointer(error), arena.pointer(deltas),
      floats.pointer(jacobian), arena.pointer(gradient))
  }

  /// jacobian[i, b] = ∂(units[0])/∂(input i) at sample b, after `evaluate`: of a live unit, with `units` itself
  /// and all live units that it depends on, from the last to the first. The deltas are zero before and after.
  public func sensitivity(
    _ arena: borrowing Arena<Double>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    units: Region, in lists: borrowing Arena<UInt32>, inputs: Int, batch: Int, parameters: Region,
    slopes: Region, deltas: Region, jacobian: Region
  ) {
    precondition(batch % 32 == 0 && inputs < wiring.rows && units.count > 0)
    precondition(parameters.count >= wiring.parameterCount)
    for region in [slopes, deltas] { check(region, wiring.rows * batch) }
    check(jacobian, inputs * batch)
    let list = lists.pointer(units)
    for index in 0..<units.count { precondition(list[index] < UInt32(wiring.liveUnitCount)) }
    var native = wiring.pointers(indices)
    table.pointee.sensitivity(
      &native, units.count, list, inputs, batch, arena.pointer(parameters),
      arena.pointer(slopes), arena.pointer(deltas), arena.pointer(jacobian))
  }

  /// magnitude[i] += Σ_b weight[b] |x[i, b]| and sum[i] += Σ_b weight[b] x[i, b]; no weight is negative.
  public func magnitudes(
    _ arena: borrowing Arena<Double>, rows: Int, batch: Int, weight: Region, x: Region,
    magnitude: Region, sum: Region
  ) {
    precondition(batch % 8 == 0)
    check(weight, batch)
    check(x, rows * batch)
    for region in [magnitude, sum] { check(region, rows) }
    table.pointee.magnitudes(
      rows, batch, arena.pointer(weight), arena.pointer(x), arena.pointer(magnitude),
      arena.pointer(sum))
  }

  /// begins[b] = 1 where a slope of a live unit differs from that of the sample before (`last`, by unit, for the
  /// first); returns how many do.
  public func runs(
    _ arena: borrowing Arena<Double>, _ indices: borrowing Arena<UInt32>, _ wiring: Wiring,
    batch: Int, slopes: Region, last: Region, begins: Region, in lists: borrowing Arena<UInt32>
  ) -> Int {
    check(slopes, wiring.rows * batch)
    precondition(last.count >= wiring.liveUnitCount && begins.count >= batch)
    var native = wiring.pointers(indices)
    return table.pointee.slope_runs(
      &native, batch, arena.pointer(slopes), arena.pointer(last), lists.pointer(begins))
  }

  /// product[i, j] += Σ_b x[i, b] x[j, b] for j ≤ i (rows × rows, the lower triangle).
  public func gram(
    _ arena: borrowing Arena<Double>, rows: Int, batch: Int, x: Region, product: Region
  ) {
    precondition(batch % 8 == 0)
    check(x, rows * batch)
    check(product, rows * rows)
    table.pointee.gram(rows, batch, arena.pointer(x), arena.pointer(product))
  }

  /// `gram` in single precision, sums over the batch included.
  public func curvature(
    _ floats: borrowing Arena<Float>, rows: Int, batch: Int, x: Region,
    product: Region, in arena: borrowing Arena<Double>
  ) {
    precondition(batch % 16 == 0)
    check(x, rows * batch)
    check(product, rows * rows)
    table.pointee.curvature(rows, batch, floats.pointer(x), arena.pointer(product))
  }

  /// Runs `rounds` times 192 fused multiply-adds per vector lane on registers alone and returns the number of
  /// operations (two per multiply-add): the most that one core can do, for benchmarks.
  public func arithmetic(rounds: Int) -> Double {
    var sink: Float = 0
    return table.pointee.arithmetic(rounds, &sink)
  }

  /// `arithmetic` in `Double`.
  public func doubleArithmetic(rounds: Int) -> Double {
    var sink = 0.0
    return table.pointee.double_arithmetic(rounds, &sink)
  }

  @inline(__always) func check(_ region: Region, _ count: Int) {
    precondition(region.count == count)
  }
}
