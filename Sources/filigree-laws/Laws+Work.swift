import CommandSupport
import Drawing
import Dynamics
import Findings
import GraphDrawing
import Interchange
import Laws
import LinearAlgebra
import Networks
import Reporting

extension LawsTool {
  /// Everything that is told, for programs.
  struct Result: Encodable {
    var version = 1
    var inputs: [Variable]
    var outputs: [Variable]
    var interactions: InteractionReport.Result?
    var formulas: FormulaReport.Result?
    var conservation: ConservationReport.Result?
  }

  func answer() async throws {
    for path in [output, plot].compactMap({ $0 }) {
      try refuseOverwriting(path, [data].compactMap { $0 }, models: [models])
      try WholeFile.checkWritable(path, force: force)
    }
    var ensemble = try Ensemble.load(models, cut: cut.cut, told: reading.description)
    guard let path = data else { return try tellPoint(ensemble) }
    let trajectories = try tables.read(path, quiet: run.quiet)
    let points = try ensemble.points(of: trajectories, from: path)
    ensemble = ensemble.standardisedBy(points, of: path)
    let rates = try asRates(ensemble, trajectories, path)
    if let notation { return try await writeFormulas(rates, trajectories, in: notation) }
    try await tell(rates, trajectories, points)
  }

  private func tellPoint(_ ensemble: Ensemble) throws {
    let local = LocalFormula(
      ensemble, at: try NamedValues.point(at ?? "", option: "--at", of: ensemble.members[0]))
    try printResult([local.table(ensemble)], json: local, format: outputFormat)
  }

  private var outputFormat: OutputFormat { OutputFormat(rawValue: format.rawValue) ?? .table }

  /// Laws are of rates: models of the next state become models of the rates that make the same steps.
  private func asRates(
    _ ensemble: Ensemble, _ data: Trajectories, _ path: String
  ) throws -> Ensemble {
    var result = ensemble
    if ensemble.members[0].predicts == .next {
      let rates = ensemble.members.compactMap { $0.asRates(timeStep: data.timeStep) }
      guard rates.count == ensemble.members.count else {
        throw DataMismatch(
          "\(ensemble.name): the state of an output is no input, so that its next value gives no rate; "
            + "--predicts value takes outputs as they are")
      }
      result.members = rates
    }
    if let own = ensemble.members[0].timeStep, abs(own / data.timeStep - 1) > 1e-9 {
      throw DataMismatch(
        "\(path) has a time step of \(Float(data.timeStep)) s, and \(ensemble.name) was trained on "
          + "\(Float(own)) s: a formula is judged by the steps that it makes; --every resamples data"
      )
    }
    return result
  }

  private func formulas(_ ensemble: Ensemble, _ data: Trajectories) async throws -> Formulas {
    guard !ensemble.inputs.haveLags else {
      throw DataMismatch(
        "\(ensemble.name) reads past values, of which a rate is no function: it has no formulas; "
          + "--show interactions tells which of its inputs act together")
    }
    let progress = ProgressLine(
      total: ensemble.outputs.count, unit: "outputs", quiet: run.quiet)
    let found = try await Formulas(
      ensemble, data, factor: factor, threads: run.threads
    ) { progress.advance() }
    progress.finish()
    return found
  }

  private func writeFormulas(
    _ ensemble: Ensemble, _ data: Trajectories, in notation: FormulaNotation
  ) async throws {
    let found = try await formulas(ensemble, data)
    let text =
      notation == .latex
      ? FormulaDocument.latex(found.outputs, of: ensemble)
      : FormulaProgram.source(found.outputs, of: ensemble, in: notation)
    let missing = found.outputs.filter { !$0.isAccepted }.map { ensemble.outputs[$0.output] }
    if !missing.isEmpty {
      Console.warning("no formula is as good as the networks for \(missing.listed)")
    }
    guard let output else { return try Console.output(text) }
    try WholeFile.write(Array(text.utf8), to: output, force: force)
    run.note("\(output): \(counted(found.outputs.count - missing.count, "formula"))")
  }

  private func tell(_ ensemble: Ensemble, _ data: Trajectories, _ points: Matrix) async throws {
    let parts = try parts
    var result = Result(inputs: ensemble.inputs, outputs: ensemble.outputs)
    var tables: [Table] = []
    var first: Table?
    if parts.contains(.interactions) {
      let chosen = points.evenlySpaced(samples)
      let report = InteractionReport(
        ensemble, try await Interactions(ensemble, over: chosen, threads: run.threads),
        over: chosen, threshold: threshold)
      result.interactions = report.result
      tables += report.tables
      if let plot { try draw(report.parts, of: ensemble, to: plot) }
    }
    if parts.contains(.formulas), show != nil || !ensemble.inputs.haveLags {
      let report = FormulaReport(ensemble, try await formulas(ensemble, data), factor: factor)
      result.formulas = report.result
      tables += report.tables
      first = report.table
    } else if parts.contains(.formulas) {
      Console.warning("models that read past values have no formulas of rates")
    }
    if parts.contains(.conservation), !ensemble.inputs.haveLags {
      let report = ConservationReport(ensemble, try Conservation(ensemble, data))
      result.conservation = report.result
      tables.append(report.table)
    }
    try printResult(tables, json: result, format: outputFormat, first: first)
  }

  private func draw(_ parts: [AdditiveParts], of ensemble: Ensemble, to path: String) throws {
    guard let format = Renderer.Format(rawValue: WholeFile.ending(path)) else { return }
    let graph = GroupDrawing(
      ensemble,
      groups: parts.map { $0.parts.map { .init(inputs: $0.inputs, strength: $0.strength) } },
      title: "\(ensemble.name): inputs that act together"
    ).graph
    try WholeFile.write(try Renderer.render(graph, as: format), to: path, force: force)
    run.note("\(path): \(counted(graph.nodes.count, "node"))")
  }
}
