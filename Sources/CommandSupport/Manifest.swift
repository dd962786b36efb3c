import Crypto
import Foundation
import Interchange
import LinearAlgebra

/// Where a folder of results came from: everything that may differ between equal runs is here and nowhere else.
public struct Manifest: Encodable {
  struct Input: Encodable {
    var path: String
    var sha256: String
    var bytes: Int
  }

  struct Machine: Encodable {
    var host: String
    var processor: String
    var processors: Int
    var system: String
    var instructionSet: String
  }

  var filigree = filigreeVersion
  var command: [String]
  var seed: UInt64?
  var threads: Int
  /// The other files of the folder: what --force may replace.
  public var files: [String] = []
  var inputs: [Input] = []
  /// The settings of a training, one text each, which decide whether another training is equal.
  public var settings: [String: String]?
  var machine: Machine
  var started: String
  var seconds: [String: Double] = [:]

  /// - Throws: `FileProblem` for an input that cannot be read.
  public init(seed: UInt64?, threads: Int, inputs: [String]) throws {
    command = CommandLine.arguments
    self.seed = seed
    self.threads = threads
    machine = Machine(
      host: ProcessInfo.processInfo.hostName, processor: Self.processorName,
      processors: ProcessInfo.processInfo.processorCount,
      system: ProcessInfo.processInfo.operatingSystemVersionString,
      instructionSet: Kernels.active.instructionSet.rawValue)
    started = ISO8601DateFormatter().string(from: Date())
    self.inputs = try inputs.map { path in
      var hash = SHA256()
      var bytes = 0
      try WholeFile.read(path) { chunk in
        hash.update(data: chunk)
        bytes += chunk.count
      }
      let digest = hash.finalize().map { String(format: "%02x", $0) }.joined()
      return Input(path: path, sha256: digest, bytes: bytes)
    }
  }

  /// SHA-256 of the inputs, in the order in which they were given.
  public var inputDigests: [String] { inputs.map(\.sha256) }
  public var instructionSet: String { machine.instructionSet }

  /// The settings in the manifest of a folder, if it has one.
  public static func settings(in folder: String) -> [String: String]? {
    struct Part: Decodable { var settings: [String: String]? }
    guard let bytes = try? WholeFile.read(folder + "/manifest.json") else { return nil }
    return (try? JSONDecoder().decode(Part.self, from: Data(bytes)))?.settings
  }

  public mutating func record(_ stage: String, _ duration: Duration) {
    seconds[stage] = (ProgressLine.seconds(duration) * 1000).rounded() / 1000
  }

  /// The manifest as a page for people, with a further text on how long the parts took.
  public func page(_ title: String, also: String) -> String {
    var text = "# \(title)\n\n"
    let facts = [
      ("program", "Filigree \(filigree)"), ("command", command.joined(separator: " ")),
      ("seed", seed.map(String.init) ?? "–"), ("started", started),
      ("machine", "\(machine.processor), \(machine.processors) processors, \(machine.system)"),
      ("instruction set", machine.instructionSet), ("threads", "\(threads)"),
    ]
    for (name, value) in facts { text += "- \(name): \(value)\n" }
    for input in inputs { text += "- input \(input.path): SHA-256 \(input.sha256)\n" }
    for (stage, duration) in seconds.sorted(by: { $0.key < $1.key }) {
      text += "- \(stage): \(duration) s\n"
    }
    return text + also
  }

  public func bytes() throws -> [UInt8] {
    try CanonicalJSON.bytes(self) + [0x0A]
  }

  private static var processorName: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
  }
}
