import Foundation
import LinearAlgebra
import Testing

/// The smaller kernels in every instruction set that this processor has; those that walk through a
/// network are in WiringTests.
@Suite struct KernelTests {
  @Test func aMatrixTimesItsInverseIsOne() throws {
    var stream = RandomStream(seed: 5)
    let factor = Matrix(rows: 9, columns: 7) { _, _ in stream.normal() }
    let matrix = factor.transposed * factor
    let inverse = try #require(matrix.invertedPositiveDefinite())
    let product = matrix * inverse
    for row in 0..<7 {
      for column in 0..<7 {
        #expect(abs(product[row, column] - (row == column ? 1 : 0)) < 1e-9)
      }
    }
    #expect((matrix.map { -$0 }).invertedPositiveDefinite() == nil)
  }

  /// All sizes around a tile's, every set to the same bits.
  @Test(arguments: [1, 2, 7, 8, 9, 15, 24, 33, 70])
  func systemsAreSolvedToTheSameBitsByEverySet(size: Int) throws {
    var stream = RandomStream(seed: 8, path: [UInt64(size)])
    let factor = Matrix(rows: size + 3, columns: size) { _, _ in stream.normal() }
    let matrix = factor.transposed * factor
    let truth = (0..<size).map { _ in stream.normal() }
    let right = (0..<size).map { row in
      (0..<size).reduce(0) { $0 + matrix[row, $1] * truth[$1] }
    }
    let sets = Kernels.available.map { kernels in
      (
        matrix.solvePositiveDefinite(right, kernels: kernels),
        matrix.invertedPositiveDefinite(kernels: kernels)
      )
    }
    for (solution, inverse) in sets {
      #expect(solution == sets[0].0 && inverse == sets[0].1)
    }
    let (solution, inverse) = (try #require(sets[0].0), try #require(sets[0].1))
    let back = matrix * inverse - Matrix.identity(size)
    let condition = inverse.elements.map(abs).max() ?? 0
    #expect(zip(solution, truth).allSatisfy { abs($0 - $1) < 1e-12 * max(1, condition) })
    #expect(back.elements.allSatisfy { abs($0) < 1e-11 * max(1, condition) })
  }

  @Test func whatIsNotPositiveDefiniteIsNotSolved() {
    #expect(Matrix([[1, 2], [2, 1]]).solvePositiveDefinite([1, 1]) == nil)
    #expect(Matrix([[0]]).solvePositiveDefinite([1]) == nil)
    #expect(Matrix([[Double.nan]]).solvePositiveDefinite([1]) == nil)
    #expect(Matrix([[Double.infinity]]).invertedPositiveDefinite() == nil)
    #expect(Matrix(rows: 0, columns: 0).solvePositiveDefinite([]) == [])
  }

  /// What stands behind the parameters of a step belongs to units that reach no output, and the next step with
  /// all weights reads it.
  @Test(arguments: Kernels.available.map(\.instructionSet), [1, 15, 16, 17, 40])
  func aStepMovesNothingBehindItsEnd(set: InstructionSet, count: Int) throws {
    let kernels = try #require(Kernels(set))
    var stream = RandomStream(seed: 4)
    var layout = ArenaLayout()
    let regions = (0..<5).map { _ in layout.reserve(64) }
    var arena = Arena<Float>(layout)
    for region in regions { arena[region] = (0..<64).map { _ in Float(abs(stream.normal())) } }
    let before = regions.map { arena[$0] }
    kernels.adam(
      arena, AdamStep(learningRate: 0.01, number: 3, penalty: .proximal), count: count,
      strengths: regions[0], parameters: regions[1], gradient: regions[2], moment1: regions[3],
      moment2: regions[4])
    for (region, values) in zip(regions, before) {
      #expect(arena[region].dropFirst(count).elementsEqual(values.dropFirst(count)))
    }
    #expect(!arena[regions[1]].prefix(count).elementsEqual(before[1].prefix(count)))
  }

  /// Sums of products in both precisions against the plain sums.
  @Test(arguments: Kernels.available.map(\.instructionSet), [1, 5, 12])
  func gramAndCurvatureAreSumsOfProducts(set: InstructionSet, rows: Int) throws {
    let kernels = try #require(Kernels(set))
    var stream = RandomStream(seed: 6)
    let x = Matrix(rows: rows, columns: 48) { _, _ in stream.normal() }
    var layout = ArenaLayout()
    let (wide, product) = (layout.reserve(rows * 48), layout.reserve(rows * rows))
    var arena = Arena<Double>(layout)
    var floatLayout = ArenaLayout()
    let narrow = floatLayout.reserve(rows * 48)
    var floats = Arena<Float>(floatLayout)
    arena[wide] = x.elements
    floats[narrow] = x.elements.map { Float($0) }
    let expected = x * x.transposed
    kernels.gram(arena, rows: rows, batch: 48, x: wide, product: product)
    let gram = arena[product]
    arena.fill(product)
    kernels.curvature(floats, rows: rows, batch: 48, x: narrow, product: product, in: arena)
    let curvature = arena[product]
    for i in 0..<rows {
      for j in 0...i {
        #expect(abs(gram[i * rows + j] - expected[i, j]) < 1e-12)
        #expect(abs(curvature[i * rows + j] - expected[i, j]) < 1e-4)
      }
    }
  }

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
