import Dynamics
import LinearAlgebra
import TestSupport
import Testing

@Suite struct LiteraturePlantTests {
  private struct Point: Decodable {
    var state: [Double]
    var controls: [Double]
    var rates: [Double]
  }

  /// Rates at random points against NumPy, written from the papers (Fixtures/scripts/literature_plants.py).
  @Test func ratesAreThoseOfThePapers() throws {
    let reference = try Fixture.json("plant/literature.json", as: [String: [Point]].self)
    #expect(reference.count == 7)
    for (name, points) in reference {
      let plant = try #require(PlantCatalogue.plant(named: name), "\(name)")
      for point in points {
        var rates = [Double](repeating: .nan, count: point.rates.count)
        plant.rates(state: point.state, controls: point.controls, into: &rates)
        let size = point.rates.map(abs).max() ?? 1
        for (found, wanted) in zip(rates, point.rates) {
          #expect(abs(found - wanted) <= 1e-12 * size, "\(name)")
        }
      }
    }
  }

  /// Excited by default they stay finite, in their domain and moving.
  @Test(arguments: PlantCatalogue.names.dropFirst(2)) func theyAreExcited(name: String) throws {
    let plant = try #require(PlantCatalogue.plant(named: name))
    for mode in ExcitationMode.allCases {
      var simulation = Simulation(plant: plant, trajectories: 2, samples: 400)
      simulation.mode = mode
      let data = try simulation.run()
      for column in 0..<(plant.states.count + plant.controls.count) {
        let values = data.samples.flatMap { $0.column(column) }
        #expect(values.allSatisfy { $0.isFinite })
        #expect(values.standardDeviation > 1e-3 * abs(values.mean))
      }
    }
  }
}
