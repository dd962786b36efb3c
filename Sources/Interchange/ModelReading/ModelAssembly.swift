import Dynamics
import LinearAlgebra
import Networks

/// Assembles a model from the network in the graph and what the file and its user state about it.
struct ModelAssembly {
  let file: Filigree_Onnx_ModelProto
  let path: String
  let size: Int
  let told: ModelDescription
  private let entries: [String: String]

  init(_ file: Filigree_Onnx_ModelProto, path: String, size: Int, told: ModelDescription) {
    self.file = file
    self.path = path
    self.size = size
    self.told = told
    entries = Dictionary(file.metadataProps.map { ($0.key, $0.value) }) { first, _ in first }
  }

  private var isOurs: Bool { file.producerName == ONNX.producer }

  func model() throws(GraphProblem) -> (Model, ReadingReport) {
    var reader = GraphReader(
      functions: file.functions,
      operatorSets: Dictionary(file.opsetImport.map { ($0.domain, $0.version) }) { max($0, $1) },
      path: path, size: size)
    let inputs = try reader.read(file.graph)
    try refuseLostConstants(inputs)
    let output = try chosenOutput(in: reader)
    let elements = try elements(of: output, in: reader)
    // The weights are in the nodes now.
    reader.values = [:]
    let builder = try NetworkBuilder(
      reader.nodes, outputs: elements, isOurs: isOurs, size: size)
    let network = builder.network
    for layer in network.layers {
      guard layer.bias.allSatisfy(\.isFinite),
        layer.connections.allSatisfy({ $0.weight.elements.allSatisfy(\.isFinite) })
      else {
        throw GraphProblem(
          place: "layer \"\(layer.name)\"", reason: "its numbers overflow, or are not finite")
      }
    }
    if reader.hasProducts, network.layers.contains(where: { $0.activation == .square }) {
      reader.remarks.add("products of computed values are read as differences of squares")
    }
    let names = try Names(
      entries: entries, told: told, isOurs: isOurs, inputs: inputs, output: output,
      outputCount: network.outputCount)
    var model = Model(
      network: network, inputs: names.inputs, outputs: names.outputs,
      inputScaling: builder.inputScaling, outputScaling: builder.outputScaling,
      timeStep: told.timeStep
        ?? entries[ONNX.Key.timeStep].flatMap(Double.init).flatMap {
          $0.isFinite && $0 > 0 ? $0 : nil
        },
      recipe: entries[ONNX.Key.recipe].flatMap { JSON.value([String: String].self, from: $0) }
        ?? [:])
    let width = model.inputs.count
    if let pairs = entries[ONNX.Key.inputRanges].flatMap({ JSON.value([[Double]].self, from: $0) }),
      pairs.count == width, pairs.allSatisfy({ $0.count == 2 && $0[0] <= $0[1] })
    {
      model.inputRanges = pairs.map { $0[0]...$0[1] }
    }
    model.hasMadeUpNames = names.areMadeUp
    model.predicts = names.predicts
    return (model, report(model, inputs, output, reader.remarks.lines, names))
  }

  /// Refuses inputs of one row beside inputs of samples: means or standard deviations that an exporter turned into
  /// inputs.
  private func refuseLostConstants(_ inputs: [GraphInput]) throws(GraphProblem) {
    let lost = inputs.filter { $0.batchAxis == nil && $0.shape.count > 1 }
    let batched = inputs.filter { $0.batchAxis != nil }
    guard let first = batched.first, !lost.isEmpty else { return }
    let names = lost.map { "\"\($0.name)\"" }.joined(separator: ", ")
    throw GraphProblem(
      place: "graph",
      reason:
        "besides \"\(first.name)\" it wants \(names), of one row each: constants (means, deviations) "
        + "that its exporter did not write; export it with these as initialisers, for Keras with "
        + "Rescaling in the place of Normalization, or scale the data before the network")
  }

