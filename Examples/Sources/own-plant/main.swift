// A plant of one's own: a pendulum with friction, driven by a torque. Simulates it, writes the trajectories for
// filigree-train, and prints how strongly each rate depends on the states and on the torque, by its equations.
import Dynamics
import Interchange
import LinearAlgebra
import Structure

struct Pendulum: Plant {
  let name = "pendulum"
  let timeStep = 0.05
  let states = [
    Variable("angle", unit: "rad", role: .state), Variable("speed", unit: "rad/s", role: .state),
  ]
  let controls = [Variable("torque", unit: "rad/s²", role: .control)]

  func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    rates[0] = x[1]
    rates[1] = u[0] - S.sin(x[0]) - S(0.2) * x[1]
  }

  func initialState(_ stream: inout RandomStream) -> [Double] {
    [stream.normal(), stream.normal()]
  }

  func makeOperator(mode: ExcitationMode, stream: RandomStream) -> SteppedControls {
    SteppedControls([-1...1], hold: 10...50, mode: mode, stream: stream)
  }
}

let path = CommandLine.arguments.dropFirst().first ?? "pendulum.csv"
let data = try Simulation(plant: Pendulum(), trajectories: 10, samples: 500).run()
try WholeFile.write(TrajectoryFile.bytes(data, for: path), to: path, force: true)

let truth = try await PlantTruth(Pendulum(), over: data, threads: 2)
for (row, state) in data.states.enumerated() {
  print(state.rate.label, Array(truth.relevance.row(row)))
}
