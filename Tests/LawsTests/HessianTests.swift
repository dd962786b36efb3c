import Laws
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct HessianTests {
  /// Against central differences of exact Jacobians, for every smooth activation, with a skip and two hidden layers.
  @Test(arguments: Activation.allCases.filter { !$0.isPiecewiseLinear })
  func hessiansAreDifferencesOfJacobians(activation: Activation) {
    var stream = RandomStream(seed: 7)
    let network = ExampleNetworks.random(
      [4, 6, 5, 2], density: 0.7, skip: true, activation: activation, &stream
    ).mapParameters { 0.4 * $0 }
    let hessian = HessianEvaluator(network)
    let jacobian = JacobianEvaluator(network)
    for _ in 0..<5 {
      let point = (0..<4).map { _ in stream.normal() }
      let exact = hessian.hessians(point)
      for column in 0..<4 {
        var (up, down) = (point, point)
        up[column] += 1e-5
        down[column] -= 1e-5
        let (high, low) = (jacobian.jacobian(up), jacobian.jacobian(down))
        for output in 0..<2 {
          for row in 0..<4 {
            let slope = (high[output, row] - low[output, row]) / 2e-5
            let value = exact[output][row, column]
            #expect(abs(value - slope) < 1e-5 * max(1, abs(value)), "\(activation)")
            #expect(value == exact[output][column, row])
          }
        }
      }
    }
  }

  /// x₀x₁ = ((x₀ + x₁)/2)² − ((x₀ − x₁)/2)², beside an x₂² that stands apart.
  @Test func aProductInteractsAndASumDoesNot() async throws {
    let network = ExampleNetworks.chain(
      [Matrix([[0.5, 0.5, 0], [0.5, -0.5, 0], [0, 0, 1]]), Matrix([[1, -1, 3]])], inputs: 3,
      activation: .square)
    let evaluator = HessianEvaluator(network)
    let hessian = evaluator.hessians([0.3, -2, 5])[0]
    #expect(hessian == Matrix([[0, 1, 0], [1, 0, 0], [0, 0, 6]]))
    let seen = evaluator.pairsSeen[0]
    #expect(seen == [true, true, false, true, true, false, false, false, true])
  }
}
