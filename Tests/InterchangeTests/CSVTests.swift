import Dynamics
import Interchange
import LinearAlgebra
import TestSupport
import Testing

@Suite("CSV files")
struct CSVTests {
  @Test("The text of a small file is known")
  func golden() throws {
    let variables = [
      Variable("T", unit: "K", longName: "not kept", role: .state), Variable("a,b", role: .state),
      Variable("u", unit: "A", role: .control), Variable("y", role: .observable),
    ]
    let samples = [
      Matrix([[1, 0.1, -2, 1e16], [1.5, 1e-7, -0.0, .leastNonzeroMagnitude]]),
      Matrix([[3, 4, 5, 6]]),
    ]
    let data = try Trajectories(variables: variables, timeStep: 0.5, samples: samples)
    let text = """
      trajectory,time,T [K],"a,b",u [A] (input),y (observable)
      0,0,1,0.1,-2,1e+16
      0,0.5,1.5,1e-07,-0,5e-324
      1,0,3,4,5,6

      """
    #expect(String(decoding: try TrajectoryFile.bytes(data, for: "a.csv"), as: UTF8.self) == text)
  }

  @Test("Any finite numbers come back bit by bit", arguments: 1...20 as ClosedRange<UInt64>)
  func randomNumbers(seed: UInt64) throws {
    var stream = RandomStream(seed: seed, path: [2])
    let roles: [Role] = [.state, .control, .observable]
    let variables = (0...stream.integer(in: 0...5)).map { index in
      Variable(
        "v\(index)", unit: "m/s", role: index == 0 ? .state : roles[stream.integer(in: 0...2)])
    }
    let lengths = [2] + (0..<stream.integer(in: 0...4)).map { _ in stream.integer(in: 1...9) }
    let data = try randomTrajectories(
      seed: seed, variables: variables, lengths: lengths, timeStep: stream.uniform() + 1e-3)
    #expect(Exact(try written(data, as: "csv")) == Exact(data))
  }

  @Test(
    "Names come back as they were, with and without unit, in every role",
    arguments: hostileNames, ["", "°C", "mol [H2O]", "a,\"b\"\n"])
  func names(name: String, unit: String) throws {
    for role in [Role.state, .control, .observable] {
      let variables = [
        Variable(name, unit: unit, role: role), Variable("plain state", role: .state),
      ]
      let data = try randomTrajectories(seed: 3, variables: variables, lengths: [2])
      #expect(Exact(try written(data, as: "csv")) == Exact(data), "\(role)")
    }
  }

  @Test("Random names of awkward characters come back", arguments: 1...40 as ClosedRange<UInt64>)
  func randomNames(seed: UInt64) throws {
    var stream = RandomStream(seed: seed, path: [3])
    let alphabet = Array("ab \",\n\r;[]()é日\u{301}\u{200D}\u{600}".unicodeScalars)
    let name = (0..<stream.integer(in: 0...12)).reduce(into: "") { name, _ in
      name.unicodeScalars.append(alphabet[stream.integer(in: 0...(alphabet.count - 1))])
    }
    let variables = [
      Variable(name, unit: "kg", role: .state), Variable(name + "_", role: .control),
    ]
    let data = try randomTrajectories(seed: seed, variables: variables, lengths: [2])
    #expect(Exact(try written(data, as: "csv")) == Exact(data))
  }

  @Test(
    "The same table is read however its lines end",
    arguments: [
      "trajectory,time,x\n0,0,1\n0,1,2\n1,0,3\n", "trajectory,time,x\n0,0,1\n0,1,2\n1,0,3",
      "trajectory,time,x\r\n0,0,1\r\n0,1,2\r\n1,0,3\r\n",
      "trajectory,time,x\r0,0,1\r0,1,2\r1,0,3\r",
      "\u{FEFF}trajectory,time,x\n0,0,1\n0,1,2\n1,0,3\n",
      "\n\ntrajectory,time,x\n\n0,0,1\n0,1,2\n\r\n1,0,3\n\n",
      "\"trajectory\",\"time\",\"x\"\r\n\"0\",\"0\",\"1\"\r\n0,1,\"2\"\r\n1,0,3",
      "trajectory, time,x\n0, 0, 1\n 0,1 ,2\n1,0,3e0\n",
      "Trajectory,TIME [s],x\n0,0,1\n0,1,2\n1,0,3",
      "x,time,trajectory\n1,0,0\n2,1,0\n3,0,1\n", "trajectory,time,x\n0,0,1\n1,0,3\n0,1,2\n",
      "trajectory,time,x\n7,5,1\n7,6,2\n-2,9,3\n",
    ])
  func layouts(text: String) throws {
    let data = try read(text.utf8, as: "csv")
    #expect(data.variables == [Variable("x", role: .state)])
    #expect(data.timeStep == 1)
    #expect(data.samples == [Matrix([[1], [2]]), Matrix([[3]])])
  }

  @Test("Without a column for the trajectory there is one of them")
  func oneTrajectory() throws {
    let data = try read("time,x,u [A] (input)\n0,1,10\n0.25,2,20\n0.5,3,30\n".utf8, as: "csv")
    #expect(data.samples == [Matrix([[1, 10], [2, 20], [3, 30]])])
    #expect(data.timeStep == 0.25)
    #expect(data.controls == [Variable("u", unit: "A", role: .control)])
  }

  @Test("Headings tell units and roles", arguments: headings)
  func heading(text: String, variable: Variable) throws {
    let data = try read("time,plain,\"\(text)\"\n0,1,2\n1,1,2\n".utf8, as: "csv")
    #expect(data.variables.contains(variable))
  }

