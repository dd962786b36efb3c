import LinearAlgebra
import Networks

/// Exact Jacobians of a network: ∂f/∂x = Σ over paths of weights times slopes, by one backward sweep
/// per output over the live weights only. `Double` throughout; at a ReLU's kink the slope is 0.
public struct JacobianEvaluator: Sendable {
  /// Units in topological order; values are numbered inputs first, then units.
  private let inputCount: Int
  private let bias: [Double]
  private let activation: [Activation]
  private let firstEdge: [Int]
  private let edgeSource: [Int]
  private let edgeWeight: [Double]
  private let outputs: [Int]
  /// Per output the units that it depends on, itself included, last first.
  private let ancestors: [[Int]]

  public init(_ network: Network) {
    let structure = LiveStructure(network)
    let live = structure.network
    inputCount = live.inputCount
    var firstUnit: [Int] = []
    var bias: [Double] = []
    var activation: [Activation] = []
    var firstEdge = [0]
    var edgeSource: [Int] = []
    var edgeWeight: [Double] = []
    for layer in live.layers {
      firstUnit.append(bias.count)
      for unit in 0..<layer.unitCount {
        for connection in layer.connections {
          let base: Int =
            switch connection.source {
            case .inputs: 0
            case .layer(let index): live.inputCount + firstUnit[index]
            }
          for column in 0..<connection.weight.columns where connection.weight[unit, column] != 0 {
            edgeSource.append(base + column)
            edgeWeight.append(connection.weight[unit, column])
          }
        }
        bias.append(layer.bias[unit])
        activation.append(layer.activation)
        firstEdge.append(edgeSource.count)
      }
    }
    outputs = live.outputUnits.map { firstUnit[$0.layer] + $0.unit }
    ancestors = outputs.map { output in
      var reached = Set([output])
      for unit in stride(from: output, through: 0, by: -1) where reached.contains(unit) {
        for edge in firstEdge[unit]..<firstEdge[unit + 1] where edgeSource[edge] >= live.inputCount
        {
          reached.insert(edgeSource[edge] - live.inputCount)
        }
      }
      return reached.sorted(by: >)
    }
    self.bias = bias
    self.activation = activation
    self.firstEdge = firstEdge
    self.edgeSource = edgeSource
    self.edgeWeight = edgeWeight
  }

  public var outputCount: Int { outputs.count }

  /// Room that one evaluation needs and the next can use again.
  public struct Workspace {
    fileprivate var values: [Double]
    fileprivate var slopes: [Double]
    fileprivate var adjoints: [Double]

    public init(_ evaluator: JacobianEvaluator) {
      let units = evaluator.bias.count
      values = Array(repeating: 0, count: evaluator.inputCount + units)
      slopes = Array(repeating: 0, count: units)
      adjoints = Array(repeating: 0, count: evaluator.inputCount + units)
    }
  }

  /// Writes ∂f/∂x at the (standardised) `input` into `jacobian` (outputs × inputs).
  public func evaluate(
    _ input: some Collection<Double>, workspace: inout Workspace, into jacobian: inout Matrix
  ) {
    precondition(input.count == inputCount && jacobian.rows == outputs.count)
    for (index, value) in input.enumerated() { workspace.values[index] = value }
    for unit in bias.indices {
      var sum = bias[unit]
      for edge in firstEdge[unit]..<firstEdge[unit + 1] {
        sum += edgeWeight[edge] * workspace.values[edgeSource[edge]]
      }
      workspace.values[inputCount + unit] = activation[unit].value(sum)
      workspace.slopes[unit] = activation[unit].slope(sum)
    }
    for (row, output) in outputs.enumerated() {
      for input in 0..<inputCount { workspace.adjoints[input] = 0 }
      for unit in ancestors[row] { workspace.adjoints[inputCount + unit] = 0 }
      workspace.adjoints[inputCount + output] = 1
      for unit in ancestors[row] {
        let delta = workspace.adjoints[inputCount + unit] * workspace.slopes[unit]
        if delta == 0 { continue }
        for edge in firstEdge[unit]..<firstEdge[unit + 1] {
          workspace.adjoints[edgeSource[edge]] += edgeWeight[edge] * delta
        }
      }
      for input in 0..<inputCount { jacobian[row, input] = workspace.adjoints[input] }
    }
  }

  /// ∂f/∂x at one (standardised) input.
  public func jacobian(_ input: [Double]) -> Matrix {
    var workspace = Workspace(self)
    var result = Matrix(rows: outputs.count, columns: inputCount)
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
