import Foundation
import Interchange
import TestSupport
import Testing

@Suite("Whole files")
struct WholeFileTests {
  @Test("What is written is read", arguments: [0, 1, 4096, 1 << 20, 3_000_001])
  func roundTrip(size: Int) throws {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = try temporaryPath("a.bin")
    try WholeFile.write(bytes, to: path, force: false)
    #expect(try WholeFile.read(path) == bytes)
    #expect(try entries(folder(of: path)) == ["a.bin"])
  }

  @Test("A file whose size is not known beforehand is read")
  func unknownSize() throws {
    #expect(try WholeFile.read("/proc/self/status").starts(with: Array("Name:".utf8)))
    #expect(try WholeFile.read("/dev/null").isEmpty)
  }

  @Test("A missing file and a folder are told apart")
  func unreadable() throws {
    let path = try temporaryPath("a")
    #expect(try problem { try WholeFile.read(path) }.kind == .missing)
    #expect(try problem { try WholeFile.read("") }.kind == .missing)
    #expect(try problem { try WholeFile.read(folder(of: path)) }.kind == .unreadable)
    try WholeFile.write(old, to: path, force: false)
    #expect(try problem { try WholeFile.read(path + "/b") }.kind == .missing)
  }

  @Test("Nothing is overwritten unasked")
  func exists() throws {
    let path = try temporaryFile(old, named: "a")
    #expect(try problem { try WholeFile.checkWritable(path, force: false) }.kind == .exists)
    let problem = try problem { try WholeFile.write(new, to: path, force: false) }
    #expect(problem.kind == .exists)
    #expect(problem.words.contains("`force`"))
    #expect(try WholeFile.read(path) == old)
    #expect(try entries(folder(of: path)) == ["a"])
  }

  @Test("A link is written through, and stays a link")
  func link() throws {
    let end = try temporaryFile(old, named: "end")
    let path = folder(of: end) + "/link"
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "end")
    try WholeFile.write(new, to: path, force: true)
    #expect(try WholeFile.read(end) == new)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "end")
  }

  @Test("A link to nowhere is not overwritten", arguments: [false, true])
  func danglingLink(force: Bool) throws {
    let path = try temporaryPath("link")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere")
    #expect(try problem { try WholeFile.write(new, to: path, force: force) }.kind == .cannotCreate)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "nowhere")
    #expect(try entries(folder(of: path)) == ["link"])
  }

  @Test("By force a file is replaced")
  func force() throws {
    let path = try temporaryFile(old, named: "a")
    try WholeFile.checkWritable(path, force: true)
    try WholeFile.write(new, to: path, force: true)
    #expect(try WholeFile.read(path) == new)
    #expect(try entries(folder(of: path)) == ["a"])
  }

  @Test("A folder is never replaced by a file", arguments: [false, true])
  func folderInPlace(force: Bool) throws {
    let path = try Fixture.temporaryFolder()
    let problem = try problem { try WholeFile.write(new, to: path, force: force) }
    #expect(problem.kind == .cannotCreate)
    #expect(problem.words.contains("folder"))
    #expect(try entries(path).isEmpty)
  }

  @Test("Neither is a pipe", arguments: [false, true])
  func pipeInPlace(force: Bool) throws {
    let path = try temporaryPath("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    #expect(try problem { try WholeFile.write(new, to: path, force: force) }.kind == .cannotCreate)
    let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    #expect(type == .typeUnknown)
    #expect(try entries(folder(of: path)) == ["pipe"])
  }

  @Test("Where nothing can be written, that is said", arguments: [false, true])
  func unwritable(force: Bool) throws {
    let file = try temporaryFile(old, named: "a")
    let missing = try temporaryPath("none")
    for path in ["\(file)/b", "\(missing)/b", "/proc/filigree", "\(missing)/"] {
      let problem = try problem { try WholeFile.write(new, to: path, force: force) }
      #expect(problem.kind == .cannotCreate || problem.kind == .writeFailed, "\(path)")
      #expect(problem.description.hasPrefix(path))
    }
    #expect(try WholeFile.read(file) == old)
    #expect(try entries(folder(of: file)) == ["a"])
    #expect(try entries(folder(of: missing)).isEmpty)
  }

  @Test(
    "Relative paths, however short, are in the folder that is current",
    arguments: ["q", "é", "./q", "..q"])
  func relative(path: String) throws {
    try WholeFile.checkWritable(path, force: false)
  }

  @Test("A path that ends in dots or slashes is a folder", arguments: [".", "..", "./", "/", "//"])
  func dots(path: String) throws {
    #expect(try problem { try WholeFile.checkWritable(path, force: true) }.kind == .cannotCreate)
    #expect(try problem { _ = try OutputFolder(path, force: false) }.kind == .exists)
  }

  @Test("Names of up to 255 bytes can be written", arguments: ["n", "界", "🫖"])
  func longNames(letter: String) throws {
    let name = String(repeating: letter, count: 255 / letter.utf8.count)
    let path = try temporaryPath(name)
    try WholeFile.write(new, to: path, force: false)
    #expect(try entries(folder(of: path)) == [name])
  }

  @Test("What a killed process left behind is in nobody's way")
  func leftBehind() throws {
    let path = try temporaryPath("a")
    let left = ".a.partial-\(getpid())"
    try replace(folder(of: path) + "/" + left, old)
    try WholeFile.write(new, to: path, force: false)
    #expect(try entries(folder(of: path)) == ["a", left])
  }

  @Test("Of many tasks that write the same file, one wins without force")
  func race() async throws {
    let path = try temporaryPath("a")
    let winners = await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 as Range<UInt8> {
        group.addTask {
          do { try WholeFile.write([task], to: path, force: false) } catch { return false }
          return true
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(winners == 1)
    #expect(try entries(folder(of: path)) == ["a"])
  }

  @Test("Of many tasks that write the same file by force, each succeeds wholly")
  func forcedRace() async throws {
    let path = try temporaryPath("a")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 as Range<UInt8> {
        group.addTask {
          let bytes = Array(repeating: task, count: 100_000)
          for _ in 0..<5 { try WholeFile.write(bytes, to: path, force: true) }
        }
      }
      try await group.waitForAll()
    }
    let bytes = try WholeFile.read(path)
    #expect(bytes.count == 100_000 && Set(bytes).count == 1)
    #expect(try entries(folder(of: path)) == ["a"])
  }
}

// MARK: Values

private let old = Array("old".utf8)
private let new = Array("new and longer".utf8)

private func folder(of path: String) -> String { (path as NSString).deletingLastPathComponent }
