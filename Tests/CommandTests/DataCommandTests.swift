import Dynamics
import Foundation
import Interchange
import TestSupport
import Testing

/// filigree-data, and the other tools on tables that nobody prepared.
@Suite struct DataCommandTests {
  /// Three runs of a tank in the fashion of a German logger.
  private func write(_ shell: Shell) throws {
    for run in 0..<3 {
      var text = "Datum;Uhrzeit;Füllstand [m];Pumpe\r\n"
      var level = 0.5
      for row in 0..<60 {
        let pump = [0.2, 0.8, 0.5][(row / 20 + run) % 3]
        level += 0.1 * (pump - level)
        let clock = String(format: "%02d:%02d", row * 5 / 60, row * 5 % 60)
        text +=
          "31.12.2024;23:\(clock);"
          + String(format: "%.4f;%.1f\r\n", level, pump).replacing(".", with: ",")
      }
      try shell.write(text, to: "run\(run).csv")
    }
  }

  @Test func tablesBecomeTrajectoriesOfOneFile() async throws {
    let shell = try Shell()
    try write(shell)
    let made = try await shell.bash(
      "filigree-data prepare run*.csv --inputs Pumpe --units 'Pumpe=%' --test 0.34 --test-output test.nc "
        + "--output mine.nc")
    #expect(made.code == 0, "\(made.error)")
    #expect(made.error.contains("run1.csv: 60 samples, 5 s apart, 5 min in all"))
    #expect(made.error.contains("decimal commas"))
    let mine = try TrajectoryFile.read(shell.path("mine.nc"))
    #expect(mine.samples.map(\.rows) == [60, 60])
    #expect(mine.variables.map(\.label) == ["Füllstand [m]", "Pumpe [%]"])
    #expect(mine.attributes["history"]?.contains("decimal commas") ?? false)
    #expect(try TrajectoryFile.read(shell.path("test.nc")).samples.count == 1)
  }

  @Test func otherToolsReadTablesTheSameWay() async throws {
    let shell = try Shell()
    try write(shell)
    let result = try await shell.bash(
      "filigree-train run0.csv --inputs Pumpe --recipe linear --members 1 --output m && "
        + "filigree-forecast m --data run1.csv --inputs Pumpe && filigree-sensitivity m --data run1.csv --inputs Pumpe"
    )
    #expect(result.code == 0, "\(result.error)")
    #expect(result.error.contains("run0.csv: 60 samples, 5 s apart, 5 min in all"))
    #expect(result.error.contains("run1.csv: 60 samples"))
  }

  @Test func aCheckIsTextJSONPageAndSettings() async throws {
    let shell = try Shell()
    try write(shell)
    let made = try await shell.bash(
      "filigree-data check run*.csv --output check.html --write-settings s.yaml --format json && "
        + "filigree-data prepare run0.csv --settings s.yaml --output mine.nc")
    #expect(made.code == 0, "\(made.error)")
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any])
    #expect(json["proposedInputs"] as? [String] == ["Pumpe"])
    #expect(json["trajectories"] as? [Int] == [60, 60, 60])
    let page = try shell.text("check.html")
    #expect(
      page.contains("Füllstand") && page.contains("an input?") && !page.contains("http:")
        && !page.contains("https:"))
    #expect(page.components(separatedBy: "<svg").count == 3)
    #expect(try TrajectoryFile.read(shell.path("mine.nc")).controls.map(\.name) == ["Pumpe"])
    let text = try await shell.bash("filigree-data check run0.csv")
    #expect(text.output.contains("input?") && text.output.contains("filigree-train mine.nc"))
  }

  @Test func longRecordsAreLearntFromInStretches() async throws {
    let shell = try Shell()
    var text = "time,x,u\n"
    var x = 0.0
    for row in 0..<30_000 {
      let u = Double(row / 40 * 7 % 11) / 10
      text += "\(row),\(x),\(u)\n"
      x += 0.1 * (u - x)
    }
    try shell.write(text, to: "long.csv")
    let result = try await shell.bash(
      "filigree-train long.csv --inputs u --recipe linear --members 1 --samples 10000 --output m")
    #expect(result.code == 0, "\(result.error)")
    #expect(result.error.contains("learns from 10000 of 30000 samples, in 2 stretches"))
    #expect(try await shell.bash("filigree-train long.csv --samples 5 --output n").code == 64)
  }

  /// Half a gigabyte is what the tool's libraries reserve and a part of what these files would take.
  @Test(arguments: [
    "(echo time,x,u; head -c 100000000 /dev/zero | tr '\\0' 1) > a.csv",
    "(seq -s, 1000000; seq -s, 1000000; seq -s, 1000000) > a.csv",
    "(echo time,x,u; head -c 100000000 /dev/zero) > a.csv",
    "(echo time,x,u; echo 0,1,2; yes '\"' | head -c 100000000) > a.csv",
  ])
  func hostileTablesAreRefusedInBoundedMemory(make: String) async throws {
    let result = try await Shell().bash(
      "\(make); ulimit -v 1000000; filigree-data check a.csv")
    #expect(result.code == 65 && result.error.contains("a.csv"), "\(result.error)")
  }
}
