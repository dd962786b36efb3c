import LinearAlgebra
import Networks
import Structure

/// Exact Hessians ∂²f/∂x∂x of a network: for every output H = Σ_u ā_u φ″(z_u) g_u g_uᵀ over the units u, where z_u is
/// what the unit's activation φ receives, g_u = ∂z_u/∂x is carried forward, and ā_u = ∂f/∂φ(z_u) backward. `Double`
/// throughout, over the weights that are not zero; at a kink φ″ is 0.
public struct HessianEvaluator: Sendable {
  let graph: EdgeList
  /// Per output the units that it depends on, itself included, the last first.
  let ancestors: [[Int]]

  public init(_ network: Network) {
    graph = EdgeList(LiveStructure(network).network)
    ancestors = graph.outputs.map(graph.unitsBehind)
  }

  public var inputCount: Int { graph.inputCount }
  public var outputCount: Int { graph.outputs.count }

  /// The Hessian (inputs × inputs) of every output at one standardised input, in standardised units.
  public func hessians(_ input: some Collection<Double>) -> [Matrix] {
    let forward = tangents(input)
    return graph.outputs.indices.map { hessian(of: $0, forward) }
  }

  /// What one sweep forward leaves.
  struct Tangents {
    /// φ′(z) and φ″(z) of every unit.
    var slopes: [Double]
    var curvatures: [Double]
    /// ∂z/∂x, units × inputs.
    var gradients: [Double]
  }

  func tangents(_ input: some Collection<Double>) -> Tangents {
    let width = graph.inputCount
    precondition(input.count == width)
    var values = Array(input) + [Double](repeating: 0, count: graph.unitCount)
    var result = Tangents(
      slopes: Array(repeating: 0, count: graph.unitCount),
      curvatures: Array(repeating: 0, count: graph.unitCount),
      gradients: Array(repeating: 0, count: graph.unitCount * width))
    for unit in 0..<graph.unitCount {
      var sum = graph.bias[unit]
      for edge in graph.edges(into: unit) {
        let source = graph.source[edge]
        let weight = graph.weight[edge]
        sum += weight * values[source]
        if source < width {
          result.gradients[unit * width + source] += weight
        } else {
          let factor = weight * result.slopes[source - width]
          for column in 0..<width {
            result.gradients[unit * width + column] +=
              factor * result.gradients[(source - width) * width + column]
          }
        }
      }
      values[width + unit] = graph.activation[unit].value(sum)
      result.slopes[unit] = graph.activation[unit].slope(sum)
      result.curvatures[unit] = graph.activation[unit].curvature(sum)
    }
    return result
  }

  private func hessian(of output: Int, _ forward: Tangents) -> Matrix {
    let width = graph.inputCount
    var result = Matrix(rows: width, columns: width)
    var adjoints = [Double](repeating: 0, count: graph.unitCount)
    adjoints[graph.outputs[output]] = 1
    for unit in ancestors[output] {
      let adjoint = adjoints[unit]
      if adjoint == 0 { continue }
      let curvature = adjoint * forward.curvatures[unit]
      if curvature != 0 {
        let gradient = Array(forward.gradients[(unit * width)..<((unit + 1) * width)])
        for row in 0..<width where gradient[row] != 0 {
          let factor = curvature * gradient[row]
          for column in row..<width { result[row, column] += factor * gradient[column] }
        }
      }
      let delta = adjoint * forward.slopes[unit]
      for edge in graph.edges(into: unit) where graph.source[edge] >= width {
        adjoints[graph.source[edge] - width] += graph.weight[edge] * delta
      }
    }
    for row in 0..<width {
      for column in 0..<row { result[row, column] = result[column, row] }
    }
    return result
  }
}
