import Dynamics
import Networks

/// The names of a model's inputs and outputs, and what its outputs are, from the user, the metadata or the graph,
/// in this order; otherwise names are made up.
struct Names {
  private(set) var inputs: [Variable] = []
  private(set) var outputs: [Variable] = []
  private(set) var predicts = Prediction.value
  private(set) var areMadeUp = false
  /// Where the names come from, for people.
  private(set) var lines: [String] = []

  /// A variable in the metadata, complete or not.
  private struct Entry: Decodable {
    var name: String
    var unit: String?
    var longName: String?
    var role: Role?
    var lag: Lag?

    /// As a variable, a control where nothing is said; lags that no record is long enough for are none.
    func variable(_ other: Role) -> Variable {
      Variable(
        name, unit: unit ?? "", longName: longName ?? "", role: role ?? other,
        lag: lag.flatMap { (-1...1_000_000).contains($0.by) ? $0 : nil })
    }
  }

  init(
    entries: [String: String], told: ModelDescription, isOurs: Bool,
    inputs graphInputs: [GraphInput],
    output: Filigree_Onnx_ValueInfoProto, outputCount: Int
  ) throws(GraphProblem) {
    let width = graphInputs.reduce(0) { $0 + $1.width }
    let given = try Self.told(told.inputs, count: width, "inputs")
    let givenOutputs = try Self.told(told.outputs, count: outputCount, "outputs")
    let stored = read(entries[ONNX.Key.inputs], count: width, "inputs")
    let storedOutputs = read(entries[ONNX.Key.outputs], count: outputCount, "outputs")
    let own = Self.ownNames(graphInputs)
    predicts =
      told.predicts ?? entries[ONNX.Key.predicts].flatMap(Prediction.init(rawValue:))
      ?? (isOurs ? .rate : Self.guess(stored, storedOutputs))

    // Names first; their roles follow from the outputs.
    let named: [Variable]
    if let given {
      named = given
      lines.append("names of inputs: as given")
    } else if let stored {
      named = stored.map { $0.variable(.control) }
      lines.append("names of inputs: from the file's metadata")
    } else if let own {
      named = own.map { Variable($0, role: .control) }
      lines.append("names of inputs: those of the graph's inputs")
    } else {
      named = Self.madeUp(graphInputs).map { Variable($0, role: .control) }
      areMadeUp = true
      lines.append(
        "names of inputs: made up, the features being counted; give them with --input-names, or in a "
          + "file with the model's name and the ending .yaml")
    }
    inputs = named
    nameOutputs(givenOutputs, storedOutputs, output, count: outputCount)
    // Complete metadata say what is a state.
    let isComplete = given == nil && (stored?.allSatisfy { $0.role != nil } ?? false)
    if !isComplete { setRoles() }
    // What is no rate of a state is recorded, and drives nothing.
    if predicts != .rate { for index in outputs.indices { outputs[index].role = .observable } }
    lines.append("the outputs are \(words); say otherwise with --predicts rate, next or value")
  }

  private mutating func nameOutputs(
    _ given: [Variable]?, _ stored: [Entry]?, _ output: Filigree_Onnx_ValueInfoProto, count: Int
  ) {
    if let given {
      outputs = given
      lines.append("names of outputs: as given")
    } else if let stored {
      outputs = stored.map { $0.variable(.state) }
      lines.append("names of outputs: from the file's metadata")
    } else if predicts != .value {
      outputs = (0..<count).map { index in
        guard index < inputs.count else { return Variable("y\(index + 1)", role: .state) }
        var state = inputs[index]
        state.role = .state
        return predicts == .rate ? state.rate : state
      }
      areMadeUp = true
      lines.append("names of outputs: those of the first inputs, whose \(words) they are taken for")
    } else if count == 1, Self.isName(output.name) {
      outputs = [Variable(output.name, role: .state)]
      lines.append("name of the output: that of the graph's output")
    } else {
      outputs = (1...count).map { Variable("y\($0)", role: .state) }
      areMadeUp = true
      lines.append("names of outputs: made up; give them with --output-names")
    }
  }

  /// Inputs that are outputs, too, are states.
  private mutating func setRoles() {
    let states = predicts == .value ? [] : Set(outputs.map(\.name))
    for index in inputs.indices {
      inputs[index].role = states.contains(inputs[index].name) ? .state : .control
    }
  }

  private var words: String {
    switch predicts {
    case .rate: "rates of change"
    case .next: "states at the next sample"
    case .value: "quantities of their own"
    }
  }

  private mutating func read(_ text: String?, count: Int, _ what: String) -> [Entry]? {
    guard let text else { return nil }
    guard let list = JSON.value([Entry].self, from: text) else {
      lines.append("the metadata of its \(what) cannot be read and are left aside")
      return nil
    }
    guard list.count == count else {
      lines.append(
        "the metadata name \(list.count) \(what) where there are \(count), and are left aside")
      return nil
    }
    return list
  }

  private static func told(_ names: [String]?, count: Int, _ what: String) throws(GraphProblem)
    -> [Variable]?
  {
    guard let names else { return nil }
    guard names.count == count else {
      throw GraphProblem(
        place: what, reason: "\(names.count) names are given where there are \(count) \(what)")
    }
    guard Set(names).count == count else {
      throw GraphProblem(place: what, reason: "a name is given twice")
    }
    return names.map { ModelDescription.variable($0, role: what == "inputs" ? .control : .state) }
  }

  /// Metadata of outputs that are called as inputs are say whether they are their rates.
  private static func guess(_ inputs: [Entry]?, _ outputs: [Entry]?) -> Prediction {
    guard let inputs, let outputs else { return .value }
    let states = outputs.map { output in inputs.first { $0.name == output.name } }
    guard states.allSatisfy({ $0 != nil }) else { return .value }
    let areSame = zip(states, outputs).allSatisfy { state, output in
      let unit = state?.unit ?? ""
      return !unit.isEmpty && unit == output.unit
    }
    return areSame ? .next : .rate
  }

  /// The graph's own names where there is one for each feature.
  private static func ownNames(_ inputs: [GraphInput]) -> [String]? {
    guard inputs.count > 1, inputs.allSatisfy({ $0.width == 1 }) else { return nil }
    return inputs.map(\.name)
  }

  /// x1, x2, … counted through, or with the inputs' names where there are several.
  private static func madeUp(_ inputs: [GraphInput]) -> [String] {
    guard inputs.count > 1 else { return (1...inputs[0].width).map { "x\($0)" } }
    return inputs.flatMap { input in
      input.width == 1 ? [input.name] : (1...input.width).map { "\(input.name)\($0)" }
    }
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isLetter, text.count > 1 else { return false }
    return text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
      && !["output", "variable", "rates"].contains(text)
  }
}
