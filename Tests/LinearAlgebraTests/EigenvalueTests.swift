import LinearAlgebra
import Testing

@Suite struct EigenvalueTests {
  /// Linearised one-step maps: near the identity, sparse, badly scaled, with states that only integrate.
  private func oneStepMap(_ size: Int, _ stream: inout RandomStream) -> Matrix {
    let scale = (0..<size).map { _ in Double.pow(10, Int(stream.uniform() * 8) - 4) }
    let density = 0.2 + 0.8 * stream.uniform()
    let small = Double.pow(10, -Int(stream.uniform() * 5))
    var map = Matrix(rows: size, columns: size) { row, column in
      stream.uniform() < density ? small * (stream.uniform() - 0.5) * scale[row] / scale[column] : 0
    }
    for index in 0..<size { map[index, index] += 1 }
    return map
  }

  @Test func theyAddUpToTheTracesOfTheMatrixAndItsSquare() throws {
    var stream = RandomStream(seed: 31)
    for size in 1...16 {
      for _ in 0..<60 {
        let map = oneStepMap(size, &stream)
        let values = try #require(map.eigenvalues())
        #expect(values.count == size)
        let square = map * map
        let (trace, traceOfSquare) = (0..<size).reduce((0.0, 0.0)) {
          ($0.0 + map[$1, $1], $0.1 + square[$1, $1])
        }
        let sum = values.reduce(0) { $0 + $1.real }
        let sumOfSquares = values.reduce(0) { $0 + $1.real * $1.real - $1.imaginary * $1.imaginary }
        #expect(abs(sum - trace) < 1e-10 * Double(size))
        #expect(
          abs(sumOfSquares - traceOfSquare) < 1e-9 * Double(size) * max(1, abs(traceOfSquare)))
        #expect(abs(values.reduce(0) { $0 + $1.imaginary }) < 1e-12)
      }
    }
  }

  /// A state that nothing drives, or that drives nothing, has its eigenvalue on the diagonal, exactly.
  @Test func whatOnlyIntegratesHasOneExactly() throws {
    let map = Matrix([
      [1, 0, 0, 0], [1e-7, 0.9, 0.3, 0], [0, -0.3, 0.9, 0], [4e5, 1e3, -2e4, 1],
    ])
    let values = try #require(map.eigenvalues())
    #expect(values.count { $0 == Eigenvalue(1) } == 2)
    #expect(values.contains { abs($0.real - 0.9) < 1e-15 && abs($0.imaginary - 0.3) < 1e-15 })
  }
}
