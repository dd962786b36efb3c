import LinearAlgebra
import Networks

/// Exact Jacobians of a network: ∂f/∂x = Σ over paths of weights times slopes, by one backward sweep
/// per output over the live weights only. `Double` throughout; at a ReLU's kink the slope is 0.
public struct JacobianEvaluator: Sendable {
  private let graph: EdgeList
  /// Per output the units that it depends on, itself included, last first.
  private let ancestors: [[Int]]

  public init(_ network: Network) {
    let graph = EdgeList(LiveStructure(network).network)
    ancestors = graph.outputs.map(graph.unitsBehind)
    self.graph = graph
  }

  public var outputCount: Int { graph.outputs.count }

  /// Workspace that successive evaluations share.
  public struct Workspace {
    fileprivate var values: [Double]
    fileprivate var slopes: [Double]
    fileprivate var adjoints: [Double]

    public init(_ evaluator: JacobianEvaluator) {
      let units = evaluator.graph.unitCount
      values = Array(repeating: 0, count: evaluator.graph.inputCount + units)
      slopes = Array(repeating: 0, count: units)
      adjoints = values
    }
  }

  /// Writes ∂f/∂x at the (standardised) `input` into `jacobian` (outputs × inputs).
  public func evaluate(
    _ input: some Collection<Double>, workspace: inout Workspace, into jacobian: inout Matrix
  ) {
    let first = graph.inputCount
    precondition(input.count == first && jacobian.rows == outputCount)
    forward(input, &workspace)
    for (row, output) in graph.outputs.enumerated() {
      for input in 0..<first { workspace.adjoints[input] = 0 }
      for unit in ancestors[row] { workspace.adjoints[first + unit] = 0 }
      workspace.adjoints[first + output] = 1
      for unit in ancestors[row] {
        let delta = workspace.adjoints[first + unit] * workspace.slopes[unit]
        if delta == 0 { continue }
        for edge in graph.edges(into: unit) {
          workspace.adjoints[graph.source[edge]] += graph.weight[edge] * delta
        }
      }
      for input in 0..<first { jacobian[row, input] = workspace.adjoints[input] }
    }
  }

  /// f at one (standardised) input.
  func values(_ input: [Double], workspace: inout Workspace) -> [Double] {
    forward(input, &workspace)
    return graph.outputs.map { workspace.values[graph.inputCount + $0] }
  }

  private func forward(_ input: some Collection<Double>, _ workspace: inout Workspace) {
    let first = graph.inputCount
    for (index, value) in input.enumerated() { workspace.values[index] = value }
    for unit in 0..<graph.unitCount {
      var sum = graph.bias[unit]
      for edge in graph.edges(into: unit) {
        sum += graph.weight[edge] * workspace.values[graph.source[edge]]
      }
      workspace.values[first + unit] = graph.activation[unit].value(sum)
      workspace.slopes[unit] = graph.activation[unit].slope(sum)
    }
  }

  /// ∂f/∂x at one (standardised) input.
  public func jacobian(_ input: [Double]) -> Matrix {
    var workspace = Workspace(self)
    var result = Matrix(rows: outputCount, columns: graph.inputCount)
    evaluate(input, workspace: &workspace, into: &result)
    return result
  }
}

extension Model {
  /// ∂(rates)/∂(inputs) at one point in physical units: diag(σ_y) J diag(1/σ_x).
  public func physicalJacobian(_ input: [Double]) -> Matrix {
    let jacobian = JacobianEvaluator(network).jacobian(inputScaling.standardise(input))
    return physical(jacobian)
  }

  /// A standardised matrix of sensitivities (outputs × inputs) in physical units.
  public func physical(_ standardised: Matrix) -> Matrix {
    Matrix(rows: standardised.rows, columns: standardised.columns) {
      standardised[$0, $1] * outputScaling.deviation[$0] / inputScaling.deviation[$1]
    }
  }
}
