import Foundation
import Interchange
import LinearAlgebra
import Networks
import Study
import TestSupport
import Testing
import Training

/// A finished study whose parts are damaged: every damage is found, said, and made good.
@Suite struct UnitDamageTests {
  private static let yaml = """
    plant: duffing
    train: {trajectories: 3, samples: 120}
    test: {trajectories: 2, samples: 80}
    sizes: [2]
    members: 3
    horizons: [10, 60]
    relevance-samples: 40
    recipes:
      small: {}
    """

  private let folder: String

  private func study() throws -> StudyRun {
    let plan = try StudyPlan(path: folder + "/plan.yaml") { _ in
      var recipe = Recipe()
      (recipe.refine, recipe.eliminate, recipe.thin, recipe.finish) = (0, 0, 0, 0)
      (recipe.smooth, recipe.hidden) = (false, [4])
      recipe.length = .epochs(4)
      return recipe
    }
    return try StudyRun(
      plan, path: folder + "/plan.yaml", folder: folder, version: "test", threads: 2)
  }

  private func run() async throws -> StudyRun {
    let study = try study()
    try await study.run(starting: { _, _ in }, report: { _ in })
    return study
  }

  init() throws {
    folder = try Fixture.temporaryFolder()
    try Data(Self.yaml.utf8).write(to: URL(fileURLWithPath: folder + "/plan.yaml"))
  }

  private func units(_ ending: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder + "/units")
      .filter { $0.contains("/") && $0.hasSuffix(ending) }
      .map { String($0.split(separator: "/")[1]) }.sorted()
  }

  private func path(_ name: String) -> String {
    let hash = name.split(separator: "-")[1]
    return folder + "/units/\(hash.prefix(2))/" + name
  }

  private func replace(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  @Test func noFlippedBitIsKeptSilently() async throws {
    #expect(try await run().damagedParts.isEmpty)
    #expect(try units(".json").count == 3 + 3 + 1 + 1)
    var stream = RandomStream(seed: 1)
    for name in try units("") {
      let bytes = try WholeFile.read(path(name))
      for _ in 0..<60 {
        var changed = bytes
        changed[stream.integer(in: 0...(bytes.count - 1))] ^= 1 << UInt8(stream.integer(in: 0...7))
        try replace(name, changed)
        let study = try study()
        _ = study.results()
        #expect(study.damagedParts == [name])
      }
      try replace(name, bytes)
    }
  }

  @Test func whatIsDamagedIsMadeAgainAsItWas() async throws {
    let rows = try await run().results().recipeRows
    var before: [String: [UInt8]] = [:]
    for name in try units("") {
      let bytes = try WholeFile.read(path(name))
      before[name] = bytes
      var changed = bytes
      changed[bytes.count / 2] ^= 4
      try replace(name, changed)
    }
    let again = try await run()
    // A model whose record is damaged too is made again unread.
    let records = before.keys.filter { $0.hasSuffix(".json") }
    #expect(Set(again.damagedParts).isSuperset(of: records))
    let made = again.results().recipeRows
    #expect(made.count == rows.count)
    for (a, b) in zip(rows, made) {
      #expect(a.horizons == b.horizons && a.weights == b.weights && a.relevant == b.relevant)
    }
    // All but the wall times of members.
    for (name, bytes) in before where !name.hasPrefix("member-") || name.hasSuffix(".onnx") {
      #expect(try WholeFile.read(path(name)) == bytes, "\(name)")
    }
  }

  /// With a digest that is right, but of another shape: as an older or a forged file might have it.
  @Test func arraysOfAnotherLengthCountAsMissing() async throws {
    _ = try await run()
    for name in try units(".json") {
      let bytes = try WholeFile.read(path(name))
      let whole = try JSONDecoder().decode(JSON.self, from: Data(bytes))
      for (path, shortened) in whole.without("digest").shortenings {
        try replace(name, try SealedJSON.bytes(shortened, isCompact: true))
        let study = try study()
        let results = study.results()
        _ = (results.recipeRows, results.memberRows)
        // Warnings may be of any length.
        #expect(study.damagedParts == [name] || path == "warnings", "\(name) \(path)")
      }
      try replace(name, bytes)
    }
  }
}

/// Any JSON value.
private enum JSON: Codable {
  case object([String: JSON])
  case array([JSON])
  case text(String)
  case number(Double)
  case flag(Bool)
  case null

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .object(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .flag(let value): try container.encode(value)
    case .null: try container.encodeNil()
    }
  }

  func without(_ key: String) -> JSON {
    guard case .object(let object) = self else { return self }
    return .object(object.filter { $0.key != key })
  }

  /// The value with one element less in one of its arrays, each in turn.
  var shortenings: [(path: String, value: JSON)] {
    switch self {
    case .array(let array):
      guard let first = array.first else { return [] }
      return [("", .array(Array(array.dropLast())))]
        + first.shortenings.map { ("[0]" + $0.path, .array([$0.value] + array.dropFirst())) }
    case .object(let object):
      return object.sorted { $0.key < $1.key }.flatMap { key, value in
        value.shortenings.map { (key + $0.path, .object(object.merging([key: $0.value]) { $1 })) }
      }
    default: return []
    }
  }
}
