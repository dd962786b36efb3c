import Foundation
import Interchange
import TestSupport
import Testing

/// filigree-certify on models that were trained here.
@Suite struct CertifyCommandTests {
  private struct Result: Decodable {
    struct Slope: Decodable {
      var lower: Double?
      var lowest: Double?
      var highest: Double?
      var upper: Double?
      var lowestAt: [Double]?
      var highestAt: [Double]?
    }
    struct Member: Decodable {
      var claim: String
      var verdict: String
      var slope: Slope?
    }
    struct Pair: Decodable {
      var output: String
      var input: String
      var claim: String
      var verdict: String
      var slope: Slope?
      var members: [Member]
    }
    struct Side: Decodable {
      var input: String
      var low: Double?
      var high: Double?
    }
    var version: Int
    var box: [Side]
    var share: Double?
    var pairs: [Pair]
  }

  private func certify(_ shell: Shell, _ arguments: [String]) async throws -> Result {
    let result = try await shell.tool("certify", arguments + ["--format", "json", "-q"])
    #expect(result.code == 0, "\(result.error)")
    return try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
  }

  /// What is proved holds at samples by another tool, and slopes at the witnesses are those that it finds there.
  @Test func boundsAgreeWithSensitivities() async throws {
    let shell = try await Workshop.shared.ready()
    let found = try await certify(
      shell, ["sparse/member-00.onnx", "--data", "test.nc", "--boxes", "300"])
    #expect(found.version == 1 && found.pairs.count == 6)
    #expect(try #require(found.share) > 0.8)
    for pair in found.pairs {
      guard let slope = pair.members[0].slope else {
        #expect(pair.claim == "none" && pair.verdict == "proved")
        continue
      }
      let (lower, upper) = (try #require(slope.lower), try #require(slope.upper))
      for (point, value) in [
        (slope.lowestAt, slope.lowest), (slope.highestAt, slope.highest),
      ] {
        let point = try #require(point)
        for (place, side) in zip(point, found.box) {
          #expect(try #require(side.low) <= place && place <= #require(side.high))
        }
        let place = zip(found.box, point).map { "\($0.input)=\($1)" }.joined(separator: ",")
        let csv = try await shell.tool(
          "sensitivity", "sparse/member-00.onnx", "--point=\(place)", "--format", "csv")
        let lines = csv.output.split(separator: "\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let column = try #require(lines[0].firstIndex { $0 == pair.input })
        let row = try #require(lines.first { $0[0] == pair.output })
        let own = try #require(Double(row[column]))
        #expect(abs(own - (value ?? .nan)) < 1e-6 * (1 + abs(own)), "\(pair.output) \(pair.input)")
        #expect(lower <= own + 1e-9 && own - 1e-9 <= upper)
      }
      switch pair.verdict {
      case "proved": #expect(pair.claim == "rises" ? lower >= 0 : upper <= 0)
      case "refuted": #expect(try #require(slope.lowest) < 0 && #require(slope.highest) > 0)
      default: #expect(lower < 0 && upper > 0)
      }
    }
  }

  @Test func theSameForAnyNumberOfThreads() async throws {
    let shell = try await Workshop.shared.ready()
    var texts: [String] = []
    for threads in ["1", "3"] {
      texts.append(
        try await shell.tool(
          "certify", "sparse", "--data", "test.nc", "--boxes", "100", "--threads", threads
        ).output)
    }
    #expect(texts[0] == texts[1] && texts[0].contains("Of 6 pairs"))
  }

  /// Sides on the command line, in YAML, in CSV and as data.
  @Test func sidesComeFromWordsAndFiles() async throws {
    let shell = try await Workshop.shared.ready()
    try shell.write("position: [-0.5, 0.5]\nforce: 0.25\n", to: "box.yaml")
    try shell.write("input,low,high\nposition,-0.5,0.5\nforce,0.25,0.25\n", to: "box.csv")
    let words = "position=-0.5..0.5,force=0.25"
    let base = ["sparse/member-00.onnx", "--boxes", "1"]
    let first = try await certify(shell, base + ["--where", words])
    #expect(first.box[0].low == -0.5 && first.box[0].high == 0.5 && first.box[2].low == 0.25)
    for file in ["box.yaml", "box.csv"] {
      let other = try await certify(shell, base + ["--box", file])
      #expect(other.box.map(\.low) == first.box.map(\.low))
      #expect(other.box.map(\.high) == first.box.map(\.high))
    }
    // What files leave out comes from the data; the command line goes before both.
    let mixed = try await certify(
      shell, base + ["--data", "test.nc", "--box", "box.yaml", "--where", "force=-1.."])
    #expect(mixed.box[0].high == 0.5 && mixed.box[2].low == -1 && mixed.box[2].high == nil)
    let all = try await certify(shell, base + ["--box", "test.nc", "--quantiles", "0,1"])
    #expect(all.share == 1)
    let everywhere = try await certify(shell, base + ["--everywhere"])
    #expect(everywhere.box.allSatisfy { $0.low == nil && $0.high == nil })
  }

  @Test func onePairIsExplainedAndTwoModelsCompared() async throws {
    let shell = try await Workshop.shared.ready()
    let pair = try await shell.tool(
      "certify", "sparse", "--data", "test.nc", "--boxes", "200", "--explain", "position",
      "velocity")
    #expect(pair.code == 0, "\(pair.error)")
    let words = pair.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      words.contains(
        "More velocity always raises d/dt position within this box (proved in all 3 members)"))
    let same = try await shell.tool(
      "certify", "sparse/member-00.onnx", "--against", "sparse/member-00.onnx", "--data", "test.nc",
      "--within", "0.01", "--boxes", "2000", "--tolerance", "0.001")
    #expect(same.code == 0, "\(same.error)")
    let other = try await shell.tool(
      "certify", "sparse/member-00.onnx", "--against", "sparse/member-01.onnx", "--data", "test.nc",
      "--within", "0", "--boxes", "50")
    #expect(other.output.contains("refuted"), "\(other.output)")
  }

  @Test func aTimeLimitEndsTheSearch() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.tool(
      "certify", "dense", "--data", "test.nc", "--time-limit", "0.2", "--tolerance", "1e-6")
    #expect(result.code == 0 && result.error.contains("the time was up"), "\(result.error)")
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: String
    var code: Int32
    var says: [String]
    var testDescription: String { arguments }

    init(_ arguments: String, _ code: Int32, _ says: String...) {
      self.arguments = arguments
      self.code = code
      self.says = says
    }
  }

