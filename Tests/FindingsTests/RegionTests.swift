import Dynamics
import Findings
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite struct RegionTests {
  /// f = max(0, x) + u/2: x acts only where it is positive.
  private var ensemble: Ensemble {
    let inputs = [Variable("x", role: .state), Variable("u", role: .control)]
    return Ensemble(
      name: "e",
      members: [
        Model(
          network: ExampleNetworks.chain(
            [Matrix([[1, 0]]), Matrix([[1]])], skip: Matrix([[0, 0.5]]), inputs: 2),
          inputs: inputs, outputs: [inputs[0].rate], inputScaling: .identity(2),
          outputScaling: .identity(1), timeStep: 1)
      ])
  }

  @Test func terclesHaveTheSlopesOfTheirOwnSamples() async throws {
    let points = Matrix(rows: 9, columns: 2) { row, column in column == 0 ? Double(row) - 5.5 : 0 }
    let report = try await RegionReport(
      ensemble, over: points, by: ensemble.inputs[0], values: points.column(0),
      units: .standardised, threads: 1)
    #expect(report.tables.count == 3)
    let rows = report.longTable.rows.map(\.cells)
    #expect(rows.map { $0[2] } == [.integer(3), .integer(3), .integer(3)])
    #expect(rows.map { $0[3] } == [.number(0), .number(0), .number(1)])
    #expect(rows.map { $0[4] } == [.number(0.5), .number(0.5), .number(0.5)])
  }

  @Test func relevanceIsTheMeanOfTheRegions() async throws {
    let points = Matrix(rows: 9, columns: 2) { row, column in column == 0 ? Double(row) - 5.5 : 0 }
    let report = PointReport(ensemble, at: points.row(8).map { $0 }, units: .standardised)
    #expect(report.tables[0].rows[0].cells == [.number(1), .number(0.5)])
    let below = PointReport(ensemble, at: points.row(0).map { $0 }, units: .standardised)
    #expect(below.tables[0].rows[0].cells == [.trueZero, .number(0.5)])
  }
}
