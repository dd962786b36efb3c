import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing
import Training

/// Jacobians side by side against those one by one, which `JacobianTests` holds to differences.
@Suite struct JacobianBatchTests {
  private func network(
    _ activation: Activation, towers: Bool, inputSkip: Bool, stream: inout RandomStream
  ) -> Network {
    var recipe = Recipe()
    recipe.hidden = [9, 7]
    recipe.activation = activation
    recipe.inputSkip = inputSkip
    recipe.skip = true
    func one(_ outputs: Int, _ name: String) -> Network {
      var network = Network.initial(
        recipe: recipe, inputs: 5, outputs: outputs, name: name, stream: &stream)
      // Half of the weights are zero, so that some units are dead.
      for layer in network.layers.indices {
        network.layers[layer].bias = network.layers[layer].bias.map { _ in stream.normal() }
        for connection in network.layers[layer].connections.indices {
          network.layers[layer].connections[connection].weight =
            network.layers[layer].connections[connection].weight
            .map { _ in stream.uniform() < 0.5 ? 0 : stream.normal() }
        }
      }
      return network
    }
    return towers ? Network.joined([one(1, "a"), one(1, "b"), one(1, "c")]) : one(3, "")
  }

  /// Points of a walk, so that ReLUs keep their state for a while.
  private func walk(_ count: Int, stream: inout RandomStream) -> Matrix {
    var samples = Matrix(rows: count, columns: 5)
    for row in 1..<count {
      for column in 0..<5 {
        samples[row, column] = samples[row - 1, column] + 0.1 * stream.normal()
      }
    }
    return samples
  }

  @Test(arguments: Activation.allCases, Kernels.available.map(\.instructionSet))
  func theyAreThoseOfOneSampleAtATime(activation: Activation, set: InstructionSet) throws {
    let kernels = try #require(Kernels(set))
    var stream = RandomStream(seed: 12)
    for (towers, inputSkip) in [(true, false), (false, true), (false, false)] {
      let network = network(activation, towers: towers, inputSkip: inputSkip, stream: &stream)
      let scaling = Standardisation(
        mean: (0..<5).map { _ in stream.normal() }, deviation: (0..<5).map { Double($0 + 1) })
      let samples = walk(333, stream: &stream)
      let single = JacobianEvaluator(network)
      let expected = (0..<333).map { single.jacobian(scaling.standardise(samples.row($0))) }
      let live = LiveStructure(network).network
      var batch = JacobianBatch(live, kernels: kernels)
      let some = batch.jacobians(samples, rows: 40..<61, scaling)
      for (ours, theirs) in zip(some, expected[40..<61]) {
        #expect(ours.deviation(from: theirs) < 1e-10)
      }
      // In pieces of any size the sums are the same.
      for pieces in [[0, 333], [0, 1, 34, 66, 200, 333]] {
        var batch = JacobianBatch(live, kernels: kernels)
        for (first, last) in zip(pieces, pieces.dropFirst()) {
          batch.add(samples, rows: first..<last, scaling)
        }
        let (magnitude, signed) = batch.sums()
        let zero = Matrix(rows: 3, columns: 5)
        let sums = expected.reduce((zero, zero)) { ($0.0 + $1.map(abs), $0.1 + $1) }
        #expect(magnitude.deviation(from: sums.0) < 1e-9)
        #expect(signed.deviation(from: sums.1) < 1e-9)
        // What no path connects is zero, not small.
        #expect(zip(magnitude.elements, sums.0.elements).allSatisfy { ($0 == 0) == ($1 == 0) })
      }
    }
  }
}
