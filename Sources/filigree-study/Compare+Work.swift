import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import Networks
import Reporting
import Structure
import Study
import SystemPackage

extension Compare {
  /// One of the two, as it is on disk.
  private struct Side {
    var ensemble: Ensemble
    /// Nil for what is no study.
    var study: StudyRun?
  }

  func answer() async throws {
    if let output {
      try WholeFile.checkWritable(output, force: force)
      try refuseOverwriting(output, [data].compactMap { $0 }, models: [first, second])
    }
    let recipes = try parsedRecipes()
    var (one, other) = (try side(first, recipes.0), try side(second, recipes.1))
    if one.ensemble.name == other.ensemble.name {
      one.ensemble.name = Self.name(first, one.ensemble.name)
      other.ensemble.name = Self.name(second, other.ensemble.name)
    }
    try one.ensemble.checkComparable(with: other.ensemble)
    let (common, place) = try commonData(one, other)
    var options = EnsembleComparison.Options()
    let plan = (one.study ?? other.study)?.plan
    options.threshold = threshold ?? plan?.threshold ?? options.threshold
    options.horizons = try parsedHorizons() ?? plan?.horizons
    let comparison = try await compare(one.ensemble, other.ensemble, common, place, options)
    if let remark = comparison.remark { run.note("note: \(remark)") }
    if let output {
      let page = try ReportPage.html(try await comparison.document())
      try WholeFile.write(Array(page.utf8), to: output, force: force)
      run.note("\(output): \(one.ensemble.name) and \(other.ensemble.name)")
    }
    try printResult(
      comparison.tables, json: comparison.result, format: format.format,
      csv: comparison.pairsTable)
  }

  private func compare(
    _ one: Ensemble, _ other: Ensemble, _ common: Trajectories?, _ place: String?,
    _ options: EnsembleComparison.Options
  ) async throws -> EnsembleComparison {
    do {
      return try await EnsembleComparison(
        one, other, over: common, place: place, options: options, threads: run.threads)
    } catch let problem as DataProblem {
      throw FileProblem.badData(path: data ?? first, problem: problem)
    }
  }

  private func side(_ path: String, _ recipe: String?) throws -> Side {
    let isStudy = FileManager.default.fileExists(
      atPath: FilePath(path).appending("study.json").string)
    guard isStudy else {
      guard recipe == nil else {
        throw ValidationError("--recipes: \(path) is no study.")
      }
      return Side(ensemble: try Ensemble.load(path))
    }
    let study = try StudyFolder(reading: path).study(threads: run.threads)
    let names = study.plan.recipes.map(\.name)
    if let recipe, !names.contains(recipe) {
      throw ValidationError(
        "--recipes: \(path) has no recipe \"\(recipe)\"; it has \(names.joined(separator: ", ")).")
    }
    let ensemble = try StudyReport(study).ensemble(recipe: recipe)
    StudyFolder.warn(of: study.damagedParts, StudyFolder.counting)
    guard let ensemble else {
      throw FileProblem.malformed(
        path: path, place: "",
        reason:
          "nothing \(recipe.map { "of \($0) " } ?? "")has been trained yet; filigree-study run PLAN --output \(path) "
          + "does it")
    }
    return Side(ensemble: ensemble, study: study)
  }

  /// "monday: sparse"
  private static func name(_ path: String, _ name: String) -> String {
    let short = FilePath(path).lexicallyNormalized().lastComponent?.string ?? path
    return short == name ? path : "\(short): \(name)"
  }

  /// What both are looked at over.
  private func commonData(_ one: Side, _ other: Side) throws -> (Trajectories?, String?) {
    if let data {
      let read = try tables.read(data, gaps: .inStates, quiet: run.quiet)
      return (try declaring(one.ensemble, read), data)
    }
    for (side, path) in [(one, first), (other, second)] {
      guard let study = side.study else { continue }
      return (try study.testData(), "the test data of \(path)")
    }
    run.note(
      "note: without --data errors are not compared, and structure is that of weights and tests")
    return (nil, nil)
  }

  /// With what the models call inputs as inputs, where a table does not say.
  private func declaring(_ ensemble: Ensemble, _ data: Trajectories) throws -> Trajectories {
    let controls = ForecastReferences.plainInputs(of: [ensemble], data)
      .filter { $0.role == .control }.map(\.name)
    let there = Set(data.variables.map(\.name))
    guard tables.inputs == nil, controls.allSatisfy(there.contains),
      Set(controls) != Set(data.controls.map(\.name))
    else { return data }
    return try data.declaring(controls: controls)
  }
}
