// Reads a model that another program has exported, prints which inputs drive which outputs, and draws what is left
// of the network:
//   draw-model [MODEL.onnx [DRAWING.svg]]
import Drawing
import GraphDrawing
import Interchange
import LinearAlgebra
import Networks
import Structure

let arguments = CommandLine.arguments.dropFirst()
let path = arguments.first ?? "Fixtures/foreign/two_towers.onnx"
let model = try Model(onnx: WholeFile.read(path), path: path)

// A thousand points around the mean of the data that the model was trained on.
var stream = RandomStream(seed: 1)
let points = Matrix(
  (0..<1000).map { _ in model.inputScaling.restore(model.inputs.map { _ in stream.normal() }) })
let relevance = Relevance(model, over: points).meanMagnitude
for row in model.outputs.indices {
  for (column, input) in model.inputs.enumerated() where relevance[row, column] > 0 {
    print(model.label(ofOutput: row), input.name, relevance[row, column], separator: "\t")
  }
}

let drawing = NetworkDrawing(model, title: "What is left of \(path)")
try WholeFile.write(
  Renderer.render(drawing.graph, as: .svg), to: arguments.dropFirst().first ?? "model.svg",
  force: true)
