import Dynamics
import Interchange
import LinearAlgebra
import Networks

extension Prediction: ExpressibleByArgument {}

/// What the user states about a model where its file does not.
public struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What a model's outputs are: the rates of change of states, the states at the next sample, or values of \
      their own. Usually found in the file; without anything there, values.
      """, valueName: "rate|next|value"))
  public var predicts: Prediction?

  @Option(
    help: ArgumentHelp("Which output of a model file with several to read.", valueName: "name"))
  public var outputName: String?

  @Option(
    help: ArgumentHelp(
      "Names of a model's inputs in their order, separated by commas, each possibly with its unit: "
        + "\"level [m],pump\".", valueName: "names"))
  public var inputNames: String?

  @Option(help: ArgumentHelp("The same for its outputs.", valueName: "names"))
  public var outputNames: String?

  public init() {}

  public var description: ModelDescription {
    ModelDescription(
      inputs: inputNames.map { NameList.parse($0) },
      outputs: outputNames.map { NameList.parse($0) },
      outputName: outputName, predicts: predicts)
  }
}

extension Ensemble {
  /// The ensemble standardised by the data if its file has no scaling: "standardised" then means standard
  /// deviations over these samples. Prints a note that it does so.
  ///
  /// - Parameter points: samples × inputs in physical units.
  public func standardisedBy(_ points: Matrix, of path: String, quietly: Bool = false) -> Ensemble {
    guard members.contains(where: \.scalesNothing), points.rows > 1 else { return self }
    var result = self
    result.members = members.map { $0.scalesNothing ? $0.standardised(by: points) : $0 }
    if !quietly {
      Console.note(
        "note: \(name) scales neither its inputs nor its outputs; what is called standardised is in deviations "
          + "over the samples of \(path)")
    }
    return result
  }
}
