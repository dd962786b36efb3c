import Foundation
import Subprocess
import SystemPackage
import TestSupport

/// The real binaries, started as a user starts them.
struct Shell {
  /// The folder that commands run in; fresh unless given.
  let folder: String

  init() throws { folder = try Fixture.temporaryFolder() }

  struct Result {
    var status: TerminationStatus
    var output: String
    var error: String
    var code: Int32? { if case .exited(let code) = status { code } else { nil } }
  }

  /// Where the build put the tools: beside the test bundle that is running.
  static let binaries: String = {
    let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
    let start = bundle ?? CommandLine.arguments[0]
    var folder = URL(fileURLWithPath: start).deletingLastPathComponent()
    while folder.path != "/" {
      let tool = folder.appendingPathComponent("filigree-simulate").path
      if FileManager.default.isExecutableFile(atPath: tool) { return folder.path }
      folder.deleteLastPathComponent()
    }
    return Fixture.packageFolder.appendingPathComponent(".build/release").path
  }()

  /// Python with onnxruntime and xarray, where the caller provides one.
  static let python = ProcessInfo.processInfo.environment["FILIGREE_PYTHON"]

  func tool(_ name: String, _ arguments: String..., columns: Int? = nil) async throws -> Result {
    try await tool(name, arguments, columns: columns)
  }

  func tool(_ name: String, _ arguments: [String], columns: Int? = nil) async throws -> Result {
    try await start("\(Self.binaries)/filigree-\(name)", arguments, columns: columns)
  }

  /// A command line for bash, with the tools on the path.
  func bash(_ command: String) async throws -> Result {
    try await start("/bin/bash", ["-c", command])
  }

  func start(_ path: String, _ arguments: [String], columns: Int? = nil) async throws -> Result {
    var variables: [Environment.Key: String?] = [
      "PATH": "\(Self.binaries):/usr/bin:/bin", "COLUMNS": columns.map(String.init),
    ]
    if columns == nil { variables["COLUMNS"] = nil as String? }
    let result = try await run(
      .path(FilePath(path)), arguments: Arguments(arguments),
      environment: .inherit.updating(variables), workingDirectory: FilePath(folder),
      output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
    return Result(
      status: result.terminationStatus, output: result.standardOutput,
      error: result.standardError)
  }

  func path(_ name: String) -> String { FilePath(folder).appending(name).string }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }
  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }

  func files(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }
}

/// A small plant's data and models, made once and shared by the tests that only read them.
actor Workshop {
  static let shared = Workshop()
  private var shell: Task<Shell, any Error>?

  /// A folder with `train.nc`, `test.nc` (Duffing) and the ensembles `sparse` and `dense`.
  func ready() async throws -> Shell {
    if let shell { return try await shell.value }
    let task = Task {
      let shell = try Shell()
      let commands = """
        filigree-simulate --plant duffing --trajectories 4 --samples 500 --output train.nc &&
        filigree-simulate --plant duffing --trajectories 2 --samples 200 --seed 9 --output test.nc &&
        filigree-train train.nc --members 3 --epochs 5 --hidden 6 --strength 2e-2 --output sparse &&
        filigree-train train.nc --members 3 --epochs 5 --hidden 6,5 --sparsifier none \
          --towers shared --activation relu --no-skip --output dense
        """
      let result = try await shell.bash(commands)
      guard result.code == 0 else { throw WorkshopFailure(text: result.error) }
      return shell
    }
    shell = task
    return try await task.value
  }
}

struct WorkshopFailure: Error, CustomStringConvertible {
  let text: String
  var description: String { text }
}
