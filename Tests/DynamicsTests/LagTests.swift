import Dynamics
import LinearAlgebra
import Structure
import Testing

@Suite struct LagTests {
  private static let variables = [
    Variable("level", unit: "m", role: .state), Variable("pump", role: .control),
  ]

  /// Value 100·column + sample, of two trajectories.
  private func data(gap: (trajectory: Int, sample: Int)? = nil) throws -> Trajectories {
    try Trajectories(
      variables: Self.variables, timeStep: 2,
      samples: [8, 5].enumerated().map { trajectory, rows in
        Matrix(rows: rows, columns: 2) { row, column in
          if let gap, gap.trajectory == trajectory, gap.sample == row, column == 0 { return .nan }
          return Double(100 * column + row + 1000 * trajectory)
        }
      }, gaps: .inStates)
  }

  private let orders = LagOrders(stateLags: 2, controls: [.init(delay: -1, count: 2)])

  @Test func featuresAreNamedByTheirMoment() throws {
    let data = try data().lagged(orders)
    #expect(
      data.regressors.map(\.name)
        == ["level", "level(t−1)", "level(t−2)", "pump(t+1)", "pump"])
    #expect(data.regressors.map(\.delay) == [0, 1, 2, -1, 0])
    #expect(data.regressors.sources == ["level", "pump"])
    #expect(data.regressors.history == 2 && data.regressors[1].unit == "m")
  }

  @Test func rowsStayWithinTheirTrajectories() throws {
    let regression = try Regression(try data().lagged(orders))
    var rows: [[Double]] = []
    regression.forEachRow { _, values in rows.append(values) }
    // Samples 2 … 6 of eight and 2 … 3 of five; the rate of a ramp of one per sample of 2 s.
    #expect(rows.count == 5 + 2 && regression.rows == 7)
    #expect(rows[0] == [2, 1, 0, 103, 102, 0.5])
    #expect(rows[5] == [1002, 1001, 1000, 1103, 1102, 0.5])
    let points = try data().points(of: data().lagged(orders).regressors)
    // The last sample has no next one.
    #expect(points.rows == 7 && Array(points.row(4)) == [6, 5, 4, 107, 106])
  }

  @Test func gapsTakeOutEveryRowThatReadsThem() throws {
    let regression = try Regression(try data(gap: (0, 4)).lagged(orders))
    var starts: [Int] = []
    regression.forEachStep { _, trajectory, sample in
      if trajectory == 0 { starts.append(sample) }
    }
    // 3 leads to the gap, 4, 5 and 6 read it.
    #expect(starts == [2])
  }

  @Test func withoutLagsNothingChanges() throws {
    let data = try data()
    let none = LagOrders(stateLags: 0, controls: [.init(delay: 0, count: 1)])
    #expect(data.lagged(none).regressors == data.states + data.controls)
    #expect(try Regression(data.lagged(none)).inputs == Regression(data).inputs)
  }

  @Test func windowsAndPartsInTime() throws {
    let data = try data()
    let windows = data.windows(length: 4, every: 3)
    #expect(windows.samples.map { $0[0, 0] } == [0, 3, 1000])
    #expect(windows.samples.allSatisfy { $0.rows == 4 })
    let (before, behind) = data.splitInTime(0.75)
    #expect(before.samples.map(\.rows) == [6, 4] && behind.samples.map(\.rows) == [2, 1])
    #expect(behind.samples[0][0, 0] == 6)
  }
}
