import CommandSupport
import Foundation
import Networks
import Laws

@main
struct LawsTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-laws",
    abstract: "Which inputs act together, formulas in physical units, and what is conserved.",
    version: filigreeVersion)

  @Argument var models: String
  @Option var data: String
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var run: RunOptions

  mutating func work() async throws {
    let ensemble = try Ensemble.load(models)
    let data = try tables.read(data, quiet: run.quiet)
    let start = Date()
    let f = try await Formulas(ensemble, data, threads: run.threads)
    for o in f.outputs {
      print("== \(ensemble.outputs[o.output].name) network \(o.networkError ?? -1) spread \(o.spread) \(o.isAccepted)")
      let st = o.stated
      print("   STATED", st.formula.text(ensemble.inputs.map(\.name)))
      for c in [st.constant].compactMap({ $0 }) + st.coefficients + st.parameters.flatMap({ $0 }) { print("     ", c.value, c.fitted, c.interval.map { "\($0)" } ?? "-", c.isSnapped) }
      for (i, c) in o.candidates.enumerated() {
        print(i == o.chosen ? "*" : " ", String(format: "%.3g %.3g", c.error ?? -1, c.distance), c.formula.text(ensemble.inputs.map(\.name)))
      }
    }
    print(Date().timeIntervalSince(start))
  }
}
