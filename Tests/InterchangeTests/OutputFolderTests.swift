import Foundation
import Interchange
import TestSupport
import Testing

@Suite("Folders of results")
struct OutputFolderTests {
  @Test("A folder appears whole, under its name only when it is committed")
  func commit() throws {
    let path = try temporaryPath("results")
    do {
      var folder = try OutputFolder(path, force: false)
      try folder.write(new, named: "a.svg")
      try folder.write(new, named: "manifest.json")
      #expect(!FileManager.default.fileExists(atPath: path))
      try folder.commit()
    }
    #expect(try entries(path) == ["a.svg", "manifest.json"])
    #expect(try WholeFile.read(path + "/a.svg") == new)
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("A trailing slash is no part of the name")
  func trailingSlash() throws {
    let path = try temporaryPath("results")
    try make(path + "/", force: false)
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("Without commit nothing is left behind")
  func abandoned() throws {
    let path = try temporaryPath("results")
    do {
      var folder = try OutputFolder(path, force: false)
      try folder.write(new, named: "a")
    }
    #expect(try entries(parent(of: path)).isEmpty)
  }

  @Test("Without commit what was there stays")
  func abandonedReplacement() throws {
    let path = try oldFolder(["manifest.json", "old"])
    do {
      var folder = try OutputFolder(path, force: true)
      try folder.write(new, named: "a")
    }
    #expect(try entries(path) == ["manifest.json", "old"])
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("What exists is not replaced unasked", arguments: [[], ["manifest.json"], ["other"]])
  func exists(files: [String]) throws {
    let path = try oldFolder(files)
    #expect(try problem { try make(path, force: false) }.kind == .exists)
    #expect(try entries(path) == Set(files))
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test(
    "By force a folder of ours or an empty one is replaced as a whole", arguments: [true, false])
  func replaced(isOurs: Bool) throws {
    let path = try oldFolder(isOurs ? ["manifest.json", "old"] : [])
    try make(path, force: true)
    #expect(try entries(path) == ["new"])
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("Not even force replaces a folder that is not ours")
  func foreign() throws {
    let path = try oldFolder(["thesis.tex", "Manifest.json"])
    let problem = try problem { try make(path, force: true) }
    #expect(problem.kind == .foreignFolder)
    #expect(problem.words.contains("thesis.tex"))
    #expect(try entries(path) == ["thesis.tex", "Manifest.json"])
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("Nor one of ours in which something else lies")
  func mixed() throws {
    let path = try oldFolder(["manifest.json", "old"])
    try replace(path + "/notes.txt", old)
    let problem = try problem { try make(path, force: true) }
    #expect(problem.kind == .foreignFolder && problem.words.contains("notes.txt"))
    #expect(try entries(path) == ["manifest.json", "old", "notes.txt"])
  }

  @Test("A link to a folder is followed, and stays a link")
  func link() throws {
    let end = try oldFolder(["manifest.json", "old"])
    let path = parent(of: end) + "/link"
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: end)
    try make(path, force: true)
    #expect(try entries(end) == ["new"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == end)
  }

  @Test("Nor a file")
  func file() throws {
    let path = try temporaryFile(old, named: "results")
    #expect(try problem { try make(path, force: true) }.kind == .cannotCreate)
    #expect(try WholeFile.read(path) == old)
  }

  @Test("What appears during the work is not replaced either", arguments: [false, true])
  func appearedMeanwhile(force: Bool) throws {
    let path = try temporaryPath("results")
    do {
      var folder = try OutputFolder(path, force: force)
      try folder.write(new, named: "new")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      try replace(path + "/thesis.tex", old)
      do {
        try folder.commit()
        Issue.record("it was replaced")
      } catch {
        #expect(error.kind == (force ? .foreignFolder : .exists))
      }
    }
    #expect(try entries(path) == ["thesis.tex"])
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("Missing parents are made")
  func parents() throws {
    let path = try temporaryPath("a/b/results")
    try make(path, force: false)
    #expect(try entries(path) == ["new"])
    #expect(try entries(parent(of: path)) == ["results"])
  }

  @Test("Where no folder can be made, that is said", arguments: [false, true])
  func unwritable(force: Bool) throws {
    let file = try temporaryFile(old, named: "file")
    for path in [file + "/results", file + "/a/results", "/proc/results", "/proc/a/results"] {
      let problem = try problem { try make(path, force: force) }
      #expect(problem.kind == .cannotCreate, "\(path)")
      #expect(problem.description.hasPrefix(path))
    }
    #expect(try WholeFile.read(file) == old)
  }

  @Test("A name is written once, and only inside", arguments: ["new", "a/b", "", "."])
  func names(name: String) throws {
    let path = try temporaryPath("results")
    do {
      var folder = try OutputFolder(path, force: false)
      try folder.write(old, named: "new")
      do {
        try folder.write(new, named: name)
        Issue.record("it was written")
      } catch {
        #expect([.exists, .cannotCreate, .writeFailed].contains(error.kind))
      }
    }
    #expect(try entries(parent(of: path)).isEmpty)
  }
}

// MARK: Values

private let old = Array("old".utf8)
private let new = Array("new".utf8)

private func parent(of path: String) -> String { (path as NSString).deletingLastPathComponent }

private func make(_ path: String, force: Bool) throws {
  var folder = try OutputFolder(path, force: force)
  try folder.write(new, named: "new")
  try folder.commit()
}

/// A folder that is there already; a manifest in it names the other files.
private func oldFolder(_ files: [String]) throws -> String {
  let path = try temporaryPath("results")
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  let names = files.map { "\"\($0)\"" }.joined(separator: ", ")
  for file in files {
    let content = file == "manifest.json" ? Array("{\"files\": [\(names)]}".utf8) : old
    try replace(path + "/" + file, content)
  }
  return path
}
