import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Study
import Training

/// Reads files that Scripts/faults has damaged, one after the other, and says what became of each: a line "KIND TAB
/// PATH" in, a line "read", "damaged TAB which" or "refused TAB why" out. If it ends before it has answered, that
/// is a crash.
@main
struct FaultProbe {
  static func main() async {
    while let line = readLine() {
      let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      do {
        answer(try read(parts[0], parts[1]))
      } catch {
        answer("refused\t\("\(error)".singleLine)")
      }
    }
  }

  private static func answer(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }

  private static func read(_ kind: String, _ path: String) throws -> String {
    switch kind {
    case "onnx", "json":
      for model in try EnsembleFolder.read(path).members {
        _ = model.rates(model.inputs.map { _ in 0.5 })
        _ = model.network.survivingWeightCount
      }
    case "netcdf", "csv", "npz":
      let data = try TrajectoryFile.read(path, gaps: .inStates)
      _ = try Regression(data).standardisation()
    case "yaml":
      _ = try StudyPlan(path: path, parseRecipe: recipe)
    case "state":
      // Their only file there is the state of member 0's first tower.
      let folder = try CheckpointFolder(output: path, settings: settings(path), start: .resume)
      _ = try folder.checkpoints(interval: .zero).load(.init(member: 0, tower: 0))
    case "unit":
      return try study(path)
    default:
      return "refused\tunknown kind \(kind)"
    }
    return "read"
  }

  private static func recipe(_ options: [(name: String, value: String)]) throws -> Recipe {
    do {
      let words = options.map { name, value in
        RecipeOptions.flags.contains(name)
          ? (value == "true" ? "--" : "--no-") + name : "--\(name)=\(value)"
      }
      return try RecipeOptions.parse(words).made()
    } catch {
      throw DataMismatch(RecipeOptions.message(for: error))
    }
  }

  /// What the script wrote beside the training.
  private static func settings(_ path: String) throws -> [String: String] {
    var settings = try CanonicalJSON.value(
      [String: String].self, from: try WholeFile.read(path + ".settings"))
    settings["digest"] = nil
    return settings
  }

  /// All tables of a study, from parts of which some are damaged.
  private static func study(_ folder: String) throws -> String {
    let plan = try StudyPlan(path: folder + "/plan.yaml", parseRecipe: recipe)
    let study = try StudyRun(
      plan, path: folder + "/plan.yaml", folder: folder, version: filigreeVersion, threads: 1)
    let results = study.results()
    _ = (results.recipeRows, results.memberRows, results.warnings)
    return study.damagedParts.isEmpty
      ? "read" : "damaged\t" + study.damagedParts.joined(separator: " ")
  }
}
