import Foundation
import LinearAlgebra
import Networks
import Structure

public func probe(_ model: Model, _ low: [Double], _ high: [Double], boxes: Int) throws {
  let graph = EdgeList(model.network)
  let clock = ContinuousClock()
  let begin = clock.now
  var total = 0
  var open = 0
  for output in model.outputs.indices {
    for input in graph.inputsBehind(output) {
      let expression = try Expression<Outward>(graph, output: output, .slope(input))
      let box = Box<Outward>(
        expression.inputs.map {
          Interval(
            lower: (low[$0] - model.inputScaling.mean[$0]) / model.inputScaling.deviation[$0],
            upper: (high[$0] - model.inputScaling.mean[$0]) / model.inputScaling.deviation[$0])
        })
      var search = BranchAndBound(expression)
      let t = clock.now
      let plain = search.pass.value(box)
      var options = BranchAndBound<Outward>.Options(tolerance: 0, boxes: 200)
      let a0 = search.minimise(in: box, sign: 1, from: box.middle, options)
      let b0 = search.minimise(in: box, sign: -1, from: box.middle, options)
      options.tolerance = max(0.01, 0.05 * (-b0.found - a0.found))
      options.boxes = boxes
      options.decidesSign = true
      let a = search.minimise(in: box, sign: 1, from: a0.point, options)
      let b = search.minimise(in: box, sign: -1, from: b0.point, options)
      let dt = clock.now - t
      total += a.boxes + b.boxes
      let gap = max(a.found - a.bound, b.found - b.bound)
      if gap > options.tolerance { open += 1 }
      print(
        String(
          format: "%@ <- %@ nodes %d IA [%.3g, %.3g] B [%.4g, %.4g] W [%.4g, %.4g] gap %.3g tol %.3g boxes %d %d",
          model.outputs[output].name, model.inputs[input].name, expression.count, plain.lower,
          plain.upper, a.bound, -b.bound, a.found, -b.found, gap, options.tolerance, a.boxes, b.boxes),
        dt, gap > options.tolerance ? "OPEN" : "")
    }
  }
  print("boxes", total, "open", open, clock.now - begin)
}
