import Dynamics
import Evidence
import Forecasting
import Foundation
import Interchange
import LinearAlgebra
import Networks
import SystemPackage

/// What a part of a study depends on, in words, and the address derived from it.
struct UnitKey: Sendable {
  let kind: String
  let hash: String

  /// - Parameter parts: everything that decides the result.
  init(_ kind: String, _ parts: [String: String]) {
    let bytes = (try? CanonicalJSON.bytes(parts, isCompact: true)) ?? []
    self.kind = kind
    hash = String(ContentDigest.hex(Array(kind.utf8) + bytes).prefix(32))
  }

  var name: String { "\(kind)-\(hash)" }
}

/// The finished parts of a study: files named by what they depend on, written whole, each with a digest of its
/// content. An existing part is never made again; one that has changed, or does not have the study's shape, is
/// recorded as damaged and counts as missing. They lie in 256 folders by the first two digits of their hashes, since
/// shared file systems are slow where thousands of files are in one.
struct UnitStore: Sendable {
  let folder: String
  let damage = UnitDamage()

  init(_ folder: String) { self.folder = folder }

  /// - Throws: `FileProblem.cannotCreate`.
  func make() throws(FileProblem) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .cannotCreate(path: folder, reason: "\(error.localizedDescription)")
    }
  }

  func path(_ key: UnitKey, _ ending: String) -> String {
    FilePath(place(of: key)).appending("\(key.name).\(ending)").string
  }

  private func place(of key: UnitKey) -> String {
    FilePath(folder).appending(String(key.hash.prefix(2))).string
  }

  /// - Throws: `FileProblem.cannotCreate`.
  func makePlace(of key: UnitKey) throws(FileProblem) {
    let place = place(of: key)
    guard mkdir(place, 0o777) != 0, errno != EEXIST else { return }
    throw .cannotCreate(path: place, reason: String(cString: strerror(errno)))
  }

  func value<Value: UnitContent>(_ key: UnitKey, as type: Value.Type, _ shape: UnitShape) -> Value?
  {
    guard let bytes = try? WholeFile.read(path(key, "json")) else { return nil }
    guard let value = try? SealedJSON.value(type, from: bytes), value.fits(shape) else {
      damage.note("\(key.name).json")
      return nil
    }
    return value
  }

  func save(_ value: some Encodable, as key: UnitKey) throws {
    try makePlace(of: key)
    try WholeFile.write(
      try SealedJSON.bytes(value, isCompact: true), to: path(key, "json"), force: true)
  }

  /// SHA-256 of a file beside a part; nil where it cannot be read.
  func digest(_ key: UnitKey, _ ending: String) -> String? {
    guard let bytes = try? WholeFile.read(path(key, ending)) else { return nil }
    return ContentDigest.hex(bytes)
  }

  /// Removes the files of parts that are no longer needed, those of earlier versions in the folder itself included.
  func remove(keeping keys: Set<String>) {
    let files = FileManager.default
    let entries = (try? files.contentsOfDirectory(atPath: folder)) ?? []
    for place in [""] + entries.filter({ $0.count == 2 }) {
      let inside = FilePath(folder).appending(place)
      for name in (try? files.contentsOfDirectory(atPath: inside.string)) ?? [] {
        let stem = name.split(separator: ".").first.map(String.init) ?? ""
        if Self.kinds.contains(where: { name.hasPrefix($0) }) && !keys.contains(stem) {
          unlink(inside.appending(name).string)
        }
      }
    }
  }

  private static let kinds = [
    "member-", "judgement-", "ensemble-", "truth-", "fit-", "decision-", "refit-",
  ]
}

// MARK: - What the parts hold

/// A trained member; its model lies beside it as ONNX.
struct MemberRecord: UnitContent {
  var member: Int
  /// Why there is no model.
  var divergence: String?
  /// SHA-256 of the model's file.
  var model: String?
  /// Divergences that a new start overcame.
  var restarts: Int
  /// Means over the towers, at the end.
  var trainingLoss: Double?
  var validationLoss: Double?
  /// What a reader must know about the training data; nil in parts made by earlier versions.
  var warnings: [String]?
  /// Of the first member that was trained of those that decide together: what they say of every pair.
  var evidence: EnsembleEvidence?
  /// Wall time; the one thing here that differs from run to run.
  var seconds: Double
}

/// A member judged at a cut.
struct Judgement: UnitContent {
  /// Of the live network: what is left once dead units are gone.
  var weights: Int
  var neurons: Int
  /// outputs × inputs: whether a path connects them.
  var connected: [Bool]
  /// outputs × inputs: mean |J|, standardised and in physical units.
  var relevance: [Double]
  var physicalRelevance: [Double]
  var errors: ForecastErrors
}

/// An ensemble's common forecast at a cut.
struct EnsembleJudgement: UnitContent {
  var errors: ForecastErrors
  /// Per horizon and state: samples that the band covers, and all.
  var inside: [[Int]]
  var all: [[Int]]
}

/// The plant's own structure over the test data.
struct TruthRecord: UnitContent {
  var relevance: Matrix
  var physical: Matrix
  var samples: Int
}
