import Evidence
import Foundation
import Networks
import SystemPackage
import Training

/// Models on disk: an `.onnx` file, or a folder of `member-NN.onnx` with an `ensemble.json`.
public enum EnsembleFolder {
  /// The content of `ensemble.json`; nothing in it varies between equal runs.
  public struct Description: Codable, Sendable {
    public var members: [String]
    public var recipe: Recipe
    public var seed: UInt64
    public var trajectories: Int
    public var validationTrajectories: Int
    /// Members that diverged and are therefore not among the files, with the reason.
    public var leftOut: [String: String]?
    /// "halves" where each member learnt from a random half of the trajectories; nil where all learnt from all of
    /// them.
    public var resampling: String?

    /// Then the trajectories of each member trained, counted from 0.
    public var halves: [[Int]]?
    /// SHA-256 of each member's file, by its name; nil where none was recorded.
    public var digests: [String: String]?

    /// The evidence of all members together on every pair; nil where they were trained one by one.
    public var evidence: EnsembleEvidence?

    public static let halves = "halves"

    public init(
      members: [String], recipe: Recipe, seed: UInt64, trajectories: Int,
      validationTrajectories: Int, leftOut: [String: String]? = nil, resampling: String? = nil,
      halves: [[Int]]? = nil, digests: [String: String]? = nil, evidence: EnsembleEvidence? = nil
    ) {
      self.digests = digests
      self.evidence = evidence
      self.halves = halves
      self.resampling = resampling
      self.members = members
      self.recipe = recipe
      self.seed = seed
      self.trajectories = trajectories
      self.validationTrajectories = validationTrajectories
      self.leftOut = leftOut
    }
  }

  public static func memberName(_ index: Int) -> String {
    index < 10 ? "member-0\(index).onnx" : "member-\(index).onnx"
  }

  /// Reads one model, or all members of a folder: those that `ensemble.json` lists, without it every
  /// `.onnx` file by name.
  ///
  /// - Throws: `FileProblem`; members of different variables are `.malformed`.
  ///
  /// - Parameters:
  ///   - path: of the file or folder.
  ///   - told: what the user states about the models; it takes precedence over files beside them and over their
  ///     metadata.
  public static func read(_ path: String, told: ModelDescription = ModelDescription())
    throws(FileProblem) -> Ensemble
  {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    let name = FilePath(path).lexicallyNormalized().lastComponent
    guard isFolder.boolValue else {
      let (model, report) = try read(model: path, told)
      var ensemble = Ensemble(name: name?.stem ?? path, members: [model])
      ensemble.report = report.lines
      return ensemble
    }
    var members: [Model] = []
    var report: [String] = []
    let listing = try listing(path)
    for file in try memberFiles(path, listing) {
      if let name = FilePath(file).lastComponent?.string, let digest = listing?.digests?[name],
        digest != ContentDigest.hex(try WholeFile.read(file))
      {
        throw .malformed(
          path: file, place: "",
          reason:
            "not the model that ensemble.json was written for: it was damaged or replaced. Restore it "
            + "or train again; to take the models as they are, remove ensemble.json")
      }
      let (model, lines) = try read(model: file, told)
      members.append(model)
      if members.count == 1 { report = lines.lines }
    }
    var ensemble = Ensemble(name: self.name(of: path), members: members)
    ensemble.report = report
    ensemble.isGuessed = listing == nil
    if let found = listing?.evidence {
      ensemble.evidence = try evidence(found, of: ensemble, path: path)
    }
    ensemble.isOfHalves = listing?.resampling == Description.halves
    if let odd = ensemble.oddMember {
      throw .malformed(
        path: path, place: "member \(odd)",
        reason: "its variables differ from those of member 0; an ensemble has the same in all")
    }
    return ensemble
  }

