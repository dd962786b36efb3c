import Dynamics
import Interchange
import LinearAlgebra
import TestSupport
import Testing

/// Files that another program made; sample k of trajectory i holds 10 i + k, every half second.
@Suite("NetCDF files of others")
struct ForeignNetCDFTests {
  @Test("Packed numbers are unpacked, gaps beyond the length do not count")
  func packed() throws {
    let data = try read("packed")
    #expect(
      data.variables == [
        Variable("temperature", unit: "degC", role: .state),
        Variable("current", unit: "A", role: .control),
      ])
    #expect(data.timeStep == 0.5)
    #expect(data.attributes == ["source": "a logger"])
    #expect(
      data.samples == [
        Matrix([[950, 0.25], [950.5, 1000.25], [951, 2000.25], [951.5, 3000.25]]),
        Matrix([[955, 10000.25], [955.5, 11000.25]]),
      ])
  }

  @Test("A single trajectory needs no dimension of its own")
  func oneDimension() throws {
    let data = try read("one_dimension")
    #expect(data.variables.map(\.name) == ["x", "u"])
    #expect(data.samples == [Matrix([[10, -10], [11, -11], [12, -12], [13, -13]])])
  }

  @Test("Classic files with a record dimension and 32-bit numbers are read")
  func classic() throws {
    let data = try read("classic")
    #expect(data.samples == [Matrix([[10], [11], [12], [13]])])
    #expect(data.timeStep == 0.5)
  }

  @Test(
    "What cannot be used is refused in words that help",
    arguments: [
      ("unequal_steps", "variable time, sample 3: the time step is 0.6"),
      ("fill_inside", "variable \"x\", trajectory 1, sample 2 is nan"),
      ("unknown_role", "variable wind: its role \"disturbance\" is none of"),
      ("transposed", "variable time: it is missing, or its dimension is not the last"),
      ("mixed_shapes", "variable u: its dimensions are (time)"),
      ("long_length", "variable length, trajectory 1: 5.0 is not in 0...4"),
      ("text_values", "variable x: "),
      ("without_time", "variable time: it is missing"),
      ("one_sample", "no trajectory has two samples"),
      ("forged_size", "1000000000 trajectories of 1000 samples cannot lie in"),
    ])
  func refused(name: String, words: String) throws {
    let problem = try problem { try read(name) }
    #expect(problem.words.hasPrefix(words))
    #expect(problem.description.contains("\(name).nc: "))
  }

  @Test("Damaged files never crash", arguments: ["packed", "one_dimension", "text_values"])
  func damage(name: String) throws {
    let bytes = try Fixture.bytes("trajectories/\(name).nc")
    let path = try temporaryPath("damaged.nc")
    for seed in 0..<100 as Range<UInt64> {
      try replace(path, damaged(bytes, seed: seed))
      do { _ = try TrajectoryFile.read(path) } catch { #expect(error.kind != .missing) }
    }
  }

  private func read(_ name: String) throws(FileProblem) -> Trajectories {
    try TrajectoryFile.read(Fixture.path("trajectories/\(name).nc"))
  }
}
