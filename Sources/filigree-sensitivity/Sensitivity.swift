import CommandSupport
import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure

@main
struct Sensitivity: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-sensitivity",
    abstract: "Exact Jacobians of a model, and the input-relevance table.",
    discussion: """
      Over data: mean |J| of each rate with respect to each input, the mean of an ensemble's members \
      with their spread. At a point: J itself. Along a trajectory: J at every sample, to NetCDF, or the modes \
      of the model linearised there. Standardised units compare inputs with each other (deviations of the \
      output per deviation of the input, both of the training data); physical units are rates per unit of \
      the input. A dot means that no path is left: exactly zero.

      Where the inputs are set by feedback from the states, data alone cannot tell their effects \
      apart; a relevance is a statement about the model.

      EXAMPLES
        filigree-sensitivity models/sparse --data test.nc
        filigree-sensitivity models/sparse --data test.nc --plot relevance.svg
        filigree-sensitivity models/sparse --data test.nc --units physical --format csv
        filigree-sensitivity models/sparse --data test.nc --statistics
        filigree-sensitivity models/sparse --data test.nc --by T_bath
        filigree-sensitivity models/sparse --data test.nc --measure permutation
        filigree-sensitivity models/sparse --data test.nc --trajectory 3 --output jacobian.nc
        filigree-sensitivity models/sparse --data test.nc --stability --plant electrolysis
        filigree-sensitivity models/sparse/member-00.onnx --point T_bath=965,I_line=140000
        filigree-sensitivity models/sparse --point I_line=140000 --stability --plant electrolysis
      """,
    version: filigreeVersion)

  enum Units: String, ExpressibleByArgument, CaseIterable { case standardised, physical }

  enum Measure: String, ExpressibleByArgument, CaseIterable {
    case jacobian
    case gradientInput = "gradient-input"
    case integratedGradients = "integrated-gradients"
    case permutation

    var attribution: Attribution.Measure? { .init(rawValue: rawValue) }
  }

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

  @Option(
    help: ArgumentHelp(
      """
      How an input's share is measured: jacobian (mean |J|), gradient-input (slope times distance from the \
      training mean; misleads where the function bends), integrated-gradients (the same along the straight \
      way from the mean, so that shares add up; the way may pass states that never occur), or permutation \
      (rise in squared error when the input is shuffled; misleads where inputs are correlated).
      """))
  var measure = Measure.jacobian

  @Flag(help: "Also the signed mean, the share of samples with each sign, and quantiles of J.")
  var statistics = false

  @Option(
    help: ArgumentHelp(
      "Relevance by operating region: where this variable is low, medium and high (terciles of the data).",
      valueName: "variable"))
  var by: String?

  @Option(
    parsing: .unconditional,
    help:
      "For --stability and measures other than jacobian: at most so many samples, evenly spaced (default: 2000)."
  )
  var samples: Int?
  static let usualSamples = 2000

  @Option(
    parsing: .unconditional, help: "Only this trajectory of the data, counted from 0.")
  var trajectory: Int?

  @Option(
    name: .shortAndLong,
    help: "Write the Jacobian along the trajectory, member by member, to this file (.nc).",
    completion: .file(extensions: ["nc"]))
  var output: String?

  @Flag(
    help: ArgumentHelp(
      """
      The modes of x + Δt · rates, linearised along the data: eigenvalues as time constants, which integrate, \
      which grow.
      """))
  var stability = false

  @Option(
    help: "With --stability: the modes of this plant beside the model's: electrolysis, duffing.")
  var plant: String?

  @Option(
    help: "Draw the relevance table as a heat map (.svg).", completion: .file(extensions: ["svg"]))
  var plot: String?

  @Option(
    parsing: .unconditional, help: "Decides the shufflings of --measure permutation (default: 1).")
  var seed: UInt64?

  @Flag(name: .shortAndLong, help: "Replace files that are there already.")
  var force = false

  @OptionGroup var variation: VariationOption
  @OptionGroup var cut: CutOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (data == nil) != (point == nil) else {
      throw ValidationError("Give either --data FILE to average over, or --point name=value,….")
    }
    if let samples, samples < 2 {
      throw ValidationError("--samples \(samples): must be at least 2.")
    }
    guard samples == nil || stability || measure != .jacobian else {
      throw ValidationError("--samples belongs to --stability or a --measure other than jacobian.")
    }
    guard seed == nil || measure == .permutation else {
      throw ValidationError("--seed belongs to --measure permutation.")
    }
    guard !stability || units == .standardised else {
      throw ValidationError(
        "--units has no meaning with --stability: time constants are in minutes or seconds.")
    }
    let isPlain = measure == .jacobian && !statistics && by == nil
    let modes = [
      ("--statistics", statistics), ("--by", by != nil),
      ("--measure \(measure.rawValue)", measure != .jacobian), ("--output", output != nil),
      ("--stability", stability), ("--point", point != nil),
    ].filter(\.1).map(\.0)
    guard modes.count < 2 || modes == ["--stability", "--point"] else {
      throw ValidationError(
        "\(modes.joined(separator: " and ")) answer different questions; give one.")
    }
    if let output, WholeFile.ending(output) != "nc" {
      throw ValidationError("--output \(output): must end in .nc.")
    }
    if let plot {
      guard WholeFile.ending(plot) == "svg" else {
        throw ValidationError("--plot \(plot): must end in .svg.")
      }
      guard point == nil, isPlain || measure != .jacobian, !stability, output == nil else {
        throw ValidationError(
          "--plot draws the relevance table of --data, or that of --measure; it does not go with --point, "
            + "--statistics, --by, --stability or --output.")
      }
    }
    guard plant == nil || stability else {
      throw ValidationError("--plant belongs to --stability.")
    }
    guard data != nil || trajectory == nil else {
      throw ValidationError("--trajectory belongs to --data.")
    }
    guard plant != nil || variation.vary == nil else {
      throw ValidationError("--vary belongs to --plant.")
    }
    if let plant { _ = try variation.plant(plant) }
  }

  mutating func work() async throws {
    for path in [output, plot].compactMap({ $0 }) {
      try refuseOverwriting(path, [data].compactMap { $0 }, models: [models])
      try WholeFile.checkWritable(path, force: force)
    }
    var ensemble = try Ensemble.load(models, cut: cut.cut, told: reading.description)
    guard let path = data else {
      let point = try parsePoint(ensemble.members[0])
      return stability
        ? try await printStability(ensemble, atPoint: point) : try printJacobian(ensemble, point)
    }
    var trajectories = try tables.read(path, quiet: run.quiet)
    if let trajectory { trajectories = try only(trajectory, of: trajectories, path) }
    if ensemble.members.contains(where: \.scalesNothing), units == .standardised {
      ensemble = ensemble.standardisedBy(
        try ensemble.points(of: trajectories, from: path), of: path)
    }
    if stability {
      try await printStability(ensemble, trajectories, path)
    } else if let output {
      try writeJacobians(ensemble, trajectories, path, to: output)
    } else if let by {
      try await printRegions(ensemble, trajectories, path, by: by)
    } else if let measure = measure.attribution {
      try await printAttribution(measure, ensemble, trajectories, path)
    } else {
      try await printRelevance(ensemble, trajectories, path)
    }
  }

  private func only(_ number: Int, of data: Trajectories, _ path: String) throws -> Trajectories {
    guard data.samples.indices.contains(number) else {
      throw DataMismatch(
        "\(path) has \(counted(data.samples.count, "trajectory")), numbered from 0; there is no "
          + "--trajectory \(number)")
    }
    return data.choosing([number])
  }

  // MARK: What all reports share

  var unitsText: String {
    units == .standardised ? "standardised" : "physical units (rate per unit of input)"
  }

  func membersText(_ ensemble: Ensemble) -> String {
    ensemble.members.count > 1 ? ", mean of \(ensemble.members.count) members" : ""
  }

  /// Members share their standardisation when they were trained together; otherwise each has its own,
  /// and the first member's is used.
  func inUnits(_ matrix: Matrix, _ ensemble: Ensemble) -> Matrix {
    units == .physical ? ensemble.members[0].physical(matrix) : matrix
  }

  /// - Parameter hasTrueZeros: whether a zero says that no path is left.
  func table(
    _ title: String, _ matrix: Matrix, _ ensemble: Ensemble, hasTrueZeros: Bool = true
  ) -> Table {
    let isPhysical = units == .physical
    var table = Table(
      title: title, columns: ensemble.inputs.map { isPhysical ? $0.label : $0.name },
      rows: ensemble.outputs.enumerated().map { row, output in
        (
          isPhysical ? output.label : output.name,
          matrix.row(row).map { $0 == 0 && hasTrueZeros ? .trueZero : .number($0) }
        )
      })
    // Physical sensitivities are small or large as their units want it.
    table.hasThreeDigits = isPhysical
    return table
  }

  /// Mean and standard deviation over the members of one matrix of each.
  static func meanAndSpread(_ matrices: [Matrix]) -> (mean: Matrix, spread: Matrix) {
    let first = matrices[0]
    func over(_ statistic: ([Double]) -> Double) -> Matrix {
      Matrix(rows: first.rows, columns: first.columns) { row, column in
        statistic(matrices.map { $0[row, column] })
      }
    }
    return (over { $0.mean }, over { $0.standardDeviation })
  }

  // MARK: At a point

  struct PointResult: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    /// outputs × inputs
    var jacobian: [[Double]]
    var jacobianSpread: [[Double]]
  }

  private func printJacobian(_ ensemble: Ensemble, _ point: [Double]) throws {
    let jacobians = ensemble.members.map { model in
      units == .physical
        ? model.physicalJacobian(point)
        : JacobianEvaluator(model.network).jacobian(model.inputScaling.standardise(point))
    }
    let (mean, spread) = Self.meanAndSpread(jacobians)
    let isUnscaled = units == .standardised && ensemble.members[0].scalesNothing
    var tables = [
      table(
        "Jacobian of the \(ensemble.members[0].wordForOutputs) at the point, "
          + (isUnscaled ? "in the file's own units, as it scales nothing" : unitsText)
          + membersText(ensemble), mean, ensemble)
    ]
    if jacobians.count > 1 {
      tables.append(table("Spread over the members (standard deviation)", spread, ensemble))
    }
    let result = PointResult(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: jacobians.count, jacobian: mean.nested, jacobianSpread: spread.nested)
    try printResult(tables, json: result, format: format.format)
  }

  /// - Throws: `ValidationError` for text other than name=value, and for names that are not inputs'.
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
          "--point: the model has no input \"\(name)\"; it has " + model.inputs.listed + ".")
      }
      guard named.insert(name).inserted else {
        throw ValidationError("--point: \"\(name)\" is given twice.")
      }
      values[index] = value
    }
    let others = model.inputs.indices.filter { !named.contains(model.inputs[$0].name) }
    if !others.isEmpty, others.allSatisfy({ model.inputScaling.mean[$0] == 0 }) {
      Console.note(
        "note: the file holds no means; \(others.map { model.inputs[$0] }.listed) "
          + "\(others.count == 1 ? "is" : "are") taken at 0")
    }
    let only = Matrix([values])
    if model.outside(only)?.share ?? 0 > 0 {
      Console.warning(
        "the point lies far outside the training data; what the model says there is extrapolation")
    }
    return values
  }
}

extension Matrix {
  /// Row by row.
  var nested: [[Double]] { (0..<rows).map { Array(row($0)) } }
}
