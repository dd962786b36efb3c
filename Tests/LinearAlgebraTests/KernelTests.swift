import Foundation
import LinearAlgebra
import Testing

/// The smaller kernels in every instruction set that this processor has; those that walk through a
/// network are in WiringTests.
@Suite struct KernelTests {
  @Test func aForcedSetIsTheOneAskedFor() {
    for kernels in Kernels.available {
      #expect(Kernels(kernels.instructionSet)?.instructionSet == kernels.instructionSet)
    }
    #expect(Kernels(.baseline) != nil)
  }

  @Test(
    arguments: Kernels.available.map(\.instructionSet), [(2, 16), (16, 32), (21, 128), (37, 48)])
  func gatheringTransposesRowsAndClearsThePadding(set: InstructionSet, shape: (Int, Int)) throws {
    let kernels = try #require(Kernels(set))
    let (features, batch) = shape
    let stride = (features + 15) / 16 * 16
    var layout = ArenaLayout()
    let destination = layout.reserve(features * batch)
    let arena = Arena<Float>(layout)
    let table = (0..<(50 * stride)).map { Float($0) }
    let rows = (0..<UInt32(batch - 3)).map { $0 * 7 % 50 }
    kernels.prefetch(stride: stride, source: table, rows: rows[...])
    kernels.gather(
      arena, features: features, stride: stride, batch: batch, source: table, rows: rows[...],
      destination: destination)
    let expected = (0..<features).flatMap { feature -> [Float] in
      rows.map { Float(Int($0) * stride + feature) } + [0, 0, 0]
    }
    #expect(arena[destination] == expected)
  }

  @Test(arguments: Kernels.available.map(\.instructionSet))
  func aProximalStepShrinksByTheThresholdOfItsOwnMetric(set: InstructionSet) throws {
    let kernels = try #require(Kernels(set))
    var layout = ArenaLayout()
    let regions = (0..<5).map { _ in layout.reserve(5) }
    var arena = Arena<Float>(layout)
    let weights = [0.5, -0.02, 0.3, 0, -1]
    let gradient = [0.1, -0.2, -0.3, 0, 0.01]
    arena[regions[0]] = weights.map { Float($0) }
    arena[regions[1]] = gradient.map { Float($0) }
    arena.fill(regions[4], with: 0.5)
    let step = AdamStep(learningRate: 0.01, number: 1, penalty: .proximal)
    kernels.adam(
      arena, step, count: 5, strengths: regions[4], parameters: regions[0], gradient: regions[1],
      moment1: regions[2],
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
}
