import Certificates
import CommandSupport
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Dynamics

@main
struct Certify: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-certify", abstract: "What holds for every point of a box.",
    version: filigreeVersion)
  @Argument var models: String
  @Option var data: String
  @Option var quantiles = "0.01,0.99"
  @Option var boxes = 20000
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var run: RunOptions
  mutating func work() async throws {
    let ensemble = try Ensemble.load(models)
    let d = try tables.read(data)
    let points = try ensemble.points(of: d, from: data)
    let q = quantiles.split(separator: ",").compactMap { Double($0) }
    let columns = (0..<points.columns).map { points.column($0).sorted() }
    try probe(ensemble.members[0], columns.map { $0.quantile(q[0]) }, columns.map { $0.quantile(q[1]) }, boxes: boxes)
  }
}
