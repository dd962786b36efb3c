import Foundation
import Interchange
import LinearAlgebra
import TestSupport
import Testing

@Suite struct ForecastCommandTests {
  @Test func forecastsAreTablesAndJSONAndTheSameForAnyNumberOfThreads() async throws {
    let shell = try await Workshop.shared.ready()
    let command = [
      "sparse", "dense", "--data", "test.nc", "--training", "train.nc", "--plant", "duffing",
      "--horizons", "50,200",
    ]
    let table = try await shell.tool(
      "forecast", command + ["--by-state", "--by-member"], columns: 100)
    #expect(
      table.code == 0 && table.error.contains("forecasts of 2 trajectories"), "\(table.error)")
    for words in [
      "sparse, members", "sparse, their mean", "persistence", "linear", "plant", "velocity",
    ] {
      #expect(table.output.contains(words), "\(words)")
    }
    var answers: [String] = []
    for threads in ["1", "2", "5"] {
      let json = try await shell.tool(
        "forecast", command + ["--threads", threads, "--format", "json", "-q"])
      #expect(json.code == 0 && json.error.isEmpty)
      answers.append(json.output)
    }
    #expect(answers[0] == answers[1] && answers[0] == answers[2])
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(answers[0].utf8)) as? [String: Any])
    let references = try #require(value["references"] as? [[String: Any]])
    #expect(references.compactMap { $0["name"] as? String } == ["persistence", "linear", "plant"])
    let horizons = try #require(references[2]["horizons"] as? [[String: Any]])
    let errors = try #require(horizons[1]["undiverged"] as? [String: Any])
    // The data are the plant's own.
    #expect(errors["absolute"] as? Double == 0 && errors["pairs"] as? Int == 2)
  }

  @Test func longTablesHaveARowPerMemberAndHorizon() async throws {
    let shell = try await Workshop.shared.ready()
    let csv = try await shell.tool(
      "forecast", "sparse", "--data", "test.nc", "--horizons", "10,100,9000", "--format", "csv")
    let lines = csv.output.split(separator: "\n")
    // All members and each of three, and persistence; what is beyond the data ends with them.
    #expect(lines.count == 1 + 3 * (4 + 1) && csv.error.contains("at most 200 samples"))
    #expect(lines[0].hasPrefix("model,member,horizon,pairs,absolute,squared,diverged"))
  }

  @Test func filesAndPlotsAreWrittenWhole() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      """
      filigree-forecast sparse dense --data test.nc --output f.nc --plot f.svg --trajectory 1 -q >/dev/null
      echo $?; filigree-forecast sparse/member-00.onnx --data test.nc --plot one.svg -q >/dev/null; echo $?
      filigree-forecast sparse --data test.nc --output f.nc -q >/dev/null 2>&1; echo $?
      """)
    #expect(result.output == "0\n0\n73\n", "\(result.error)")
    for name in ["f.svg", "one.svg"] {
      #expect(XMLDocumentCheck.isWellFormed(Data(try shell.bytes(name))))
      let svg = try shell.text(name)
      #expect(svg.contains("truth") && svg.contains("velocity [m/s]") && svg.contains("force"))
    }
    #expect(try shell.text("f.svg").contains("sparse, mean and band"))
    guard let python = Shell.python else { return }
    let check = try await shell.start(
      python,
      [
        "-c",
        """
        import numpy as np, xarray as xr
        d = xr.open_dataset("f.nc"); t = xr.open_dataset("test.nc")
        assert d.sizes == {"ensemble": 2, "trajectory": 2, "time": 200, "member": 3}, d.sizes
        assert d.attrs["ensembles"] == "sparse, dense"
        assert d.position_mean.attrs["units"] == "m"
        start = d.position_mean.isel(time=0)
        assert np.allclose(start, t.position.isel(time=0)), start
        inside = (d.position_lower <= d.position_mean) & (d.position_mean <= d.position_upper)
        assert (inside | np.isnan(d.position_lower)).all()
        assert d.diverged_at.min() >= -1 and d.diverged_at.max() < 200
        """,
      ])
    #expect(check.code == 0, "\(check.error)")
  }

  @Test func noiseIsOnTheRecordedStatesOnly() async throws {
    let shell = try Shell()
    let result = try await shell.bash(
      """
      filigree-simulate --plant duffing --trajectories 3 --samples 2000 --output clean.nc -q
      filigree-simulate --plant duffing --trajectories 3 --samples 2000 --noise 0.01 --output noisy.nc -q
      filigree-simulate --plant duffing --trajectories 1 --samples 2000 --noise 0.01 --output one.nc -q
      """)
    #expect(result.code == 0, "\(result.error)")
    let clean = try TrajectoryFile.read(shell.path("clean.nc"))
    let noisy = try TrajectoryFile.read(shell.path("noisy.nc"))
    let one = try TrajectoryFile.read(shell.path("one.nc"))
    #expect(one.samples[0] == noisy.samples[0])
    #expect(noisy.attributes["noise"]?.contains("0.01") == true)
    for trajectory in 0..<3 {
      let (a, b) = (clean.samples[trajectory], noisy.samples[trajectory])
      #expect(a.column(2) == b.column(2))
      for state in 0..<2 {
        let noise = zip(a.column(state), b.column(state)).map { $1 - $0 }
        let level = noise.standardDeviation / a.column(state).standardDeviation
        #expect((0.005...0.02).contains(level))
        // White: neighbours are not correlated beyond chance.
        let product = zip(noise, noise.dropFirst()).map(*).mean
        #expect(abs(product) < 0.1 * noise.standardDeviation * noise.standardDeviation)
      }
    }
  }
}
