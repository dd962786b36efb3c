import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

@Suite("Folders of models")
struct EnsembleFolderTests {
  @Test(
    "Members are numbered with two digits or more",
    arguments: [
      (0, "member-00.onnx"), (9, "member-09.onnx"), (10, "member-10.onnx"),
      (123, "member-123.onnx"),
    ])
  func memberName(index: Int, name: String) {
    #expect(EnsembleFolder.memberName(index) == name)
  }

  @Test("A single file is an ensemble of one")
  func singleFile() throws {
    let path = try folder(["cell.v2.onnx": model(1)]) + "/cell.v2.onnx"
    let ensemble = try EnsembleFolder.read(path)
    #expect(ensemble.name == "cell.v2")
    #expect(ensemble.members == [model(1)])
  }

  @Test("Without a description all models of the folder are members, in the order of names")
  func withoutDescription() throws {
    let path = try folder(["b.onnx": model(2), "a.onnx": model(1), "c.onnx": model(3)])
    try replace(path + "/notes.txt", Array("not a model".utf8))
    try replace(path + "/.hidden.onnx", Array("not a model".utf8))
    let ensemble = try EnsembleFolder.read(path + "/")
    #expect(ensemble.members == [model(1), model(2), model(3)])
    #expect(ensemble.name == (path as NSString).lastPathComponent)
  }

  @Test("A description tells the members and their order")
  func withDescription() throws {
    let path = try folder(["b.onnx": model(2), "a.onnx": model(1), "c.onnx": model(3)])
    let description = EnsembleFolder.Description(
      members: ["c.onnx", "a.onnx"], recipe: Recipe(), seed: .max, trajectories: 20,
      validationTrajectories: 2)
    try replace(path + "/ensemble.json", try JSONEncoder().encode(description))
    #expect(try EnsembleFolder.read(path).members == [model(3), model(1)])
    try replace(path + "/ensemble.json", Array(#"{"members":["b.onnx"],"later":{}}"#.utf8))
    #expect(try EnsembleFolder.read(path).members == [model(2)])
  }

  @Test(
    "A description that is none is refused",
    arguments: [
      "", "garbage", "[]", "{}", #"{"members":[]}"#, #"{"members":"a.onnx"}"#,
      #"{"members":[1]}"#, #"{"members":["a.onnx""#, "\u{0}", "null",
    ])
  func garbage(text: String) throws {
    let path = try folder(["a.onnx": model(1)])
    try replace(path + "/ensemble.json", Array(text.utf8))
    let problem = try problem { try EnsembleFolder.read(path) }
    #expect(problem.kind == .malformed)
    #expect(problem.description.hasPrefix(path + "/ensemble.json: not the description"))
  }

  @Test(
    "Members lie in the folder itself",
    arguments: ["../a.onnx", "/etc/passwd", "b/a.onnx", "./a.onnx", "a.onnx/"])
  func outside(name: String) throws {
    let problem = try problem { try readListing([name]) }
    #expect(problem.kind == .malformed)
    #expect(problem.words.hasPrefix("members: \"\(name)\" is not a plain file name"))
  }

  @Test("Members that are no files are refused", arguments: ["..", ".", ""])
  func noFile(name: String) throws {
    #expect(try problem { try readListing([name]) }.kind == .unreadable)
  }

  @Test("A member that is missing is named")
  func missingMember() throws {
    let problem = try problem { try readListing(["a.onnx", "gone.onnx"]) }
    #expect(problem.kind == .missing)
    #expect(problem.description.contains("/gone.onnx: "))
  }

  @Test("A member that is no model is named")
  func brokenMember() throws {
    let path = try folder(["a.onnx": model(1)])
    try replace(path + "/b.onnx", Array("hello".utf8))
    let problem = try problem { try EnsembleFolder.read(path) }
    #expect(problem.kind == .malformed)
    #expect(problem.description.hasPrefix(path + "/b.onnx: not an ONNX model"))
  }

  @Test("Members of different variables are refused", arguments: [true, false])
  func oddMember(isInput: Bool) throws {
    var odd = model(2)
    if isInput { odd.inputs[1].name = "other" } else { odd.outputs[0].name = "other" }
    let path = try folder(["a.onnx": model(1), "b.onnx": model(3), "c.onnx": odd])
    let problem = try problem { try EnsembleFolder.read(path) }
    #expect(problem.kind == .malformed)
    #expect(problem.words.hasPrefix("member 2: its variables differ"))
  }

  @Test("A folder without models and a missing one are told apart")
  func nothing() throws {
    let path = try Fixture.temporaryFolder()
    let empty = try problem { try EnsembleFolder.read(path) }
    #expect(empty.words.contains("there are no models"))
    #expect(try problem { try EnsembleFolder.read(path + "/none") }.kind == .missing)
  }

  private func readListing(_ names: [String]) throws -> Ensemble {
    let path = try folder(["a.onnx": model(1)])
    try replace(path + "/ensemble.json", try JSONEncoder().encode(["members": names]))
    return try EnsembleFolder.read(path)
  }
}

// MARK: Values

private func folder(_ models: [String: Model]) throws -> String {
  let path = try Fixture.temporaryFolder()
  for (name, model) in models { try replace(path + "/" + name, try model.onnx(path: name)) }
  return path
}

/// Different for every number, of the same variables.
private func model(_ number: Double) -> Model {
  let layer = Network.Layer(
    name: "only", activation: .tanh, bias: [number],
    connections: [Network.Connection(source: .inputs, weight: Matrix([[1, number]]))])
  return Model(
    network: Network(inputCount: 2, layers: [layer], outputLayers: [0]),
    inputs: [Variable("x", role: .state), Variable("u", role: .control)],
    outputs: [Variable("x", unit: "1/s", role: .state)], inputScaling: .identity(2),
    outputScaling: .identity(1), timeStep: 1)
}
