import CommandSupport
import Foundation
import Reporting
import TestSupport
import Testing

/// How tools behave towards people: one name for all, help that can be copied, errors that say what is meant.
@Suite struct MannersTests {
  @Test func oneNameStartsAllTools() async throws {
    let shell = try Shell()
    let own = try await shell.bash("filigree-simulate --samples 5 --trajectories 1 --output -h")
    let same = try await shell.bash("filigree simulate --samples 5 --trajectories 1 --output -h")
    #expect(own.code == same.code && own.output == same.output && own.error == same.error)
    let made = try await shell.bash(
      """
      filigree simulate --samples 5 --trajectories 1 --output a.nc -q &&
      filigree-simulate --samples 5 --trajectories 1 --output b.nc -q && cmp a.nc b.nc
      """)
    #expect(made.code == 0 && made.error.isEmpty, "\(made.error)")
    let failed = try await shell.bash("filigree paths nothing.onnx")
    #expect(failed.code == 66 && failed.error.hasPrefix("error: filigree-paths: nothing.onnx"))
  }

  @Test func itListsTheToolsAsTheyDescribeThemselves() async throws {
    let shell = try Shell()
    for command in ["filigree", "filigree --help", "filigree help"] {
      let result = try await shell.bash(command)
      #expect(result.code == 0 && result.error.isEmpty)
      for (name, does) in ToolCatalogue.tools {
        #expect(result.output.contains("\(name) "), "\(name)")
        #expect(result.output.contains(does))
      }
      #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 101 })
    }
    #expect(try await shell.bash("filigree --version").output == filigreeVersion + "\n")
    for (name, does) in ToolCatalogue.tools {
      let help = try await shell.bash("COLUMNS=200 filigree help \(name)").output
      #expect(help.hasPrefix("OVERVIEW: \(does)\n"), "\(name)")
    }
  }

