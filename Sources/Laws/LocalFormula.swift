import Dynamics
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The affine formula of a model at a point, y = c + Σ aᵢ xᵢ in physical units, with how far it holds.
public struct LocalFormula: Encodable, Sendable {
  public struct Output: Encodable, Sendable {
    public var output: String
    public var value: Double
    public var constant: Double
    /// Per input of the model.
    public var slopes: [Double]
    /// The shortest way along one input, in its deviations, over which the slopes (standardised) change by a tenth of
    /// their length; nil where none up to `reach` does.
    public var distance: Double?
    /// Which input that is.
    public var along: String?
  }

  /// How far is looked, in deviations.
  public static let reach = 3.0

  public let inputs: [String]
  public let point: [Double]
  public let outputs: [Output]

  /// - Parameters:
  ///   - ensemble: whose members' mean is taken.
  ///   - point: of its inputs, in physical units.
  public init(_ ensemble: Ensemble, at point: [Double]) {
    let members = ensemble.members.map { ($0, JacobianEvaluator($0.network)) }
    func slopes(_ place: [Double]) -> Matrix {
      let sum = members.map { model, evaluator in
        model.physical(evaluator.jacobian(model.inputScaling.standardise(place)))
      }
      let first = sum.dropFirst().reduce(sum[0]) { $0 + $1 }
      return first.map { $0 / Double(members.count) }
    }
    let here = slopes(point)
    let values = MeanModel(ensemble).outputs(point)
    let deviations = ensemble.members[0].inputScaling.deviation
    var distances = [(distance: Double, along: Int)?](repeating: nil, count: values.count)
    // A geometric grid finds the first change, wherever slopes change back later.
    let lengths = (0...40).map { Self.reach * Double.exp(-0.2 * Double(40 - $0)) }
    for input in point.indices {
      for direction in [-1.0, 1] {
        for length in lengths {
          var moved = point
          moved[input] += direction * length * deviations[input]
          let there = slopes(moved)
          for output in values.indices where distances[output].map({ length < $0.distance }) ?? true
          {
            func size(_ matrix: Matrix) -> Double {
              var sum = 0.0
              for (column, deviation) in deviations.enumerated() {
                let part = matrix[output, column] * deviation
                sum += part * part
              }
              return sum.squareRoot()
            }
            if size(there - here) > 0.1 * size(here) { distances[output] = (length, input) }
          }
        }
      }
    }
    inputs = ensemble.inputs.map(\.name)
    self.point = point
    outputs = values.indices.map { output in
      let slopes = Array(here.row(output))
      var constant = values[output]
      for (slope, value) in zip(slopes, point) { constant -= slope * value }
      return Output(
        output: ensemble.outputs[output].name, value: values[output], constant: constant,
        slopes: slopes, distance: distances[output]?.distance,
        along: (distances[output]?.along).map { ensemble.inputs[$0].name })
    }
  }

  /// One row per output.
  public func table(_ ensemble: Ensemble) -> Table {
    var table = Table(
      title: "Affine formulas at the point, in physical units (mean of the members)",
      columns: ["constant"] + inputs + ["holds over", "along"],
      rows: outputs.enumerated().map { index, output in
        (
          ensemble.members[0].label(ofOutput: index),
          [.number(output.constant)]
            + output.slopes.map { $0 == 0 ? .trueZero : .number($0) }
            + [
              output.distance.map { .number($0) } ?? .text("> \(Int(Self.reach))"),
              output.along.map { .text($0) } ?? .missing,
            ]
        )
      })
    table.hasThreeDigits = true
    table.notes = [
      "Holds over: the shortest way along one input, in its standard deviations, over which the slopes change by a "
        + "tenth."
    ]
    return table
  }
}
