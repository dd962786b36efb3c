import Crypto
import Dynamics
import Forecasting
import Foundation
import Interchange
import LinearAlgebra
import Networks
import SystemPackage

/// What a part of a study depends on, in words, and the address that follows from it.
struct UnitKey: Sendable {
  let kind: String
  let hash: String

  /// - Parameter parts: everything that decides the result.
  init(_ kind: String, _ parts: [String: String]) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes = (try? encoder.encode(parts)) ?? Data()
    self.kind = kind
    hash = SHA256.hash(data: Data(kind.utf8) + bytes).prefix(16)
      .map { String(format: "%02x", $0) }.joined()
  }

  var name: String { "\(kind)-\(hash)" }
}

/// The finished parts of a study: files named after what they depend on, written whole. A part that is
/// there is never made again, and one that does not read back counts as not there.
struct UnitStore: Sendable {
  let folder: String

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
    FilePath(folder).appending("\(key.name).\(ending)").string
  }

  func value<Value: Decodable>(_ key: UnitKey, as type: Value.Type) -> Value? {
    guard let bytes = try? WholeFile.read(path(key, "json")) else { return nil }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try? decoder.decode(type, from: Data(bytes))
  }

  func save(_ value: some Encodable, as key: UnitKey) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try WholeFile.write(
      Array(try encoder.encode(value)) + [0x0A], to: path(key, "json"), force: true)
  }

  /// SHA-256 of a file beside a part; nil where it cannot be read.
  func digest(_ key: UnitKey, _ ending: String) -> String? {
    guard let bytes = try? WholeFile.read(path(key, ending)) else { return nil }
    return SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
  }

  /// Removes the files of parts that nothing asks for any more.
  func remove(keeping keys: Set<String>) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names {
      let stem = name.split(separator: ".").first.map(String.init) ?? ""
      let isOurs = ["member-", "judgement-", "ensemble-", "truth-"].contains { name.hasPrefix($0) }
      if isOurs && !keys.contains(stem) {
        unlink(FilePath(folder).appending(name).string)
      }
    }
  }
}

// MARK: - What the parts hold

/// A trained member; its model lies beside it as ONNX.
struct MemberRecord: Codable, Sendable {
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
  /// What was found in the training data that a reader must know; nil in parts made by earlier versions.
  var warnings: [String]?
  /// Wall time; the one thing here that differs from run to run.
  var seconds: Double
}

/// A member judged at a cut.
struct Judgement: Codable, Sendable {
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
struct EnsembleJudgement: Codable, Sendable {
  var errors: ForecastErrors
  /// Per horizon and state: samples that the band covers, and all.
  var inside: [[Int]]
  var all: [[Int]]
}

/// The plant's own structure over the test data.
struct TruthRecord: Codable, Sendable {
  var relevance: Matrix
  var physical: Matrix
  var samples: Int
}
