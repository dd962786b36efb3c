import Foundation
import Interchange
import TestSupport
import Testing

/// Duffing's oscillator, learnt well enough for its law, once for all tests here.
private actor Oscillator {
  static let shared = Oscillator()
  private var shell: Task<Shell, any Error>?

  func ready() async throws -> Shell {
    if let shell { return try await shell.value }
    let task = Task {
      let shell = try Shell()
      let made = try await shell.bash(
        "filigree-simulate --plant duffing --trajectories 6 --samples 600 --seed 5 --output d.nc -q && "
          + "filigree-train d.nc --members 2 --output m -q")
      guard made.code == 0 else { throw WorkshopFailure(text: made.error) }
      return shell
    }
    shell = task
    return try await task.value
  }
}

/// filigree-laws from data to formulas that other programs run.
@Suite struct LawsCommandTests {
  private func formulas(_ shell: Shell) async throws -> [[String: Any]] {
    let told = try await shell.tool(
      "laws", "m", "--data", "d.nc", "--show", "formulas", "--format", "json")
    #expect(told.code == 0, "\(told.error)")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: Any])
    let formulas = try #require(value["formulas"] as? [String: Any])
    return try #require(formulas["outputs"] as? [[String: Any]])
  }

  /// ẋ = v, v̇ = x − x³ − 0.3 v + u, from data alone.
  @Test func theOscillatorsLawIsFound() async throws {
    let shell = try await Oscillator.shared.ready()
    let outputs = try await formulas(shell)
    #expect(outputs.allSatisfy { $0["isAccepted"] as? Bool == true })
    let terms = try #require(outputs[1]["terms"] as? [[String: Any]])
    var found: [String: Double] = [:]
    for term in terms {
      let name = try #require(term["term"] as? String)
      found[name] = (term["coefficient"] as? [String: Any])?["fitted"] as? Double
    }
    let expected = ["position": 1.0, "position^3": -1, "velocity": -0.3, "force": 1]
    #expect(found.keys.sorted() == expected.keys.sorted(), "\(found)")
    for (name, value) in expected {
      #expect(abs((found[name] ?? 0) / value - 1) < 0.01, "\(name): \(found)")
    }
  }

  /// What C and Python compute from the exported functions are our own formula's values.
  @Test func exportedFunctionsRun() async throws {
    let shell = try await Oscillator.shared.ready()
    let written = try await shell.bash(
      "filigree-laws m --data d.nc --format c --output law.c -q --force && "
        + "filigree-laws m --data d.nc --format python --output law.py -q --force")
    #expect(written.code == 0, "\(written.error)")
    let outputs = try await formulas(shell)
    try shell.write(
      """
      #include <stdio.h>
      void rates(const double inputs[3], double rates[2]);
      int main(void) {
        const double point[3] = {0.7, -0.2, 0.4};
        double result[2];
        rates(point, result);
        printf("%.17g %.17g\\n", result[0], result[1]);
      }
      """, to: "main.c")
    let sympy = try outputs.map { try #require($0["sympy"] as? String) }
    let python = """
      from law import rates
      position, velocity, force = 0.7, -0.2, 0.4
      print(*rates([position, velocity, force]))
      print(\(sympy[0]), \(sympy[1]))
      """
    try shell.write(python, to: "run.py")
    let run = try await shell.bash(
      "cc -std=c11 -Wall -Wextra -Werror -O1 main.c law.c -lm -o law && ./law && python3 run.py")
    #expect(run.code == 0, "\(run.error)")
    let values = run.output.split(separator: "\n").map { line in
      line.split(separator: " ").compactMap { Double($0) }
    }
    #expect(values.count == 3 && values.allSatisfy { $0.count == 2 })
    let truth = [-0.2, 0.7 - 0.343 + 0.06 + 0.4]
    for line in values {
      for (value, own) in zip(line, values[2]) { #expect(abs(value - own) < 1e-14) }
      for (value, right) in zip(line, truth) { #expect(abs(value - right) < 1e-2) }
    }
  }

  @Test func resultsAreTheSameForAnyNumberOfThreads() async throws {
    let shell = try await Oscillator.shared.ready()
    var results: [String] = []
    for threads in ["1", "3"] {
      let told = try await shell.tool(
        "laws", "m", "--data", "d.nc", "--format", "json", "--threads", threads)
      #expect(told.code == 0, "\(told.error)")
      results.append(told.output)
    }
    #expect(results[0] == results[1])
  }

  @Test func thePartsAreToldAndDrawn() async throws {
    let shell = try await Oscillator.shared.ready()
    let table = try await shell.tool(
      "laws", "m", "--data", "d.nc", "--plot", "groups.svg", "--force", columns: 80)
    #expect(table.code == 0, "\(table.error)")
    #expect(table.output.contains("Inputs that act together"))
    #expect(table.output.contains("d/dt velocity = "))
    #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(try shell.text("groups.svg").contains("d/dt velocity"))
    let latex = try await shell.tool("laws", "m", "--data", "d.nc", "--format", "latex")
    #expect(latex.output.hasPrefix("\\begin{align}") && latex.output.contains("\\mathrm{position}"))
  }

  /// c + Σ aᵢ xᵢ is the value at the point.
  @Test func theAffineFormulaHoldsAtItsPoint() async throws {
    let shell = try await Oscillator.shared.ready()
    let told = try await shell.tool(
      "laws", "m", "--at", "position=0.5,force=-0.2", "--format", "json")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: Any])
    let point = try #require(value["point"] as? [Double])
    #expect(point[0] == 0.5 && point[2] == -0.2)
    for output in try #require(value["outputs"] as? [[String: Any]]) {
      let slopes = try #require(output["slopes"] as? [Double])
      let constant = try #require(output["constant"] as? Double)
      let sum = zip(slopes, point).reduce(constant) { $0 + $1.0 * $1.1 }
      #expect(abs(sum - (output["value"] as? Double ?? .nan)) < 1e-12)
    }
    // x³ bends.
    let bent = try #require((value["outputs"] as? [[String: Any]])?[1])
    #expect(bent["along"] as? String == "position" && (bent["distance"] as? Double ?? 9) < 1)
  }

  @Test(arguments: [
    ("m", 64, "--data"), ("m --data d.nc --at force=1", 64, "--at"),
    ("m --data d.nc --show laws", 64, "interactions"),
    ("m --data d.nc --factor 0.5", 64, "--factor"),
    ("m --data d.nc --output x.c", 64, "--format"),
    ("m --data d.nc --plot x.gif", 64, ".svg"),
    ("m --data d.nc --show formulas --plot x.svg", 64, "--plot"),
    ("m --at position=x", 64, "name=number"), ("m --at speed=1", 64, "velocity"),
    ("m --data nothing.nc", 66, "nothing.nc"),
    ("m --data other.csv --inputs force", 65, "position"),
    ("m --data slow.nc", 65, "--every"),
    ("m --data d.nc --format c --output m/member-00.onnx", 64, "choose another name"),
  ])
  func whatCannotBeDoneIsSaid(arguments: String, code: Int32, text: String) async throws {
    let shell = try await Oscillator.shared.ready()
    try shell.write("time,velocity,force\n0,1,2\n1,2,3\n2,1,0\n3,1,1\n", to: "other.csv")
    if !shell.exists("slow.nc") {
      _ = try await shell.bash(
        "filigree-data prepare d.nc --every 0.1s --output slow.nc")
    }
    let told = try await shell.bash("filigree-laws \(arguments)")
    #expect(told.code == code && told.error.contains(text), "\(arguments): \(told.error)")
    #expect(told.output.isEmpty)
  }
}
