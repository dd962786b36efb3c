import Dynamics
import Networks
import Structure

extension StudyReport {
  /// The ensemble that the report is about, or that of another recipe, from the most trajectories and with the least
  /// noise.
  ///
  /// - Parameter recipe: its name; nil for the one that the report shows.
  /// - Returns: nil where nothing of it has been trained and judged.
  /// - Throws: what reading models throws.
  public func ensemble(recipe: String? = nil) throws -> Ensemble? {
    let group: StudyResults.Group?
    if let recipe {
      group = quiet.filter { plan.recipes[$0.cell.recipe].name == recipe && isCompared($0) }
        .max { $0.cell.size < $1.cell.size }
    } else {
      group = shown
    }
    guard let group else { return nil }
    let models = try models(group)
    guard !models.isEmpty else { return nil }
    var ensemble = Ensemble(name: name(group), members: models)
    ensemble.evidence = group.evidence
    return ensemble
  }
}

extension StudyRun {
  /// The test data of the plan: simulated, or from its file.
  ///
  /// - Throws: `DataProblem` where they cannot be simulated.
  public func testData() throws -> Trajectories { try data.testData() }
}