  @Test("Columns can be declared as controls, the others then are states")
  func declaring() throws {
    let path = try temporaryFile(
      "time,a,b (input),c,d (observable)\n0,1,2,3,4\n1,5,6,7,8\n".utf8, named: "a.csv")
    let data = try TrajectoryFile.read(path, controls: ["c"])
    #expect(data.variables.map(\.name) == ["a", "b", "c", "d"])
    #expect(data.variables.map(\.role) == [.state, .state, .control, .observable])
    #expect(try TrajectoryFile.read(path, controls: []).controls.isEmpty)
    let unknown = try problem { try TrajectoryFile.read(path, controls: ["e"]) }
    #expect(unknown.words.contains("there is no variable \"e\"; there are \"a\", "))
    let none = try problem { try TrajectoryFile.read(path, controls: ["a", "b", "c"]) }
    #expect(none.words.contains("there is no state variable"))
  }

  @Test("What cannot be used is refused with the place", arguments: refusals)
  func refused(refusal: Refusal) throws {
    let problem = try problem { try read(refusal.text.utf8, as: "csv") }
    #expect(problem.words.contains(refusal.words))
    #expect(problem.kind == .malformed || problem.kind == .badData)
  }

  @Test("Any bytes are read or refused", arguments: 0...149 as ClosedRange<UInt64>)
  func damage(seed: UInt64) throws {
    let data = try randomTrajectories(
      seed: 1, variables: [Variable("a \"b\"\n", unit: "K", role: .state)], lengths: [3, 2])
    let bytes = damaged(try TrajectoryFile.bytes(data, for: "a.csv"), seed: seed)
    do {
      _ = try read(bytes, as: "csv")
    } catch let error as FileProblem {
      #expect(error.kind == .malformed || error.kind == .badData)
    }
  }
}

// MARK: Values

struct Refusal: CustomTestStringConvertible, Sendable {
  var text: String
  var words: String
  var testDescription: String { words }

  init(_ text: String, _ words: String) {
    self.text = text
    self.words = words
  }
}

private let refusals = [
  Refusal("", "line 1: the file is empty"),
  Refusal("\n\r\n", "the file is empty"),
  Refusal("trajectory,time,x\n", "there is a header but no data below it"),
  Refusal("run,a,x\n0,0,1\n0,0,1\n", "there is no column of time: name it with --time"),
  Refusal("trajectory;time;x\n0;0;1\n", "no trajectory has two samples"),
  Refusal("trajectory,time\n0,0\n", "line 1: there are no columns of variables"),
  Refusal("time,x\n0,1\n1\n", "line 3: 1 fields where the header has 2"),
  Refusal("time,x\n0,1\n1,2,3\n", "line 3: 3 fields where the header has 2"),
  Refusal("time,\"x\ny\"\n0,1\n1,2,3\n", "line 4: 3 fields where the header has 2"),
  Refusal(
    "time,x [K]\n0,1\n1,two\n",
    "no column of variables holds numbers (line 3, column 2 (x [K]): \"two\")"),
  Refusal("time,x,y\n0,1,2\n1,,2\n", "line 3, column 2 (x): the field is empty"),
  Refusal("time,x\n0,1\n1, \n", "line 3, column 2 (x): the field is empty"),
  Refusal("time,x\n0,nan\n1,2\n", "line 2, column 2 (x): \"nan\" stands for a missing value"),
  Refusal(
    "time,x\n0,1\n1,-inf\n", "no column of variables holds numbers (line 3, column 2 (x): \"-inf\")"
  ),
  Refusal(
    "time,x\n0,1\n1,1e999\n",
    "no column of variables holds numbers (line 3, column 2 (x): \"1e999\")"),
  Refusal("time,x\n0,1\nlater,2\n", "line 3, column 1 (time): \"later\" is not a number or a time"),
  Refusal("time,x\n0,1\n1,\"2\n", "line 3: a quote is opened and never closed"),
  Refusal("time,x\n0,1\n1,\"2\"2\n", "line 3: text follows a closing quote"),
  Refusal(
    "time,x\n0,1\n1,2\n2.5,3\n", "sample 1: the time step is 1 s there, but 1.5 s at most places"),
  Refusal("time,x\n0,1\n0,2\n", "no trajectory has two samples"),
  Refusal("time,x\n0,1\n", "no trajectory has two samples"),
  Refusal("time,u (input)\n0,1\n1,2\n", "there is no state variable"),
]

private let headings = [
  ("x", Variable("x", role: .state)), ("x [m]", Variable("x", unit: "m", role: .state)),
  ("x[m]", Variable("x", unit: "m", role: .state)), ("x []", Variable("x", role: .state)),
  ("x (input)", Variable("x", role: .control)), ("x(input)", Variable("x", role: .control)),
  ("x [m] (input)", Variable("x", unit: "m", role: .control)),
  ("x [m/s²] (observable)", Variable("x", unit: "m/s²", role: .observable)),
  ("x (state)", Variable("x", role: .state)), ("f(t)", Variable("f(t)", role: .state)),
  ("x [mol [H2O]]", Variable("x", unit: "mol [H2O]", role: .state)),
  ("[m]", Variable("", unit: "m", role: .state)), ("x]", Variable("x]", role: .state)),
]

private let hostileNames = [
  "time", "Trajectory", "", "a,b", "\"", "a\"b\"", "line\nbreak", "cr\rhere", "both\r\nhere",
  "x]", "x [K]", "x (input)", "x (state)", "x [K] (observable)", "f(t)", "[", "]", "][", " x ",
  "x ", "\t", "日本", "e\u{301}", "\"\u{301}", ",\u{301}", "x]\u{301}", "\u{600}", "\u{FEFF}",
  "#comment", "=1+1", String(repeating: "long ", count: 60),
]
