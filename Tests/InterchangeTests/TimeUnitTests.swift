import Interchange
import TestSupport
import Testing

@Suite("Units of time")
struct TimeUnitTests {
  @Test("Hours are read as such")
  func hours() throws {
    let inHours = try TrajectoryFile.read(Fixture.path("trajectories/hours.nc"))
    #expect(inHours.timeStep == 0.5 * 3600)
  }

  @Test("An unknown unit is refused with the known ones")
  func unknown() throws {
    let error = #expect(throws: FileProblem.self) {
      try TrajectoryFile.read(Fixture.path("trajectories/fortnights.nc"))
    }
    #expect(error.map { "\($0)".contains("fortnights") && "\($0)".contains("h, d") } == true)
  }
}
