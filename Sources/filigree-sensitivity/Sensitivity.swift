import CommandSupport
import Dynamics
import Foundation
import Interpretation
import LinearAlgebra
import Networks

@main
struct Sensitivity: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-sensitivity",
    abstract: "Exact Jacobians of a model, and the input-relevance table.",
    discussion: """
      Over data: mean |J| of each rate with respect to each input, the mean of an ensemble's members \
      with their spread. At a point: J itself. Standardised units compare inputs with each other \
      (deviations of the output per deviation of the input, both of the training data); physical \
      units are rates per unit of the input. A dot means that no path is left: exactly zero.

      Where the inputs are set by feedback from the states, data alone cannot tell their effects \
      apart; a relevance is a statement about the model.

      EXAMPLES
        filigree-sensitivity models/sparse --data test.nc
        filigree-sensitivity models/sparse --data test.nc --units physical --format csv
        filigree-sensitivity models/sparse/member-00.onnx --point T_bath=965,I_line=140000
      """,
    version: filigreeVersion)

  enum Units: String, ExpressibleByArgument, CaseIterable { case standardised, physical }

  @Argument(help: "A model (.onnx) or the folder of an ensemble.", completion: .file())
  var models: String

  @Option(help: "Trajectories to average over.", completion: .file())
  var data: String?

  @Option(
    help: ArgumentHelp(
      "A point in physical units; what is not named stays at the training mean.",
      valueName: "name=value,…"))
  var point: String?

  @Option(help: "standardised or physical.")
  var units = Units.standardised

  @OptionGroup var cut: CutOption
  @OptionGroup var controls: ControlsOption
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (data == nil) != (point == nil) else {
      throw ValidationError("Give either --data FILE to average over, or --point name=value,….")
    }
  }

  struct Result: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    /// Over data: how many samples; at a point: nil.
    var samples: Int?
    /// outputs × inputs; nil at a point.
    var relevance: [[Double]]?
    var relevanceSpread: [[Double]]?
    /// outputs × inputs: mean of J over data, or J at the point.
    var jacobian: [[Double]]
    var jacobianSpread: [[Double]]?
  }

  mutating func work() async throws {
    let ensemble = try Ensemble.load(models, cut: cut.cut)
    if let data {
      try await printRelevance(ensemble, data)
    } else {
      try printJacobian(ensemble, try parsePoint(ensemble.members[0]))
    }
  }

  private func printRelevance(_ ensemble: Ensemble, _ path: String) async throws {
    let relevance: EnsembleRelevance
    do {
      relevance = try await EnsembleRelevance(
        ensemble, over: try controls.read(path), threads: run.threads)
    } catch let problem as DataProblem {
      throw DataMismatch("\(path): \(problem)")
    }
    let mean = inUnits(relevance.mean, ensemble)
    let spread = inUnits(relevance.spread, ensemble)
    let samples = relevance.members[0].samples
    var tables = [
      table(
        "Relevance of inputs for rates of change: mean |J| over \(samples) samples, "
          + "\(unitsText)\(membersText(ensemble))", mean, ensemble)
    ]
    if ensemble.members.count > 1 {
      tables.append(table("Spread over the members (standard deviation)", spread, ensemble))
    }
    let result = Result(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: ensemble.members.count, samples: samples, relevance: nested(mean),
      relevanceSpread: nested(spread), jacobian: nested(inUnits(relevance.signedMean, ensemble)))
    try printResult(tables, json: result, format: format.format)
  }

  private func printJacobian(_ ensemble: Ensemble, _ point: [Double]) throws {
    let jacobians = ensemble.members.map { model in
      units == .physical
        ? model.physicalJacobian(point)
        : JacobianEvaluator(model.network).jacobian(model.inputScaling.standardise(point))
    }
    let first = jacobians[0]
    func over(_ statistic: ([Double]) -> Double) -> Matrix {
      Matrix(rows: first.rows, columns: first.columns) { row, column in
        statistic(jacobians.map { $0[row, column] })
      }
    }
    let mean = over { $0.mean }
    let spread = over { $0.standardDeviation }
    var tables = [
      table(
        "Jacobian of the rates of change at the point, \(unitsText)\(membersText(ensemble))", mean,
        ensemble)
    ]
    if jacobians.count > 1 {
      tables.append(table("Spread over the members (standard deviation)", spread, ensemble))
    }
    let result = Result(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: jacobians.count, jacobian: nested(mean), jacobianSpread: nested(spread))
    try printResult(tables, json: result, format: format.format)
  }

  private var unitsText: String {
    units == .standardised ? "standardised" : "physical units (rate per unit of input)"
  }

  private func membersText(_ ensemble: Ensemble) -> String {
    ensemble.members.count > 1 ? ", mean of \(ensemble.members.count) members" : ""
  }

  /// Members share their standardisation when they were trained together; otherwise each has its own,
  /// and the first member's is used.
  private func inUnits(_ matrix: Matrix, _ ensemble: Ensemble) -> Matrix {
    units == .physical ? ensemble.members[0].physical(matrix) : matrix
  }

  private func nested(_ matrix: Matrix) -> [[Double]] {
    (0..<matrix.rows).map { Array(matrix.row($0)) }
  }

  private func table(_ title: String, _ matrix: Matrix, _ ensemble: Ensemble) -> Table {
    let isPhysical = units == .physical
    return Table(
      title: title, columns: ensemble.inputs.map { isPhysical ? $0.label : $0.name },
      rows: ensemble.outputs.enumerated().map { row, output in
        (
          isPhysical ? output.label : output.name,
          matrix.row(row).map { $0 == 0 ? .trueZero : .number($0) }
        )
      })
  }

  /// - Throws: `ValidationError` for what is not name=value or names no input.
  private func parsePoint(_ model: Model) throws -> [Double] {
    var values = model.inputScaling.mean
    var named = Set<String>()
    for item in NameList.parse(point ?? "") {
      guard let equals = item.lastIndex(of: "="),
        let value = Double(item[item.index(after: equals)...]), value.isFinite
      else {
        throw ValidationError("--point: \"\(item)\" is not of the form name=number.")
      }
      let name = String(item[..<equals])
      guard let index = model.inputs.firstIndex(where: { $0.name == name }) else {
        throw ValidationError(
          "--point: the model has no input \"\(name)\"; it has "
            + model.inputs.listed + ".")
      }
      guard named.insert(name).inserted else {
        throw ValidationError("--point: \"\(name)\" is given twice.")
      }
      values[index] = value
    }
    return values
  }
}
