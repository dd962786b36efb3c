import CommandSupport
import Dynamics
import Foundation
import Interchange
import Interpretation
import LinearAlgebra
import Networks

/// Along a trajectory: the Jacobian as a function of time, and the modes of the linearised model.
extension Sensitivity {
  func writeJacobians(
    _ ensemble: Ensemble, _ data: Trajectories, _ source: String, to path: String
  ) throws {
    guard data.samples.count == 1 else {
      throw ValidationError(
        "--output writes the Jacobian along one trajectory, and \(source) has \(data.samples.count): say "
          + "which with --trajectory.")
    }
    let points = try ensemble.points(of: data, from: source)
    let (members, samples) = (ensemble.members.count, points.rows)
    var file = GriddedFile(dimensions: [
      ("member", members), ("time", samples), ("output", ensemble.outputs.count),
      ("input", ensemble.inputs.count),
    ])
    let (outputs, inputs) = (ensemble.outputs.count, ensemble.inputs.count)
    var values = [Double](repeating: 0, count: members * samples * outputs * inputs)
    for (member, model) in ensemble.members.enumerated() {
      var batch = JacobianBatch(LiveStructure(model.network).network)
      let scale =
        units == .physical
        ? model.physical(Matrix(rows: outputs, columns: inputs, repeating: 1)) : nil
      batch.forEachBlock(points, model.inputScaling) { jacobians, first, count in
        for lane in 0..<count {
          let place = (member * samples + first + lane) * outputs * inputs
          for entry in 0..<(outputs * inputs) {
            values[place + entry] =
              jacobians[entry * JacobianBatch.lanes + lane] * (scale?.elements[entry] ?? 1)
          }
        }
      }
    }
    file.variables = [
      .init(
        "time", dimensions: [1], values: (0..<samples).map { Double($0) * data.timeStep },
        texts: ["units": "s", "long_name": "time since the start of the trajectory"]),
      .init(
        "jacobian", dimensions: [0, 1, 2, 3], values: values,
        texts: [
          "long_name": "derivative of the rate of change of output with respect to input",
          "units": units == .physical ? "unit of the output per second and unit of the input" : "1",
        ]),
    ]
    func list(_ variables: [Variable], _ part: (Variable) -> String) -> String {
      variables.map(part).joined(separator: "\n")
    }
    file.attributes = [
      "outputs": list(ensemble.outputs, \.name), "inputs": list(ensemble.inputs, \.name),
      "output_units": list(ensemble.outputs, \.unit), "input_units": list(ensemble.inputs, \.unit),
      "scaling": units == .physical ? "physical" : "standardised",
      "source": "Jacobians of \(ensemble.name) by filigree-sensitivity",
      "comment": "names and units are lists, one to a line, in the order of the dimensions",
    ]
    try WholeFile.write(try file.bytes(path: path), to: path, force: force)
    run.note(
      "\(path): \(counted(members, "member")) × \(samples) samples × \(outputs) × \(inputs), \(unitsText)"
    )
  }

  // MARK: Modes

  struct StabilityResult: Encodable {
    struct Entry: Encodable {
      var name: String
      var samples: Int
      var modes: [Stability.Mode]
      var unstableSamples: Int
    }

    var timeStep: Double
    var members: [Entry]
    var plant: Entry?
  }

  func printStability(_ ensemble: Ensemble, _ data: Trajectories, _ path: String) async throws {
    let points = try ensemble.points(of: data, from: path)
    let step = max(1, points.rows / samples)
    let rows = Array(stride(from: 0, to: points.rows, by: step))
    let chosen = Matrix(rows.map { Array(points.row($0)) })
    let members = try await concurrentMap(ensemble.members.count, threads: run.threads) { index in
      let jacobians: [Matrix]
      do {
        jacobians = try ensemble.members[index].stateJacobians(at: chosen)
      } catch {
        throw DataMismatch("\(ensemble.name): the state of an output is no input: \(error)")
      }
      guard let found = Stability(jacobians, timeStep: data.timeStep) else {
        throw DataMismatch(
          "\(ensemble.name), member \(index): a Jacobian has no finite eigenvalues")
      }
      return found
    }
    let truth = try plantStability(data, rows, path)
    let title = ensemble.members.count > 1 ? "median of \(members.count) members" : "model"
    let table = Self.modesTable(members, truth, title, rows.count)
    func entry(_ name: String, _ found: Stability) -> StabilityResult.Entry {
      .init(
        name: name, samples: found.samples, modes: found.modes,
        unstableSamples: found.largest.count { $0 > Stability.unstableAbove })
    }
    let result = StabilityResult(
      timeStep: data.timeStep,
      members: members.enumerated().map { entry("\($0)", $1) },
      plant: truth.map { entry(plant ?? "", $0) })
    try printResult([table], json: result, format: format.format)
  }

  private func plantStability(_ data: Trajectories, _ rows: [Int], _ path: String) throws
    -> Stability?
  {
    guard let plant else { return nil }
    let known = try variation.plant(plant)
    let points: Matrix
    do {
      points = try data.points(of: known.states + known.controls)
    } catch {
      throw DataMismatch("\(path): \(error)")
    }
    let states = known.states.count
    let jacobians = rows.compactMap { row -> Matrix? in
      let (state, controls) = (
        Array(points.row(row).prefix(states)), Array(points.row(row).dropFirst(states))
      )
      guard known.isInDomain(state: state, controls: controls) else { return nil }
      let jacobian = known.incrementJacobian(state: state, controls: controls)
      return jacobian.submatrix(rows: Array(0..<states), columns: Array(0..<states))
    }
    guard !jacobians.isEmpty else {
      throw DataMismatch("\(path): no sample lies where the plant \(plant) is defined")
    }
    return Stability(jacobians, timeStep: data.timeStep)
  }

  private static func modesTable(
    _ members: [Stability], _ truth: Stability?, _ title: String, _ samples: Int
  ) -> Table {
    func median(_ values: [Double]) -> Cell {
      values.isEmpty ? .missing : .number(values.sorted().quantile(0.5))
    }
    func share(_ value: Double) -> Cell { value == 0 ? .trueZero : .number(100 * value) }
    func cells(_ modes: [Stability.Mode]) -> [Cell] {
      func constant(_ index: Int) -> Cell {
        median(modes.compactMap { $0.timeConstant?[index] }.map { $0 / 60 })
      }
      return [
        constant(1), constant(0), constant(2), share(modes.map(\.integrating).mean),
        share(modes.map(\.unstable).mean), share(modes.map(\.oscillating).mean),
      ]
    }
    let names = ["τ min", "5 %", "95 %", "% int.", "% unst.", "% osc."]
    var table = Table(
      title:
        "Modes of x + Δt · rates, linearised at \(samples) samples; the slowest first, \(title)",
      corner: "mode", columns: names + (truth == nil ? [] : names.map { "plant \($0)" }))
    for rank in members[0].modes.indices {
      var row = cells(members.map { $0.modes[rank] })
      if let truth, rank < truth.modes.count { row += cells([truth.modes[rank]]) }
      while row.count < table.columns.count { row.append(.missing) }
      table.rows.append(("\(rank + 1)", row))
    }
    table.notes = [
      "τ: time constant −Δt/ln|λ| in minutes, median and quantiles over the samples at which the mode decays; "
        + "int.: |λ − 1| < 1e-6; unst.: |λ| > 1 + 1e-4; osc.: a complex pair. Modes are ranked by |λ| at each "
        + "sample."
    ]
    return table
  }
}
