import Dynamics
import Networks
import Reporting

/// What was read of a model's file: its variables and their scaling, what was folded and assumed.
public struct ModelDescriptionReport {
  public struct Result: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var predicts: Prediction
    var report: [String]
  }

  private let name: String
  private let model: Model
  public let result: Result

  /// - Parameter ensemble: of which the first member is described.
  public init(_ ensemble: Ensemble) {
    name = ensemble.name
    model = ensemble.members[0]
    result = Result(
      inputs: model.inputs, outputs: model.outputs, predicts: model.predicts,
      report: ensemble.report)
  }

  public var tables: [Table] {
    func row(_ variable: Variable, _ name: String, _ mean: Double, _ deviation: Double) -> (
      String, [Cell]
    ) {
      (name, [.text(variable.unit), .number(mean), .number(deviation)])
    }
    let columns = ["unit", "mean", "deviation"]
    return [
      Table(
        title: "\(name): inputs, as the file scales them", corner: "input",
        columns: columns,
        rows: model.inputs.enumerated().map {
          row($1, $1.name, model.inputScaling.mean[$0], model.inputScaling.deviation[$0])
        }),
      Table(
        title: "Outputs: \(model.wordForOutputs)", corner: "output", columns: columns,
        rows: model.outputs.enumerated().map {
          row(
            $1, model.label(ofOutput: $0), model.outputScaling.mean[$0],
            model.outputScaling.deviation[$0])
        }, notes: result.report),
    ]
  }
}
