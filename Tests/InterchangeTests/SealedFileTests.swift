import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Files that carry a digest of their content: whatever single bit is changed, nothing is read.
@Suite("Files with a digest")
struct SealedFileTests {
  struct Content: Codable, Equatable {
    var name = "m_Al₂O₃"
    var values = [1.5, -0.0, .infinity, 1e-300]
    var shape = [2, 2]
  }

  @Test("A value comes back, infinities and all", arguments: [false, true])
  func roundTrip(isCompact: Bool) throws {
    let bytes = try SealedJSON.bytes(Content(), isCompact: isCompact)
    #expect(try SealedJSON.value(Content.self, from: bytes) == Content())
    // Any other reader of JSON sees an object with one more key.
    let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    #expect(object?.keys.sorted() == ["digest", "name", "shape", "values"])
  }

  @Test("Every single bit counts, and every cut", arguments: [false, true])
  func everyBit(isCompact: Bool) throws {
    let bytes = try SealedJSON.bytes(Content(), isCompact: isCompact)
    for bit in 0..<(8 * bytes.count) {
      var changed = bytes
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: SealedJSON.Damage.isDamaged, "bit \(bit)") {
        try SealedJSON.value(Content.self, from: changed)
      }
    }
    for count in 0..<bytes.count {
      #expect(throws: (any Error).self) {
        try SealedJSON.value(Content.self, from: Array(bytes.prefix(count)))
      }
    }
  }

  /// A known answer: sha256sum of the same text.
  @Test("The digest is SHA-256")
  func knownAnswer() {
    #expect(
      ContentDigest.hex(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  // MARK: Ensembles

  private func ensemble() throws -> (folder: String, description: [UInt8], model: [UInt8]) {
    let folder = try Fixture.temporaryFolder()
    let model = try Fixture.bytes("foreign/matmul_relu.onnx")
    try replace(folder + "/member-00.onnx", model)
    let description = try SealedJSON.bytes(
      EnsembleFolder.Description(
        members: ["member-00.onnx"], recipe: Recipe(), seed: 1, trajectories: 3,
        validationTrajectories: 1, digests: ["member-00.onnx": ContentDigest.hex(model)]))
    return (folder, description, model)
  }

  @Test("No bit of ensemble.json is changed unseen")
  func descriptions() throws {
    let (folder, description, _) = try ensemble()
    try replace(folder + "/ensemble.json", description)
    #expect(try EnsembleFolder.read(folder).members.count == 1)
    for bit in 0..<(8 * description.count) where bit % 5 == 0 || bit > 8 * (description.count - 90)
    {
      var changed = description
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      try replace(folder + "/ensemble.json", changed)
      #expect(try problem { try EnsembleFolder.read(folder) }.kind == .malformed, "bit \(bit)")
    }
  }

  @Test("No bit of a member is changed unseen; without a description models are taken as they are")
  func members() throws {
    let (folder, description, model) = try ensemble()
    try replace(folder + "/ensemble.json", description)
    var stream = RandomStream(seed: 5)
    for _ in 0..<200 {
      var changed = model
      changed[stream.integer(in: 0...(model.count - 1))] ^= 1 << UInt8(stream.integer(in: 0...7))
      try replace(folder + "/member-00.onnx", changed)
      let problem = try problem { try EnsembleFolder.read(folder) }
      #expect(problem.kind == .malformed && problem.words.contains("remove ensemble.json"))
    }
    try replace(folder + "/member-00.onnx", model)
    unlink(folder + "/ensemble.json")
    #expect(try EnsembleFolder.read(folder).isGuessed)
  }

  // MARK: States of trainings

  private func state(_ problem: TrainingProblem) -> ProblemState {
    ProblemState(
      problem, epochs: [],
      tower: TowerState(
        parameters: [0.5, -1, 3], moment1: [1, 2, 3], moment2: [4, 5, 6], latent: [], average: []),
      best: [7])
  }

  @Test("No bit of a training's state or settings is changed unseen")
  func states() throws {
    let output = try temporaryPath("out")
    let settings = ["seed": "1", "members": "2"]
    let wanted = TrainingProblem(member: 0, tower: 1)
    do {
      let folder = try CheckpointFolder(output: output, settings: settings, start: .new)
      let checkpoints = folder.checkpoints(interval: .zero)
      try checkpoints.save(state(wanted))
      #expect(try checkpoints.load(wanted) == state(wanted))
      let file = folder.path + "/member-0-tower-1.state"
      let bytes = try WholeFile.read(file)
      for bit in 0..<(8 * bytes.count) where bit % 3 == 0 {
        var changed = bytes
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        try replace(file, changed)
        let problem = try problem { try checkpoints.load(wanted) }
        #expect(problem.kind == .malformed && problem.words.contains("delete it"), "bit \(bit)")
      }
      try replace(file, bytes.dropLast(4))
      #expect(try problem { try checkpoints.load(wanted) }.kind == .malformed)
      try replace(file, bytes)
    }
    let file = CheckpointFolder.path(output: output) + "/training.json"
    let bytes = try WholeFile.read(file)
    for bit in 0..<(8 * bytes.count) where bit % 7 == 0 {
      var changed = bytes
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      try replace(file, changed)
      let problem = try problem {
        try CheckpointFolder(output: output, settings: settings, start: .resume)
      }
      #expect(problem.kind == .malformed && problem.words.contains("`force`"))
    }
    try replace(file, bytes)
    let folder = try CheckpointFolder(output: output, settings: settings, start: .resume)
    #expect(folder.holdsStates)
  }
}
