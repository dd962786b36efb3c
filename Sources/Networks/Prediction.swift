import Dynamics
import LinearAlgebra

/// What the outputs of a model mean to the plant.
public enum Prediction: String, Codable, CaseIterable, Sendable {
  /// Rates of change of states, per second.
  case rate
  /// The states at the next sample: a map x⁺ = f(x, u).
  case next
  /// Other quantities, such as the result of a regression.
  case value
}

extension Model {
  /// An output as it is called in texts: "d/dt level" for a rate, "next level", or the name alone.
  public func label(ofOutput index: Int) -> String {
    switch predicts {
    case .rate: "d/dt \(outputs[index].name)"
    case .next: "next \(outputs[index].name)"
    case .value: outputs[index].name
    }
  }

  /// The outputs in words: "rates of change", "next states" or "outputs".
  public var wordForOutputs: String {
    switch predicts {
    case .rate: "rates of change"
    case .next: "next states"
    case .value: "outputs"
    }
  }

  /// Whether the file scales neither inputs nor outputs, so that "standardised" means the file's own units.
  public var scalesNothing: Bool {
    inputScaling == .identity(inputs.count) && outputScaling == .identity(outputs.count)
  }

  /// An equal model with other standardisations: f′(z′) = (μ + σ f((μ_z′ + σ_z′ z′ − μ_z)/σ_z) − μ′)/σ′.
  public func rescaled(inputs newInputs: Standardisation, outputs newOutputs: Standardisation)
    -> Model
  {
    precondition(newInputs.count == inputs.count && newOutputs.count == outputs.count)
    var result = self
    result.network = network.withOutputsApart
    // z = factor · z′ + offset
    let factor = inputs.indices.map { newInputs.deviation[$0] / inputScaling.deviation[$0] }
    let offset = inputs.indices.map {
      (newInputs.mean[$0] - inputScaling.mean[$0]) / inputScaling.deviation[$0]
    }
    for layer in result.network.layers.indices {
      for index in result.network.layers[layer].connections.indices
      where result.network.layers[layer].connections[index].source == .inputs {
        let weight = result.network.layers[layer].connections[index].weight
        for unit in 0..<weight.rows {
          for column in 0..<weight.columns where weight[unit, column] != 0 {
            result.network.layers[layer].bias[unit] += weight[unit, column] * offset[column]
          }
        }
        result.network.layers[layer].connections[index].weight = Matrix(
          rows: weight.rows, columns: weight.columns
        ) { weight[$0, $1] * factor[$1] }
      }
    }
    result.network = result.network.scalingOutputs(
      by: outputs.indices.map { outputScaling.deviation[$0] / newOutputs.deviation[$0] },
      plus: outputs.indices.map {
        (outputScaling.mean[$0] - newOutputs.mean[$0]) / newOutputs.deviation[$0]
      })
    result.inputScaling = newInputs
    result.outputScaling = newOutputs
    return result
  }

  /// A map x⁺ = f(x, u) as the rates (f(x, u) − x)/Δt that make the same steps; nil where an output is not an
  /// input.
  public func asRates(timeStep: Double) -> Model? {
    guard predicts == .next else { return predicts == .rate ? self : nil }
    let columns = outputs.map { output in inputs.firstIndex { $0.name == output.name } }
    let states = columns.compactMap { $0 }
    guard states.count == outputs.count, timeStep > 0 else { return nil }
    var result = self
    result.predicts = .rate
    result.outputs = states.map { inputs[$0].rate }
    // The scale is Δt⁻¹ σ, rounded to a float: what rounding leaves is put into the weights.
    let scaling = Standardisation(
      mean: zip(outputScaling.mean, states).map { ($0 - inputScaling.mean[$1]) / timeStep },
      deviation: outputScaling.deviation.map { $0 / timeStep })
    var network = network.withOutputsApart.scalingOutputs(
      by: outputs.indices.map { outputScaling.deviation[$0] / timeStep / scaling.deviation[$0] },
      plus: outputs.indices.map { index in
        ((outputScaling.mean[index] - inputScaling.mean[states[index]]) / timeStep
          - scaling.mean[index]) / scaling.deviation[index]
      })
    var output = 0
    for layer in network.outputLayers {
      let units = network.layers[layer].unitCount
      let first = output
      let carry = Matrix(rows: units, columns: inputs.count) { unit, column in
        let index = first + unit
        return column == states[index]
          ? -inputScaling.deviation[column] / timeStep / scaling.deviation[index] : 0
      }
      if let known = network.layers[layer].connections.firstIndex(where: { $0.source == .inputs }) {
        network.layers[layer].connections[known].weight += carry
      } else {
        network.layers[layer].connections.append(
          Network.Connection(source: .inputs, weight: carry, isCarry: true))
      }
      output += units
    }
    result.network = network
    result.outputScaling = scaling
    return result
  }
}

extension Network {
  /// The network with outputs factor · f + shift. Outputs that have an activation, or that other layers read, first
  /// become layers of their own.
  func scalingOutputs(by factor: [Double], plus shift: [Double]) -> Network {
    if factor.allSatisfy({ $0 == 1 }) && shift.allSatisfy({ $0 == 0 }) && hasLinearOutputs {
      return self
    }
    var result = hasLinearOutputs ? self : withLinearOutputs
    var first = 0
    for layer in result.outputLayers {
      for unit in 0..<result.layers[layer].unitCount {
        let (scale, plus) = (factor[first + unit], shift[first + unit])
        result.layers[layer].bias[unit] = scale * result.layers[layer].bias[unit] + plus
        for index in result.layers[layer].connections.indices {
          for column in 0..<result.layers[layer].connections[index].weight.columns {
            result.layers[layer].connections[index].weight[unit, column] *= scale
          }
        }
      }
      first += result.layers[layer].unitCount
    }
    return result
  }

  private var hasLinearOutputs: Bool {
    outputLayers.allSatisfy { layers[$0].activation == .identity }
  }

  private var withLinearOutputs: Network {
    var layers = layers
    let outputs = outputLayers.map { output -> Int in
      guard layers[output].activation != .identity else { return output }
      let count = layers[output].unitCount
      layers.append(
        Layer(
          name: layers[output].name + ".out", activation: .identity,
          bias: Array(repeating: 0, count: count),
          connections: [
            Connection(source: .layer(output), weight: .identity(count), isCarry: true)
          ]))
      return layers.count - 1
    }
    return Network(inputCount: inputCount, layers: layers, outputLayers: outputs)
  }
}

extension Model {
  /// An equal model with inputs and outputs standardised by their mean and standard deviation over these samples
  /// (samples × inputs, physical units). A variable that does not vary there keeps its scale.
  public func standardised(by points: Matrix) -> Model {
    func scaling(_ columns: [[Double]]) -> Standardisation {
      let deviations = columns.map { $0.standardDeviation }
      return Standardisation(
        mean: columns.map { $0.mean }.map { $0.isFinite ? $0 : 0 },
        deviation: deviations.map { Float($0).isNormal && $0 > 0 ? $0 : 1 })
    }
    let rows = points.rows
    let outputs = (0..<rows).map { rates(Array(points.row($0))) }
    let inputScaling = scaling(
      (0..<points.columns).map { column in (0..<rows).map { points[$0, column] } })
    let outputScaling = scaling(self.outputs.indices.map { index in outputs.map { $0[index] } })
    return rescaled(inputs: inputScaling, outputs: outputScaling)
  }
}
