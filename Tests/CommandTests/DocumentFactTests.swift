import Foundation
import TestSupport
import Testing

/// What the documents say of the tools, held against the tools.
@Suite struct DocumentFactTests {
  private func text(_ name: String) throws -> String {
    try String(contentsOf: Fixture.packageFolder.appendingPathComponent(name), encoding: .utf8)
  }

  private func words(_ count: Int) -> String {
    let formatter = NumberFormatter()
    formatter.locale = Locale(identifier: "en")
    formatter.numberStyle = .spellOut
    return formatter.string(from: count as NSNumber) ?? ""
  }

  /// The README counts recipes and sparsifiers as the program does, and the guide names each recipe.
  @Test func theDocumentsCountRecipesAndSparsifiers() async throws {
    let shell = try Shell()
    let recipes = try await shell.tool("train", "no.nc", "--recipe", "?", "--output", "no").error
    let names = try #require(recipes.firstMatch(of: /there is ([a-z0-9, -]+)\./)).1
      .components(separatedBy: ", ")
    #expect(names.count > 5)
    let readme = try text("README.md")
    #expect(readme.contains("one of \(names.count) recipes"), "\(names.count) recipes")
    let guide = try text("Documentation/recipes.md")
    for name in names { #expect(guide.contains("`\(name)`"), "\(name)") }

    let sparsifiers = try await shell.tool(
      "train", "no.nc", "--sparsifier", "?", "--output", "no"
    ).error
    let list = try #require(sparsifiers.firstMatch(of: /following: ([a-z0-9, -]+)/)).1
    let kinds = list.components(separatedBy: ", ")
    #expect(kinds.contains("proximal"), "\(sparsifiers)")
    // Without "none".
    #expect(readme.contains("\(words(kinds.count - 1)) sparsifiers"), "\(kinds)")
  }

  /// Documents that quote values of the default recipe quote those of now.
  @Test func theDocumentsQuoteTheDefaultRecipe() async throws {
    let help = try await Shell().tool("train", "--help").output
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let strength = try #require(
      help.firstMatch(of: /penalty in the loss of each network \(([^ ]+) in the default/)
    ).1
    let quoted = try #require(
      try text("Documentation/recipes.md").firstMatch(of: /by default λ = ([0-9.e-]+)/)
    ).1
    #expect(Double(quoted) == Double(strength), "\(quoted), \(strength)")
  }

  @Test func theReadmeIsShort() throws {
    #expect(
      try text("README.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 251)
  }

  /// Links in all documents lead to files that are there.
  @Test func everyLinkLeadsSomewhere() throws {
    let root = Fixture.packageFolder
    let folder = root.appendingPathComponent("Documentation")
    let decisions = folder.appendingPathComponent("Decisions")
    let documents = try [root, folder, decisions].flatMap {
      try FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
    }.filter { $0.pathExtension == "md" }
    #expect(documents.count > 20)
    for document in documents {
      let text = try String(contentsOf: document, encoding: .utf8)
      for match in text.matches(of: /\]\(([^)\s]+)\)/) where !match.1.hasPrefix("http") {
        let path = match.1.prefix { $0 != "#" }
        let target = document.deletingLastPathComponent().appendingPathComponent(String(path))
        #expect(
          FileManager.default.fileExists(atPath: target.path),
          "\(document.lastPathComponent): \(match.1)")
      }
    }
  }
}
