import CKernels

/// The activation of a layer's units, applied element by element.
public enum Activation: String, Codable, CaseIterable, Sendable {
  case identity, relu, silu, tanh

  fileprivate var code: Int32 {
    switch self {
    case .identity: Int32(FILIGREE_IDENTITY)
    case .relu: Int32(FILIGREE_RELU)
    case .silu: Int32(FILIGREE_SILU)
    case .tanh: Int32(FILIGREE_TANH)
    }
  }
}

/// The instruction set that the training loops run with.
public enum InstructionSet: String, CaseIterable, Sendable {
  case avx512, avx2, baseline
}

/// A stretch of an `Arena`, in floats.
public struct Region: Equatable, Sendable {
  public let offset: Int
  public let count: Int

  /// `count` floats of this region from `offset` on.
  public func part(_ offset: Int, _ count: Int) -> Region {
    precondition(offset >= 0 && count >= 0 && offset + count <= self.count)
    return Region(offset: self.offset + offset, count: count)
  }
}

/// Lays regions one after the other, each at a multiple of a cache line.
public struct ArenaLayout {
  public private(set) var count = 0
  private static let lineFloats = 16

  public init() {}

  /// Room for `count` floats, padded to whole cache lines.
  public mutating func reserve(_ count: Int) -> Region {
    let region = Region(offset: self.count, count: count)
    self.count += (count + Self.lineFloats - 1) / Self.lineFloats * Self.lineFloats
    return region
  }
}

/// The working memory of one training: all of its parameters, moments and activations in one block,
/// aligned to cache lines, zero at first, freed with its owner.
///
/// This file is the only place with unsafe memory in the training: every kernel checks its regions
/// against the arena before the C loop sees a pointer.
public struct Arena: ~Copyable {
  fileprivate let base: UnsafeMutablePointer<Float>
  public let count: Int

  public init(_ layout: ArenaLayout) {
    count = layout.count
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<Float>.stride, alignment: 64)
    base = memory.bindMemory(to: Float.self, capacity: max(1, count))
    base.initialize(repeating: 0, count: max(1, count))
  }

  deinit { base.deallocate() }

  public subscript(_ region: Region) -> [Float] {
    get { Array(UnsafeBufferPointer(start: pointer(region), count: region.count)) }
    set {
      precondition(newValue.count == region.count)
      for (index, value) in newValue.enumerated() { pointer(region)[index] = value }
    }
  }

  public subscript(_ region: Region, _ index: Int) -> Float {
    get {
      precondition(index >= 0 && index < region.count)
      return pointer(region)[index]
    }
    set {
      precondition(index >= 0 && index < region.count)
      pointer(region)[index] = newValue
    }
  }

  public mutating func clear(_ region: Region) {
    pointer(region).update(repeating: 0, count: region.count)
  }

  fileprivate func pointer(_ region: Region) -> UnsafeMutablePointer<Float> {
    precondition(region.offset >= 0 && region.count >= 0 && region.offset + region.count <= count)
    return base + region.offset
  }

  /// For loops over whole vectors, which also touch the padding behind the region's last float.
  fileprivate func vectorPointer(_ region: Region) -> UnsafeMutablePointer<Float> {
    precondition(region.offset % 16 == 0)
    return pointer(region)
  }
}

/// One Adam step's numbers; see `Kernels.adam`.
public struct AdamStep: Sendable {
  public enum Penalty: Sendable { case none, l1Gradient, proximal }

  public var learningRate: Double
  public var beta1 = 0.9
  public var beta2 = 0.999
  public var epsilon = 1e-8
  /// The step's number t, from 1.
  public var number: Int
  /// λ, per weight.
  public var strength = 0.0
  public var penalty = Penalty.none

  public init(learningRate: Double, number: Int, strength: Double, penalty: Penalty) {
    self.learningRate = learningRate
    self.number = number
    self.strength = strength
    self.penalty = penalty
  }

  fileprivate var native: filigree_adam_step {
    filigree_adam_step(
      learning_rate: Float(learningRate), beta1: Float(beta1), beta2: Float(beta2),
      epsilon: Float(epsilon),
      correction1: Float(1 / (1 - integerPower(beta1, number))),
      correction2: Float(1 / (1 - integerPower(beta2, number))),
      strength: Float(strength), penalty: penaltyCode)
  }

  private var penaltyCode: Int32 {
    switch penalty {
    case .none: Int32(FILIGREE_NO_PENALTY)
    case .l1Gradient: Int32(FILIGREE_L1_GRADIENT)
    case .proximal: Int32(FILIGREE_PROXIMAL_STEP)
    }
  }

