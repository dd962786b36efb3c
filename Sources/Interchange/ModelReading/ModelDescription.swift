import Dynamics
import Foundation
import Networks
import Yams

/// What the reader of a model is told besides the file: names, and the meaning of the outputs.
public struct ModelDescription: Equatable, Sendable {
  /// Names in the order of the features, each possibly with a unit: "level [m]".
  public var inputs: [String]?
  public var outputs: [String]?
  /// Which of several outputs of the graph is meant.
  public var outputName: String?
  public var predicts: Prediction?
  /// Δt in seconds.
  public var timeStep: Double?

  public init(
    inputs: [String]? = nil, outputs: [String]? = nil, outputName: String? = nil,
    predicts: Prediction? = nil, timeStep: Double? = nil
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.outputName = outputName
    self.predicts = predicts
    self.timeStep = timeStep
  }

  /// The description beside a model: `theirs.yaml` beside `theirs.onnx`, with any of `inputs`, `outputs` (lists of
  /// names), `output-name`, `predicts` (rate, next or value) and `time-step` (seconds).
  ///
  /// - Returns: nil if there is no such file.
  /// - Throws: `FileProblem.malformed` for unknown keys and values.
  static func beside(_ path: String) throws(FileProblem) -> ModelDescription? {
    guard path.hasSuffix(".onnx") else { return nil }
    let file = path.dropLast(5) + ".yaml"
    guard FileManager.default.fileExists(atPath: String(file)) else { return nil }
    return try ModelDescription(yaml: try WholeFile.read(String(file)), path: String(file))
  }

  init(yaml bytes: [UInt8], path: String) throws(FileProblem) {
    func problem(_ place: String, _ reason: String) -> FileProblem {
      .malformed(path: path, place: place, reason: reason)
    }
    guard bytes.count <= 1 << 20 else { throw problem("", "a description has at most a mebibyte") }
    let node: Node?
    do {
      node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw problem("", "not YAML: \(error)")
    }
    guard let mapping = node?.mapping else {
      throw problem("", "it must be a list of keys and values")
    }
    for (key, value) in mapping {
      switch key.string ?? "" {
      case "inputs": inputs = try Self.names(value, path, "inputs")
      case "outputs": outputs = try Self.names(value, path, "outputs")
      case "output-name": outputName = value.string
      case "predicts":
        guard let known = value.string.flatMap(Prediction.init(rawValue:)) else {
          throw problem("predicts", "it must be rate, next or value")
        }
        predicts = known
      case "time-step":
        guard let step = value.float, step > 0, step.isFinite else {
          throw problem("time-step", "it must be a positive number of seconds")
        }
        timeStep = step
      case let other:
        throw problem(
          "\"\(other)\"", "there are inputs, outputs, output-name, predicts and time-step")
      }
    }
  }

  private static func names(_ node: Node, _ path: String, _ key: String) throws(FileProblem)
    -> [String]
  {
    guard let list = node.sequence else {
      throw .malformed(path: path, place: key, reason: "it must be a list of names")
    }
    return list.map { $0.string ?? "" }
  }

  /// This description, completed by another where it says nothing.
  func over(_ other: ModelDescription) -> ModelDescription {
    ModelDescription(
      inputs: inputs ?? other.inputs, outputs: outputs ?? other.outputs,
      outputName: outputName ?? other.outputName, predicts: predicts ?? other.predicts,
      timeStep: timeStep ?? other.timeStep)
  }

  /// "level [m]" as a variable.
  static func variable(_ text: String, role: Role) -> Variable {
    guard text.hasSuffix("]"), let open = text.lastIndex(of: "["), open > text.startIndex else {
      return Variable(text, role: role)
    }
    let unit = text[text.index(after: open)...].dropLast()
    return Variable(
      text[..<open].trimmingCharacters(in: .whitespaces), unit: String(unit), role: role)
  }
}

/// What was found, folded and assumed when a model's file was read, line by line.
public struct ReadingReport: Equatable, Sendable {
  public var lines: [String] = []
  public init() {}
}
