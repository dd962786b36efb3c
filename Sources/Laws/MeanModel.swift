import Dynamics
import LinearAlgebra
import Networks
import Structure

/// The mean of an ensemble's members as one function in physical units.
struct MeanModel: Sendable {
  private let graphs: [EdgeList]
  private let members: [Model]

  init(_ ensemble: Ensemble) { self.init(ensemble.members) }

  init(_ members: [Model]) {
    self.members = members
    graphs = members.map { EdgeList(LiveStructure($0.network).network) }
  }

  /// The outputs at one point in physical units, in their order.
  func outputs(_ input: some Collection<Double>) -> [Double] {
    var sum = [Double](repeating: 0, count: members[0].outputs.count)
    for (model, graph) in zip(members, graphs) {
      let values = model.outputScaling.restore(
        graph.values(model.inputScaling.standardise(input)))
      for index in sum.indices { sum[index] += values[index] }
    }
    return sum.map { $0 / Double(members.count) }
  }
}

extension EdgeList {
  /// f at one standardised input.
  func values(_ input: [Double]) -> [Double] {
    var values = input + [Double](repeating: 0, count: unitCount)
    for unit in 0..<unitCount {
      var sum = bias[unit]
      for edge in edges(into: unit) { sum += weight[edge] * values[source[edge]] }
      values[inputCount + unit] = activation[unit].value(sum)
    }
    return outputs.map { values[inputCount + $0] }
  }
}