  /// Every example of every help, copied from it, is understood by bash as the command that it is.
  @Test(arguments: [40, 80, 200])
  func examplesCanBeCopied(columns: Int) async throws {
    let shell = try Shell()
    for (name, _) in ToolCatalogue.tools where name != "data" {
      let help = try await shell.tool(name, ["--help"], columns: columns).output
      let block = help.split(separator: "\n", omittingEmptySubsequences: false)
        .drop { $0 != "EXAMPLES" }.dropFirst().prefix { !$0.isEmpty }
      #expect(!block.isEmpty, "\(name)")
      let said = block.joined(separator: "\n").replacing("filigree-", with: "echo filigree-")
      let wide = try await shell.tool(name, ["--help"], columns: 400).output
      let whole = wide.split(separator: "\n", omittingEmptySubsequences: false)
        .drop { $0 != "EXAMPLES" }.dropFirst().prefix { !$0.isEmpty }
        .map { $0.dropFirst(2) }.joined(separator: "\n")
      guard !whole.contains(">"), !whole.contains("|"), !whole.contains("\"") else { continue }
      let echoed = try await shell.bash("set -f; " + said).output
      #expect(echoed == whole + "\n", "\(name)")
      // No line but of a word that is longer.
      if columns == 80 { #expect(block.allSatisfy { $0.count <= 80 }, "\(name)") }
    }
  }

  @Test func whatIsNoStudySaysWhatItIs() async throws {
    let shell = try await Workshop.shared.ready()
    let made = try await shell.bash("mkdir -p plain bare && touch plain/notes.txt")
    #expect(made.code == 0)
    for (path, words) in [
      ("sparse", "an ensemble of models"), ("train.nc", "a file"), ("bare", "an empty folder"),
      ("plain", "a folder with notes.txt"),
      ("nowhere", "no such file or folder"),
    ] {
      for command in ["status", "report", "tables"] {
        let result = try await shell.tool("study", command, path)
        #expect(result.code == 66 && result.error.contains(words), "\(result.error)")
        #expect(result.error.hasPrefix("error: filigree-study: \(path): "))
      }
    }
  }

  // MARK: Pictures

  @Test func picturesGoToStandardOutput() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      """
      set -e
      filigree-draw sparse --output - > out-1.svg && filigree-draw sparse --output file-1.svg -q
      cmp out-1.svg file-1.svg
      filigree-draw sparse --output - --format png | head -c 4 | tail -c 3
      filigree-draw sparse --output - --format graphml | grep -c graphdrawing.org > /dev/null
      """)
    #expect(result.code == 0 && result.output == "PNG", "\(result.error)")
    let wrong = try await shell.tool("draw", "sparse", "--output", "x.svg", "--format", "png")
    #expect(wrong.code == 64 && wrong.error.contains("--format is for --output -"))
    #expect(!shell.exists("-"))
  }

  /// A PDF says nothing of when it was made.
  @Test func filesOfTheSameCommandAreTheSame() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      """
      set -e
      for n in 1 2; do
        filigree-draw sparse --output same-$n.pdf -q
        filigree-sensitivity sparse --data test.nc --plot map-$n.pdf -q > /dev/null
        filigree-forecast sparse --data test.nc --plot run-$n.pdf -q > /dev/null
        sleep 1.1
      done
      for name in same map run; do cmp $name-1.pdf $name-2.pdf; head -c 4 $name-1.pdf; done
      """)
    #expect(result.code == 0 && result.output == "%PDF%PDF%PDF", "\(result.error)")
  }

  @Test func lossesOfATrainingAreDrawn() async throws {
    let shell = try await Workshop.shared.ready()
    let train = "filigree-train train.nc --members 2 --epochs 4 --hidden 4"
    let result = try await shell.bash(
      "\(train) --output plotted --plot losses.svg")
    #expect(result.code == 0, "\(result.error)")
    let text = try shell.text("losses.svg")
    for words in ["Losses of the training", "epoch", "position", "velocity", "training"] {
      #expect(text.contains(words), "\(words)")
    }
    let there = try await shell.bash("\(train) --output again --plot losses.svg")
    #expect(there.code == 73 && !shell.exists("again"))
    let none = try await shell.bash(
      "filigree-train train.nc --recipe linear --members 1 --output plotted-line --plot no-epochs.svg"
    )
    #expect(none.code == 0 && none.error.contains("no-epochs.svg is left out"), "\(none.error)")
  }

  @Test func aWidthThatIsTooSmallIsRefusedWithTheLeast() async throws {
    let shell = try await Workshop.shared.ready()
    for (width, words) in [("8", "such as 85mm"), ("wide", "such as 85mm")] {
      let result = try await shell.tool(
        "draw", "sparse", "--width", width, "--output", "narrow.svg")
      #expect(result.code == 64 && result.error.contains(words), "\(result.error)")
    }
    let gallery = try await shell.bash(
      "filigree-draw sparse --kind gallery --width 45mm --output narrow.svg")
    #expect(gallery.code == 64 && gallery.error.contains("mm wide"), "\(gallery.error)")
    let fitted = try await shell.bash(
      "filigree-draw sparse --kind heatmap --data test.nc --width 85mm --output narrow.svg")
    #expect(fitted.code == 0, "\(fitted.error)")
    let found = try #require(
      try shell.text("narrow.svg").firstMatch(of: /<svg width="(\d+)pt"/)?.1)
    #expect([240, 241].contains(Int(found) ?? 0))
  }

  @Test func nearWordsAreFound() {
    let words = ["threshold", "data", "strongest", "no-smooth", "output"]
    for (typed, meant) in [
      ("tresholds", "threshold"), ("dta", "data"), ("strong", "strongest"), ("ouptut", "output"),
      ("no-smoth", "no-smooth"), ("tresh", "threshold"),
    ] { #expect(Spelling.nearest(typed, among: words) == meant) }
    #expect(Spelling.nearest("xyz", among: words) == nil)
    #expect(Spelling.nearest("q", among: words) == nil)
  }
}
