import Dynamics
import LinearAlgebra
import Networks

extension RecursiveMap {
  /// As a network of one output; see `FeatureLibrary.network` for how products are computed.
  func network(_ parameters: [Double], name: String) -> Network {
    units.isEmpty ? polynomial(parameters, name) : tower(parameters, name)
  }

  private func polynomial(_ parameters: [Double], _ name: String) -> Network {
    let degree = max(1, products.map(\.count).max() ?? 1)
    let library = FeatureLibrary(inputs: features, degree: degree)
    let places = Dictionary(uniqueKeysWithValues: zip(library.terms, 0...))
    var coefficients = [Double](repeating: 0, count: library.terms.count)
    for (product, value) in zip(products, parameters) {
      if let place = places[product.sorted()] { coefficients[place] += value }
    }
    return library.network(coefficients, name: name)
  }

  private func tower(_ parameters: [Double], _ name: String) -> Network {
    var weights = Matrix(rows: units.count, columns: features)
    var biases: [Double] = []
    var out: [Double] = []
    for (unit, reads) in units.enumerated() {
      let place = firstParameter(ofUnit: unit)
      for (index, feature) in reads.enumerated() {
        weights[unit, feature] = parameters[place + index]
      }
      biases.append(parameters[place + reads.count])
      out.append(parameters[place + reads.count + 1])
    }
    var linear = [Double](repeating: 0, count: features)
    var bias = 0.0
    for (product, value) in zip(products, parameters) {
      if let feature = product.first { linear[feature] += value } else { bias += value }
    }
    let hidden = Network.Layer(
      name: "\(name).units", activation: .silu, bias: biases,
      connections: [.init(source: .inputs, weight: weights)])
    let output = Network.Layer(
      name: name, activation: .identity, bias: [bias],
      connections: [
        .init(source: .inputs, weight: Matrix([linear])),
        .init(source: .layer(0), weight: Matrix([out])),
      ])
    return Network(inputCount: features, layers: [hidden, output], outputLayers: [1])
  }
}

extension MeasuredRecord {
  /// Maps of standardised states to their next values as a model of rates in physical units, its parameters rounded
  /// to `Float`, as in model files.
  ///
  /// With x̃ = (x − μ)/σ and x̃(k+1) = g(z), the rate is σ (g(z) − x̃(k))/Δt.
  func model(
    _ shape: FreeRunShape, _ fit: SparseFit, recipe: [String: String]
  ) -> Model {
    let variables = data.states + data.controls
    let columns = shape.features.map { feature in
      variables.firstIndex { $0.name == feature.source } ?? 0
    }
    let rates = rateScaling
    var first = 0
    let towers = fit.maps.enumerated().map { state, map -> Network in
      defer { first += map.parameterCount }
      let gain =
        scaling.deviation[state] / (rates.deviation[state] * data.timeStep)
      var map = map
      var own = Array(fit.parameters[first..<(first + map.parameterCount)])
      for index in map.products.indices { own[index] *= gain }
      for (unit, reads) in map.units.enumerated() {
        own[map.firstParameter(ofUnit: unit) + reads.count + 1] *= gain
      }
      // −gain for the present value, and the mean rate.
      for (product, change) in [
        ([state], -gain), ([], -rates.mean[state] / rates.deviation[state]),
      ] {
        if let place = map.products.firstIndex(of: product) {
          own[place] += change
        } else {
          map.products.insert(product, at: 0)
          own.insert(change, at: 0)
        }
      }
      return map.network(own, name: data.states[state].name)
        .inSinglePrecision
    }
    var model = Model(
      network: Network.joined(towers), inputs: shape.features, outputs: data.states.map(\.rate),
      inputScaling: Standardisation(
        mean: columns.map { scaling.mean[$0] }, deviation: columns.map { scaling.deviation[$0] }),
      outputScaling: rates, timeStep: data.timeStep, recipe: recipe)
    model.inputRanges = columns.map { column in
      let values = data.samples.flatMap { $0.column(column) }.filter(\.isFinite)
      return (values.min() ?? 0)...(values.max() ?? 0)
    }
    return model
  }

  /// Mean and standard deviation of the increments per second.
  private var rateScaling: Standardisation {
    let moments = data.states.indices.map { state -> (mean: Double, deviation: Double) in
      let rates = data.samples.flatMap { matrix in
        (1..<max(1, matrix.rows)).map {
          (matrix[$0, state] - matrix[$0 - 1, state]) / data.timeStep
        }
      }.filter(\.isFinite)
      guard !rates.isEmpty else { return (0, 1) }
      let deviation = rates.standardDeviation
      return (rates.mean, deviation > 0 ? deviation : 1)
    }
    return Standardisation(mean: moments.map(\.mean), deviation: moments.map(\.deviation))
  }
}
