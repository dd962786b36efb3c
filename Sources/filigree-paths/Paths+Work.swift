import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Structure

extension Paths {
  func answer() throws {
    var ensemble = try Ensemble.load(
      models, cut: cut.cut, told: reading.description, quietly: describe)
    if describe {
      let described = ModelDescriptionReport(ensemble)
      return try printResult(described.tables, json: described.result, format: format.format)
    }
    let points = try points(ensemble)
    if let points, output == nil { ensemble = ensemble.standardisedBy(points, of: data ?? "") }
    guard explain.isEmpty else { return try explainPair(ensemble, points) }
    if let output { try writeLivePart(ensemble, points, to: output) }
    let report = PathsReport(
      ensemble, strongest: strongest, perPair: pairs, data: points,
      elsewhere: "For the paths of a member name its file, or ask for JSON.")
    try printResult(
      report.tables, json: report.results, format: format.format, csv: report.pairsTable)
  }

  private func points(_ ensemble: Ensemble) throws -> Matrix? {
    guard let data else { return nil }
    return try ensemble.points(of: try tables.read(data), from: data)
  }

  private func writeLivePart(_ ensemble: Ensemble, _ points: Matrix?, to path: String) throws {
    guard ensemble.members.count == 1, var model = ensemble.members.first else {
      throw ValidationError(
        "--output writes one model, and \(models) has \(ensemble.members.count) members: name a member's file."
      )
    }
    let asRead =
      cut.cut > 0
      ? try Ensemble.load(models, told: reading.description, quietly: true).members[0] : model
    try refuseOverwriting(path, [data].compactMap { $0 }, models: [models])
    let check = LivePartCheck(model, asRead: asRead.network, over: points)
    guard check.deviation < LivePartCheck.tolerance else {
      throw DataMismatch("\(models): \(check.words); nothing was written")
    }
    model.network = check.part
    try WholeFile.write(try model.onnx(path: path), to: path, force: force)
    Console.note("\(path): \(check.words)")
    if cut.cut > 0 {
      Console.warning(
        "--cut \(cut.cut) is in it: its outputs differ from those of the file as it was read by up to "
          + String(format: "%.2g %% of the largest", 100 * check.deviationFromUncut))
    }
  }

  private func explainPair(_ ensemble: Ensemble, _ points: Matrix?) throws {
    let (output, input) = try ensemble.pair(named: explain)
    let explanation = Explanation(
      ensemble, output: output, input: input, strongest: strongest, data: points)
    try printResult(explanation.tables, json: explanation, format: format.format)
  }
}