  private func integerPower(_ base: Double, _ exponent: Int) -> Double {
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

/// The C loops of training, chosen once per process for the processor at hand.
///
/// Sample matrices are feature-major (features × batch, batch a multiple of 16), weight matrices
/// outputs × inputs. `FILIGREE_INSTRUCTION_SET` in the environment forces a set (for tests).
public struct Kernels: Sendable {
  public let instructionSet: InstructionSet
  private nonisolated(unsafe) let table: UnsafePointer<filigree_kernels>  // immutable, static in C

  /// The kernels for `instructionSet`; nil where this processor cannot run it.
  public init?(_ instructionSet: InstructionSet) {
    guard let table = filigree_kernels_named(instructionSet.rawValue) else { return nil }
    self.instructionSet = instructionSet
    self.table = table
  }

  /// Every set that this processor can run, the fastest first.
  public static var available: [Kernels] { InstructionSet.allCases.compactMap { Kernels($0) } }

  /// z = bias + W x, or z += W x without a bias.
  public func affine(
    _ arena: borrowing Arena, outputs: Int, inputs: Int, batch: Int, weight: Region, x: Region,
    bias: Region?, z: Region
  ) {
    check(weight, outputs * inputs)
    check(x, inputs * batch)
    check(z, outputs * batch)
    if let bias { check(bias, outputs) }
    table.pointee.affine(
      outputs, inputs, batch, arena.pointer(weight), arena.pointer(x),
      bias.map { UnsafePointer(arena.pointer($0)) }, arena.pointer(z))
  }

  /// value = φ(z) and slope = φ′(z).
  public func activate(
    _ arena: borrowing Arena, _ activation: Activation, z: Region, value: Region, slope: Region
  ) {
    check(value, z.count)
    check(slope, z.count)
    table.pointee.activate(
      activation.code, z.count, arena.vectorPointer(z), arena.vectorPointer(value),
      arena.vectorPointer(slope))
  }

  /// g += Wᵀ delta.
  public func propagate(
    _ arena: borrowing Arena, outputs: Int, inputs: Int, batch: Int, weight: Region, delta: Region,
    g: Region
  ) {
    check(weight, outputs * inputs)
    check(delta, outputs * batch)
    check(g, inputs * batch)
    table.pointee.propagate(
      outputs, inputs, batch, arena.pointer(weight), arena.pointer(delta), arena.pointer(g))
  }

  /// gradient = delta xᵀ.
  public func weightGradient(
    _ arena: borrowing Arena, outputs: Int, inputs: Int, batch: Int, delta: Region, x: Region,
    gradient: Region
  ) {
    check(delta, outputs * batch)
    check(x, inputs * batch)
    check(gradient, outputs * inputs)
    table.pointee.weight_gradient(
      outputs, inputs, batch, arena.pointer(delta), arena.pointer(x), arena.pointer(gradient))
  }

  /// gradient[o] = Σ_b delta[o, b].
  public func biasGradient(
    _ arena: borrowing Arena, outputs: Int, batch: Int, delta: Region, gradient: Region
  ) {
    check(delta, outputs * batch)
    check(gradient, outputs)
    table.pointee.bias_gradient(outputs, batch, arena.pointer(delta), arena.pointer(gradient))
  }

  /// delta = factor · (prediction − target); the sum of the squared errors is returned.
  public func residual(
    _ arena: borrowing Arena, prediction: Region, target: Region, factor: Double, delta: Region
  ) -> Double {
    check(target, prediction.count)
    check(delta, prediction.count)
    return table.pointee.residual(
      prediction.count, arena.vectorPointer(prediction), arena.vectorPointer(target), Float(factor),
      arena.vectorPointer(delta))
  }

  /// a ← a · b, element by element.
  public func multiply(_ arena: borrowing Arena, _ a: Region, by b: Region) {
    check(b, a.count)
    table.pointee.multiply(a.count, arena.vectorPointer(a), arena.vectorPointer(b))
  }

  /// An Adam step on `parameters` in place.
  public func adam(
    _ arena: borrowing Arena, _ step: AdamStep, parameters: Region, gradient: Region,
    moment1: Region, moment2: Region
  ) {
    for region in [gradient, moment1, moment2] { check(region, parameters.count) }
    var native = step.native
    table.pointee.adam(
      parameters.count, &native, arena.vectorPointer(parameters), arena.vectorPointer(gradient),
      arena.vectorPointer(moment1), arena.vectorPointer(moment2))
  }

  /// Transposes chosen rows of a row-major table, from column `first` on, into `destination`
  /// (features × batch); the lanes beyond the rows become zero.
  ///
  /// - Parameter rows: row numbers below `source.count / stride`.
  public func gather(
    _ arena: borrowing Arena, features: Int, from firstColumn: Int = 0, stride: Int, batch: Int,
    source: [Float], rows: ArraySlice<UInt32>, destination: Region
  ) {
    precondition(firstColumn >= 0 && firstColumn + features <= stride && rows.count <= batch)
    check(destination, features * batch)
    let limit = source.count / stride
    precondition(rows.allSatisfy { $0 < limit })
    source.withUnsafeBufferPointer { source in
      rows.withUnsafeBufferPointer { rows in
        guard let first = source.baseAddress, let row = rows.baseAddress else { return }
        table.pointee.gather(
          features, stride, rows.count, batch, first + firstColumn, row,
          arena.pointer(destination))
      }
    }
  }

  @inline(__always) private func check(_ region: Region, _ count: Int) {
    precondition(region.count == count)
  }
}