  private func chosenOutput(in reader: GraphReader) throws(GraphProblem)
    -> Filigree_Onnx_ValueInfoProto
  {
    let outputs = file.graph.output
    let names = outputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
    if let wanted = told.outputName {
      guard let found = outputs.first(where: { $0.name == wanted }) else {
        throw GraphProblem(
          place: "graph", reason: "it has no output \"\(wanted)\"; there are \(names)")
      }
      return found
    }
    guard let only = outputs.first, outputs.count == 1 else {
      // Where none can be read the choice is not what is wrong.
      let problems = outputs.compactMap { output -> GraphProblem? in
        if case .unreadable(let problem) = reader.values[output.name] { problem } else { nil }
      }
      if let first = problems.first, problems.count == outputs.count { throw first }
      throw GraphProblem(
        place: "graph",
        reason: outputs.isEmpty
          ? "it has 0 outputs; one is needed"
          : "it has \(outputs.count) outputs, \(names); say which with --output-name")
    }
    return only
  }

  private func elements(of output: Filigree_Onnx_ValueInfoProto, in reader: GraphReader)
    throws(GraphProblem) -> [Element]
  {
    let place = "output \"\(output.name)\""
    guard let value = reader.values[output.name] else {
      throw GraphProblem(place: place, reason: "no node makes it")
    }
    switch value {
    case .unreadable(let problem): throw problem
    case .constant:
      throw GraphProblem(place: place, reason: "it is constant: it depends on no input")
    case .features(let features):
      guard (1...GraphReader.largestWidth).contains(features.elements.count) else {
        throw GraphProblem(place: place, reason: "it is empty or too wide")
      }
      guard features.elements.contains(where: { !$0.isConstant }) else {
        throw GraphProblem(place: place, reason: "it is constant: it depends on no input")
      }
      guard !features.elements.allSatisfy({ $0.isInput || $0.isConstant }) else {
        throw GraphProblem(
          place: "node \"\(output.name)\" (output)", reason: "the network returns its input")
      }
      return features.elements
    }
  }

  // MARK: For people

  private func report(
    _ model: Model, _ inputs: [GraphInput], _ output: Filigree_Onnx_ValueInfoProto,
    _ remarks: [String], _ names: Names
  ) -> ReadingReport {
    var report = ReadingReport()
    let sets = file.opsetImport.map { "\($0.domain.isEmpty ? "ai.onnx" : $0.domain) \($0.version)" }
    report.lines.append(
      "written by \(file.producerName.isEmpty ? "an unnamed program" : file.producerName)"
        + (file.producerVersion.isEmpty ? "" : " \(file.producerVersion)")
        + ", operator sets \(sets.joined(separator: ", "))")
    for input in inputs {
      report.lines.append(
        "input \"\(input.name)\" of shape [\(Self.shape(input))]: \(counted(input.width, "feature"))"
      )
    }
    report.lines.append("output \"\(output.name)\": \(counted(model.outputs.count, "value"))")
    let hidden = model.network.layers.count - model.network.outputLayers.count
    report.lines.append(
      "read as \(counted(model.network.layers.count, "layer")) (\(hidden) hidden), "
        + "\(model.network.weightCount) weights; activations "
        + Set(model.network.layers.map(\.activation.rawValue)).sorted().joined(separator: ", "))
    report.lines += remarks
    if model.scalesNothing {
      report.lines.append(
        "the file scales neither inputs nor outputs: what tables call standardised is in the units of its "
          + "numbers, unless data are given")
    }
    report.lines += names.lines
    return report
  }

  private func counted(_ count: Int, _ word: String) -> String {
    "\(count) \(word)\(count == 1 ? "" : "s")"
  }

  private static func shape(_ input: GraphInput) -> String {
    input.shape.enumerated().map { $0 == input.batchAxis ? "samples" : "\($1)" }
      .joined(separator: ", ")
  }
}
