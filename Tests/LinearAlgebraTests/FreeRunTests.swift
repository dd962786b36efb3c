import LinearAlgebra
import Testing

@Suite struct FreeRunTests {
  /// Two states with lags, one control that is read ahead, in two series of noise.
  private static let features: [FreeRun.Feature] = [
    .init(column: 0, delay: 0), .init(column: 1, delay: 0), .init(column: 0, delay: 2),
    .init(column: 2, delay: -1), .init(column: 2, delay: 1),
  ]

  private static func series(gap: Int? = nil) -> FreeRun {
    var stream = RandomStream(seed: 3)
    let series = (0..<2).map { number in
      Matrix(rows: 14, columns: 3) { row, column in
        let value = 0.5 * stream.normal()
        return number == 0 && row == gap && column == 1 ? .nan : value
      }
    }
    return FreeRun(states: 2, features: features, series: series)
  }

  private static let maps = [
    RecursiveMap(
      features: 5, products: [[], [0], [1], [3], [0, 2], [0, 0, 1]], units: [[0, 3, 4], [2]]),
    RecursiveMap(features: 5, products: [[], [1], [2, 2, 4]], units: [[1, 4]]),
  ]

  private static let parameters: [Double] = {
    var stream = RandomStream(seed: 5)
    return maps.flatMap { map in (0..<map.parameterCount).map { _ in 0.4 * stream.normal() } }
  }()

  private static let windows: [FreeRun.Window] = [
    .init(series: 0, first: 2, length: 11), .init(series: 1, first: 4, length: 6),
  ]

  @Test func gradientIsThatOfTheLoss() {
    let free = Self.series(gap: 7)
    let equations = free.equations(Self.maps, Self.parameters, Self.windows)
    let loss = free.loss(Self.maps, Self.parameters, Self.windows)
    #expect(abs(equations.loss - loss) < 1e-14 * loss)
    for index in Self.parameters.indices {
      func at(_ step: Double) -> Double {
        var moved = Self.parameters
        moved[index] += step
        return free.loss(Self.maps, moved, Self.windows)
      }
      let slope = (at(1e-5) - at(-1e-5)) / 2e-5
      #expect(abs(2 * equations.gradient[index] - slope) < 1e-7 * max(1, abs(slope)), "\(index)")
    }
  }

  @Test func curvatureIsTheProductOfTheDerivatives() {
    let free = Self.series()
    let equations = free.equations(Self.maps, Self.parameters, Self.windows)
    func errors(_ parameters: [Double]) -> [Double] {
      Self.windows.flatMap { free.predictions(Self.maps, parameters, $0).elements }
    }
    let columns = Self.parameters.indices.map { index -> [Double] in
      var (up, down) = (Self.parameters, Self.parameters)
      up[index] += 1e-5
      down[index] -= 1e-5
      return zip(errors(up), errors(down)).map { ($0 - $1) / 2e-5 }
    }
    for i in columns.indices {
      for j in 0...i {
        let product = zip(columns[i], columns[j]).reduce(0) { $0 + $1.0 * $1.1 }
        let mean = product / Double(columns[i].count)
        #expect(abs(equations.curvature[i, j] - mean) < 1e-7 * max(1, abs(mean)))
      }
    }
  }

  @Test func aRunFeedsOnItsOwnPredictions() {
    let free = FreeRun(
      states: 1, features: [.init(column: 0, delay: 0), .init(column: 0, delay: 1)],
      series: [Matrix([[1], [2], [.nan], [.nan], [.nan]])])
    let map = RecursiveMap(features: 2, products: [[0], [1]])
    // x(t+1) = x(t) + x(t−1).
    let path = free.predictions([map], [1, 1], .init(series: 0, first: 1, length: 3))
    #expect(path.elements == [3, 5, 8])
    #expect(free.canStart(0, at: 1) && !free.canStart(0, at: 0) && !free.canStart(0, at: 2))
  }

  @Test func whatRunsAwayIsHeld() {
    let free = FreeRun(
      states: 1, features: [.init(column: 0, delay: 0)],
      series: [Matrix(rows: 40, columns: 1, repeating: 1)])
    let map = RecursiveMap(features: 1, products: [[0], [0, 0, 0]])
    let path = free.predictions([map], [3, 2], .init(series: 0, first: 0, length: 39))
    #expect(path.elements.last == FreeRun.limit)
    #expect(free.loss([map], [3, 2], [.init(series: 0, first: 0, length: 39)]).isFinite)
  }
}