  /// By the names that the models have here; nil where they have other variables than when it was found.
  private static func evidence(_ found: EnsembleEvidence, of ensemble: Ensemble, path: String)
    throws(FileProblem) -> EnsembleEvidence?
  {
    guard found.pairs.count == found.outputs.count, found.explained.count == found.outputs.count,
      found.pairs.allSatisfy({ $0.count == found.inputs.count })
    else {
      throw .malformed(
        path: inside(path, "ensemble.json"), place: "evidence",
        reason: "not a verdict for every pair of the outputs and inputs that it names")
    }
    guard found.outputs.count == ensemble.outputs.count,
      found.inputs.count == ensemble.inputs.count
    else { return nil }
    var evidence = found
    evidence.outputs = ensemble.outputs.map(\.name)
    evidence.inputs = ensemble.inputs.map(\.name)
    return evidence
  }

  private static func read(model path: String, _ told: ModelDescription) throws(FileProblem) -> (
    Model, ReadingReport
  ) {
    let beside = try ModelDescription.beside(path) ?? ModelDescription()
    return try Model.read(onnx: try WholeFile.read(path), path: path, told: told.over(beside))
  }

  /// Of `ensemble.json`, what is needed to read an ensemble.
  private struct Listing: Decodable {
    var members: [String]
    var resampling: String?
    var evidence: EnsembleEvidence?
    var digests: [String: String]?
  }

  /// What `ensemble.json` holds. One that somebody wrote by hand has no digest.
  private static func content(_ bytes: [UInt8], path: String) throws(FileProblem) -> Listing? {
    do {
      return try SealedJSON.value(Listing.self, from: bytes)
    } catch SealedJSON.Damage.isDamaged {
      throw .malformed(
        path: path, place: "",
        reason:
          "damaged or edited: its content is not what its digest was taken of. Restore it or train "
          + "again; if it was changed on purpose, take its last key \"digest\" out")
    } catch SealedJSON.Damage.isUnsealed {
      return try? CanonicalJSON.value(Listing.self, from: bytes)
    } catch {
      return nil
    }
  }

  /// The folder's name; with the one above it where it is a number, as studies call ensembles by their sizes.
  private static func name(of path: String) -> String {
    let whole = FilePath(path).lexicallyNormalized()
    guard let last = whole.lastComponent?.string else { return path }
    let above = whole.removingLastComponent().lastComponent?.string
    return last.first?.isNumber == true ? above.map { "\($0)/\(last)" } ?? last : last
  }

  private static func inside(_ folder: String, _ name: String) -> String {
    FilePath(folder).appending(name).string
  }

  /// Nil where there is no `ensemble.json`.
  private static func listing(_ folder: String) throws(FileProblem) -> Listing? {
    let description = inside(folder, "ensemble.json")
    guard FileManager.default.fileExists(atPath: description) else { return nil }
    let bytes = try WholeFile.read(description)
    guard let listing = try content(bytes, path: description), !listing.members.isEmpty
    else {
      throw .malformed(
        path: description, place: "",
        reason: "not the description of an ensemble: it needs a "
          + "list \"members\" of file names")
    }
    return listing
  }

  private static func memberFiles(_ folder: String, _ listing: Listing?) throws(FileProblem)
    -> [String]
  {
    let names: [String]
    if let listing {
      let description = inside(folder, "ensemble.json")
      if let outside = listing.members.first(where: { $0.contains("/") }) {
        throw .malformed(
          path: description, place: "members", reason: "\"\(outside)\" is not a plain file name")
      }
      guard Set(listing.members).count == listing.members.count else {
        throw .malformed(
          path: description, place: "members",
          reason: "a file is named twice; each member counts once")
      }
      names = listing.members
    } else {
      do {
        names = try FileManager.default.contentsOfDirectory(atPath: folder)
          .filter { $0.hasSuffix(".onnx") && !$0.hasPrefix(".") }.sorted()
      } catch {
        throw .unreadable(path: folder, reason: systemError())
      }
      guard !names.isEmpty else {
        throw .malformed(
          path: folder, place: "", reason: "there are no models (*.onnx) in this folder")
      }
    }
    return names.map { inside(folder, $0) }
  }
}
