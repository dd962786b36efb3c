import CommandSupport
import Foundation
import Reporting
import TestSupport
import Testing

/// Names, files and arguments that mean harm, or only look odd.
@Suite struct RobustnessTests {
  /// Clears the screen, rings, turns the direction of writing, ends a line early.
  private static let hostile = "\u{1B}[31mred\u{7}\u{202E}\u{9B}2J\rgone"

  private func expectSafe(
    _ result: Shell.Result, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for text in [result.output, result.error] {
      #expect(
        !text.unicodeScalars.contains { $0.drivesTerminal && $0 != "\n" && $0 != "\t" },
        "\(what): \(text.debugDescription)", sourceLocation: sourceLocation)
    }
  }

  @Test func noControlCharacterReachesATerminal() async throws {
    let ready = try await Workshop.shared.ready()
    let shell = try Shell()
    for name in ["sparse", "train.nc"] {
      try FileManager.default.copyItem(atPath: ready.path(name), toPath: shell.path(name))
    }
    let bad = Self.hostile
    let commands: [(String, [String])] = [
      ("simulate", ["--plant", bad, "--output", "x.nc"]),
      ("simulate", ["--plant=\(bad)\nerror: forged", "--output", "x.nc"]),
      ("simulate", ["--output", bad + ".txt"]), ("simulate", [bad]), ("simulate", ["--" + bad]),
      ("simulate", ["--samples", bad, "--output", "x.nc"]),
      ("train", [bad, "--output", "x"]), ("train", ["train.nc", "--recipe", bad, "--output", "x"]),
      ("train", ["train.nc", "--exclude", bad, "--output", "x"]),
      ("train", ["train.nc", "--inputs", bad, "--output", "x"]),
      ("train", ["train.nc", "--output", "\(bad)/\(bad)/", "--members", "0"]),
      ("draw", ["sparse", "--focus-output", bad, "--output", "x.svg"]),
      ("draw", ["sparse", "--output", "x." + bad]),
      ("paths", [bad]), ("paths", ["sparse", "--explain", bad, bad]),
      ("sensitivity", ["sparse", "--point", bad + "=1"]), ("sensitivity", ["sparse", "--by", bad]),
      ("forecast", ["sparse", "--data", bad]), ("agreement", [bad]),
      ("study", ["run", bad, "--output", "S"]), ("study", ["plan", bad]), ("study", [bad]),
      ("study", ["status", bad]),
    ]
    for (tool, arguments) in commands {
      let result = try await shell.tool(tool, arguments)
      #expect(result.code != 0 && !result.error.isEmpty)
      expectSafe(result, "\(tool) \(arguments)")
      #expect(!result.error.split(separator: "\n").contains("error: forged"))
    }
  }

  @Test func noControlCharacterOfAFileReachesATerminal() async throws {
    let shell = try Shell()
    let bad = Self.hostile.replacing("\r", with: "")
    var csv = "time,\"\(bad)\",\"\(bad) [\u{1B}c]\"\n"
    for row in 0..<60 {
      csv += "\(row),\(cos(0.3 * Double(row))),\(sin(0.2 * Double(row * row)))\n"
    }
    try shell.write(csv.replacing("\"\(bad)\",", with: "\"x\(bad)\","), to: "data.csv")
    try shell.write("time,\(bad)\n0,\(bad)\n", to: "broken.csv")
    try shell.write("plant: \(bad)\nrecipes: [\n", to: "a.yaml")
    try shell.write(
      "plant: \"\\e[31mred\"\ntrain: {file: \"\\e[2J.nc\"}\nrecipes: {\"\\e[7m\": {\"\\e]0;x\\a\": \"\\x9b\"}}\n",
      to: "b.yaml")
    try shell.write("{\"members\":[\"\\u001b[31m.onnx\"]}", to: "ensemble.json")
    let train = try await shell.tool(
      "train", "data.csv", "--recipe", "linear", "--members", "2", "--output", "m")
    expectSafe(train, "train")
    #expect(train.code == 0, "\(train.error)")
    for arguments in [
      ["sensitivity", "m", "--data", "data.csv"],
      ["sensitivity", "m", "--data", "data.csv", "--format", "json"],
      ["sensitivity", "m", "--data", "data.csv", "--format", "csv"],
      ["sensitivity", "m", "--data", "data.csv", "--format", "markdown"],
      ["paths", "m"], ["paths", "m/member-00.onnx", "--strongest", "3"], ["agreement", "m"],
      ["forecast", "m", "--data", "data.csv", "--horizons", "10"],
      ["sensitivity", "m", "--data", "broken.csv"], ["paths", "."],
      ["study", "run", "a.yaml", "--output", "S"], ["study", "run", "b.yaml", "--output", "S"],
    ] {
      let result = try await shell.tool(arguments[0], Array(arguments.dropFirst()))
      expectSafe(result, "\(arguments)")
      #expect(result.code == 0 || !result.error.isEmpty)
    }
  }

  @Test func helpThatCannotBeWrittenIsAnError() async throws {
    let shell = try Shell()
    for command in [
      "filigree-paths --help", "filigree-study run --help", "filigree-train --version",
    ] {
      let result = try await shell.bash("\(command) >/dev/full")
      #expect(result.code == 74 && result.error.contains("standard output"), "\(command)")
      let whole = try await shell.bash(command)
      #expect(whole.code == 0 && !whole.output.isEmpty && whole.error.isEmpty)
    }
  }

  /// A log on a full disk, or none at all, ends no training, and what is said goes into no other file.
  @Test func standardErrorThatCannotBeWrittenEndsNothing() async throws {
    let shell = try Shell()
    let result = try await shell.bash(
      """
      filigree-simulate --plant duffing --trajectories 2 --samples 100 --output d.nc -q
      train() { filigree-train d.nc --recipe linear --members 2 --output "$@"; }
      train whole; train full 2>/dev/full; echo $?; train closed 2>&-; echo $?
      train none <&- >&- 2>&- || echo failed
      for folder in full closed none; do
        for file in ensemble.json member-00.onnx training.csv; do cmp whole/$file $folder/$file || echo different; done
      done
      filigree-train no.nc --output no 2>/dev/full; echo $?
      """)
    #expect(result.output == "0\n0\n66\n", "\(result.output) \(result.error)")
  }

  @Test func aRefusedTrainingLeavesNoFolder() async throws {
    let shell = try Shell()
    var csv = "time,x,u\n"
    for row in 0..<200 {
      csv += "\(row),\(sin(0.1 * Double(row))),\(row == 190 ? "1e300" : "\(row % 7)")\n"
    }
    try shell.write(csv, to: "far.csv")
    try shell.write(csv.replacing("1e300", with: "inf"), to: "infinite.csv")
    for name in ["far", "infinite"] {
      let result = try await shell.tool(
        "train", "\(name).csv", "--inputs", "u", "--recipe", "linear", "--members", "1", "--output",
        "new/models/\(name)")
      #expect(result.code == 65 && result.error.contains("u"), "\(result.error)")
    }
    #expect(try shell.files(in: ".") == ["far.csv", "infinite.csv"])
  }

  @Test func aBusyStudySaysThatItIsAStudy() async throws {
    let shell = try Shell()
    try shell.write(
      StudyCommandTests.plan.replacing("epochs: 60", with: "epochs: 60000"), to: "plan.yaml")
    let result = try await shell.bash(
      """
      filigree-study run plan.yaml --output S -q >/dev/null 2>&1 & child=$!
      until ls S/units >/dev/null 2>&1; do sleep 0.02; done
      filigree-study run plan.yaml --output S; code=$?
      kill -9 $child; exit $code
      """)
    #expect(result.code == 73)
    #expect(result.error.contains("working on this study") && !result.error.contains("training"))
  }

  /// gnuplot takes labels of axes for formats, names for nothing else than text.
  @Test func percentSignsAndMarkupAreText() async throws {
    let shell = try Shell()
    let names = ["%n", "50%", "]]>", "a\\b", "{x}_y", "`id`", "@home", "$1"]
    var csv = "time," + names.map { "\"\($0)\"" }.joined(separator: ",") + "\n"
    for row in 0..<60 {
      csv +=
        "\(row)" + names.indices.map { ",\(sin(Double((row + 1) * ($0 + 2))))" }.joined() + "\n"
    }
    try shell.write(csv, to: "data.csv")
    let result = try await shell.bash(
      """
      filigree-train data.csv --inputs '$1' --recipe linear --members 2 -q --output m &&
      filigree-sensitivity m --data data.csv --plot heat.svg >/dev/null &&
      filigree-forecast m --data data.csv --plot forecast.svg --trajectory 0 >/dev/null
      """)
    #expect(result.code == 0, "\(result.error)")
    for file in ["heat.svg", "forecast.svg"] {
      let text = try shell.text(file)
      #expect(XMLDocumentCheck.isWellFormed(Data(text.utf8)), "\(file)")
      let shown = text.replacing("&gt;", with: ">").replacing("&amp;", with: "&")
      for name in names { #expect(shown.contains(name), "\(file) lacks \(name)") }
      #expect(!text.contains("]]>"))
    }
  }

  @Test func longNamesAreLaidOutInTime() async throws {
    let shell = try Shell()
    let name = String(repeating: "long_name ", count: 2000)
    var csv = "time,\(name)1,\(name)2,u\n"
    for row in 0..<60 { csv += "\(row),\(sin(Double(row))),\(cos(Double(row))),\(row % 5)\n" }
    try shell.write(csv, to: "data.csv")
    // A quadratic layout takes minutes.
    let result = try await shell.bash(
      """
      ulimit -t 20
      filigree-train data.csv --inputs u --recipe linear --members 2 -q --output m &&
      filigree-sensitivity m --data data.csv && filigree-agreement m --data data.csv &&
      filigree-paths m/member-00.onnx --strongest 3 && filigree-forecast m --data data.csv &&
      filigree-draw m --output n.svg && filigree-sensitivity m --data data.csv --plot h.svg >/dev/null
      """)
    #expect(result.code == 0, "\(result.error.suffix(500))")
  }

  @Test func cellsThatSpreadsheetsTakeForFormulasAreTexts() {
    var table = Table(title: "", corner: "=corner", columns: ["+a", "-1.5", "@b"])
    table.rows = [("=HYPERLINK(\"x\")", [.number(-1.5), .text("-x"), .text("plain")])]
    #expect(
      table.csv == "'=corner,'+a,-1.5,'@b\n\"'=HYPERLINK(\"\"x\"\")\",-1.5,'-x,plain\n")
  }

  /// A few of what the script does ten thousand times.
  @Test func damagedFilesOfEveryKindAreRefusedOrFound() async throws {
    let shell = try Shell()
    let script = Fixture.packageFolder.appendingPathComponent("Scripts/faults").path
    let result = try await shell.bash("python3 \(script) --binaries \(Shell.binaries) --count 120")
    #expect(result.code == 0, "\(result.error.suffix(1000))")
    #expect(result.output.split(separator: "\n").count == 2 + 8)
  }
}