  @Test(arguments: [
    Case("sparse --quantiles 0.9,0.1 --data test.nc", 64, "--quantiles 0.9,0.1", "0.01,0.99"),
    Case("sparse --quantiles 0,1", 64, "--data"),
    Case("sparse --everywhere --data test.nc", 64, "--everywhere"),
    Case("sparse --data test.nc --box test.nc", 64, "give one"),
    Case("sparse --where mass=1..2", 64, "mass", "position"),
    Case("sparse --where positon=1..2", 64, "did you mean position"),
    Case("sparse --where position=2..1", 64, "position=2..1", "low..high"),
    Case("sparse --where position=1,position=2", 64, "twice"),
    Case("sparse --boxes 0", 64, "--boxes 0"), Case("sparse --tolerance 0", 64, "--tolerance 0"),
    Case("sparse --time-limit=-1", 64, "--time-limit -1"),
    Case("sparse --within 1", 64, "--against"),
    Case("sparse --explain position", 64, "an output and an input"),
    Case("sparse --explain velocity position --against dense", 64, "give one"),
    Case("sparse --explain force position", 65, "the output comes first"),
    Case("sparse --against dense", 64, "3 members"),
    Case("sparse --box nothing.yaml", 66, "nothing.yaml"),
    Case("sparse --box bad.yaml", 65, "bad.yaml", "line 2", "did you mean position"),
    Case("sparse --box reversed.yaml", 65, "reversed.yaml", "line 1", "the lower first"),
    Case("sparse --box bad.csv", 65, "bad.csv", "line 3", "three fields"),
    Case("sparse --box binary.yaml", 65, "binary.yaml"),
    Case("GELU --everywhere", 65, "gelu", "silu"),
  ])
  func mistakesAreNamed(_ mistake: Case) async throws {
    let shell = try await Workshop.shared.ready()
    try shell.write("force: 1\npositon: [1, 2]\n", to: "bad.yaml")
    try shell.write("position: [2, 1]\n", to: "reversed.yaml")
    try shell.write("input,low,high\nposition,1,2\nforce,1\n", to: "bad.csv")
    try Data([0xFF, 0xFE, 0, 1]).write(to: URL(fileURLWithPath: shell.path("binary.yaml")))
    let model = Fixture.path("exporters/jax2onnx-act-gelu-24.onnx")
    let words = mistake.arguments.split(separator: " ").map { $0 == "GELU" ? model : String($0) }
    let result = try await shell.tool("certify", words)
    #expect(result.code == mistake.code, "\(result.error)")
    for word in mistake.says { #expect(result.error.contains(word), "\(result.error)") }
    #expect(result.output.isEmpty)
  }
}
