import Foundation
import LinearAlgebra
import Testing

/// Every kernel in every instruction set that this processor has, against plain loops in `Double`.
@Suite struct KernelTests {
  static let shapes = [(1, 1, 16), (3, 5, 32), (20, 13, 128), (8, 20, 144), (17, 9, 48)]

  @Test func aForcedSetIsTheOneAskedFor() {
    for kernels in Kernels.available {
      #expect(Kernels(kernels.instructionSet)?.instructionSet == kernels.instructionSet)
    }
    #expect(Kernels(.baseline) != nil)
  }

  @Test(arguments: Kernels.available.map(\.instructionSet), shapes)
  func affineAndItsGradientsAgreeWithPlainLoops(set: InstructionSet, shape: (Int, Int, Int)) throws
  {
    let kernels = try #require(Kernels(set))
    let (outputs, inputs, batch) = shape
    var layout = ArenaLayout()
    let weight = layout.reserve(outputs * inputs)
    let bias = layout.reserve(outputs)
    let x = layout.reserve(inputs * batch)
    let z = layout.reserve(outputs * batch)
    let delta = layout.reserve(outputs * batch)
    let g = layout.reserve(inputs * batch)
    let weightGradient = layout.reserve(outputs * inputs)
    let biasGradient = layout.reserve(outputs)
    var arena = Arena(layout)
    var stream = RandomStream(seed: UInt64(outputs * 1000 + inputs))
    arena[weight] = numbers(weight.count, &stream, zeroEvery: 3)
    arena[bias] = numbers(bias.count, &stream)
    arena[x] = numbers(x.count, &stream)
    arena[delta] = numbers(delta.count, &stream)

    kernels.affine(
      arena, outputs: outputs, inputs: inputs, batch: batch, weight: weight, x: x, bias: bias, z: z)
    kernels.affine(
      arena, outputs: outputs, inputs: inputs, batch: batch, weight: weight, x: x, bias: nil, z: z)
    kernels.propagate(
      arena, outputs: outputs, inputs: inputs, batch: batch, weight: weight, delta: delta, g: g)
    kernels.weightGradient(
      arena, outputs: outputs, inputs: inputs, batch: batch, delta: delta, x: x,
      gradient: weightGradient)
    kernels.biasGradient(
      arena, outputs: outputs, batch: batch, delta: delta, gradient: biasGradient)

    let w = matrix(arena[weight], outputs, inputs)
    let xs = matrix(arena[x], inputs, batch)
    let d = matrix(arena[delta], outputs, batch)
    let b = Matrix(rows: outputs, columns: batch) { row, _ in Double(arena[bias, row]) }
    let twice = w * xs + w * xs + b
    #expect((matrix(arena[z], outputs, batch) - twice).largest < 1e-5 * Double(inputs))
    #expect((matrix(arena[g], inputs, batch) - w.transposed * d).largest < 1e-5 * Double(outputs))
    let outer = d * xs.transposed
    #expect((matrix(arena[weightGradient], outputs, inputs) - outer).largest < 1e-6 * Double(batch))
    let sums = (0..<outputs).map { d.row($0).reduce(0, +) }
    #expect(
      zip(arena[biasGradient], sums).allSatisfy { abs(Double($0) - $1) < 1e-6 * Double(batch) })
  }

  @Test(arguments: Kernels.available.map(\.instructionSet), Activation.allCases)
  func activationsAgreeWithTheLibraryFunctions(set: InstructionSet, activation: Activation) throws {
    let kernels = try #require(Kernels(set))
    var layout = ArenaLayout()
    let z = layout.reserve(4096)
    let value = layout.reserve(4096)
    let slope = layout.reserve(4096)
    var arena = Arena(layout)
    var inputs = (0..<4096).map { Float($0 - 2048) / 100 }
    inputs[0] = -1000
    inputs[1] = 1000
    arena[z] = inputs
    kernels.activate(arena, activation, z: z, value: value, slope: slope)
    for (index, input) in inputs.enumerated() {
      let (expected, expectedSlope) = Self.reference(activation, Double(input))
      let scale = max(1, abs(expected))
      #expect(abs(Double(arena[value, index]) - expected) < 4e-7 * scale)
      #expect(abs(Double(arena[slope, index]) - expectedSlope) < 2e-6)
    }
  }

  static func reference(_ activation: Activation, _ z: Double) -> (Double, Double) {
    let sigmoid = 1 / (1 + exp(-z))
    return switch activation {
    case .identity: (z, 1)
    case .relu: (max(0, z), z > 0 ? 1 : 0)
    case .silu: (z * sigmoid, sigmoid + z * sigmoid * (1 - sigmoid))
    case .tanh: (tanh(z), 1 - tanh(z) * tanh(z))
    }
  }

  @Test(arguments: Kernels.available.map(\.instructionSet))
  func gatheringTransposesRowsAndClearsThePadding(set: InstructionSet) throws {
    let kernels = try #require(Kernels(set))
    var layout = ArenaLayout()
    let destination = layout.reserve(2 * 16)
    let arena = Arena(layout)
    let table = (0..<20).map { Float($0) }  // five rows of four
    kernels.gather(
      arena, features: 2, from: 1, stride: 4, batch: 16, source: table, rows: [3, 0, 4],
      destination: destination)
    let expected: [Float] = [13, 1, 17] + [Float](repeating: 0, count: 13)
    #expect(arena[destination] == expected + expected.map { $0 == 0 ? 0 : $0 + 1 })
  }

  @Test(arguments: Kernels.available.map(\.instructionSet))
  func aProximalStepShrinksByTheThresholdOfItsOwnMetric(set: InstructionSet) throws {
    let kernels = try #require(Kernels(set))
    var layout = ArenaLayout()
    let regions = (0..<4).map { _ in layout.reserve(5) }
    var arena = Arena(layout)
    let weights = [0.5, -0.02, 0.3, 0, -1]
    let gradient = [0.1, -0.2, -0.3, 0, 0.01]
    arena[regions[0]] = weights.map { Float($0) }
    arena[regions[1]] = gradient.map { Float($0) }
    let step = AdamStep(learningRate: 0.01, number: 1, strength: 0.5, penalty: .proximal)
    kernels.adam(
      arena, step, parameters: regions[0], gradient: regions[1], moment1: regions[2],
      moment2: regions[3])
    for index in weights.indices {
      // At the first step the corrected moments are g and g².
      let rate = 0.01 / (abs(gradient[index]) + 1e-8)
      let moved = weights[index] - rate * gradient[index]
      let shrunk = max(0, abs(moved) - rate * 0.5) * (moved < 0 ? -1 : 1)
      #expect(abs(Double(arena[regions[0], index]) - shrunk) < 1e-5)
    }
    #expect(arena[regions[0], 1] == 0 && arena[regions[0], 1].sign == .plus)
  }

  private func numbers(_ count: Int, _ stream: inout RandomStream, zeroEvery: Int? = nil) -> [Float]
  {
    (0..<count).map { index in
      let value = Float(stream.normal())
      return zeroEvery.map { index % $0 == 0 } == true ? 0 : value
    }
  }

  private func matrix(_ values: [Float], _ rows: Int, _ columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: values.map { Double($0) })
  }
}

extension Matrix {
  fileprivate var largest: Double { elements.map(abs).max() ?? 0 }
}
