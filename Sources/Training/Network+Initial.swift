import LinearAlgebra
import Networks

extension Network {
  /// An initial network: normal weights of variance 2/fan-in (1/fan-in for tanh; He et al. 2015, Glorot & Bengio
  /// 2010), zero biases. With a skip the last layer's weights start at 0.3 of that and the skip's at zero, so that
  /// the linear part is found first. With the sparsifier rigl all but a random share of each layer's weights are
  /// zero.
  ///
  /// - Parameters:
  ///   - recipe: widths, activation and skips.
  ///   - inputs: how many.
  ///   - outputs: how many.
  ///   - name: prefix of the layers' names, for example the output's name.
  ///   - stream: the weights are drawn from it.
  public static func initial(
    recipe: Recipe, inputs: Int, outputs: Int, name: String, stream: inout RandomStream
  ) -> Network {
    var layers: [Layer] = []
    var source = Source.inputs
    var width = inputs
    for (index, units) in (recipe.hidden + [outputs]).enumerated() {
      let isLast = index == recipe.hidden.count
      let gain = isLast && recipe.activation == .identity ? 1.0 : recipe.activation.gain
      let joins = recipe.inputSkip && index > 0 && !(isLast && recipe.skip)
      let fanIn = Double(width + (joins ? inputs : 0))
      let scale = (gain / fanIn).squareRoot() * (isLast && recipe.skip ? 0.3 : 1)
      func drawn(_ columns: Int) -> Matrix {
        // Drawn as Float: training starts from exactly this.
        Matrix(
          rows: units, columns: columns,
          elements: (0..<(units * columns)).map { _ in Double(Float(stream.normal() * scale)) })
      }
      var connections = [Connection(source: source, weight: drawn(width))]
      if joins { connections.append(Connection(source: .inputs, weight: drawn(inputs))) }
      if isLast && recipe.skip {
        let skip = Connection(source: .inputs, weight: Matrix(rows: outputs, columns: inputs))
        connections = recipe.hidden.isEmpty ? [skip] : connections + [skip]
      }
      layers.append(
        Layer(
          name: isLast ? name : name.isEmpty ? "h\(index + 1)" : "\(name).h\(index + 1)",
          activation: isLast ? .identity : recipe.activation,
          bias: Array(repeating: 0, count: units), connections: connections))
      source = .layer(index)
      width = units
    }
    let network = Network(
      inputCount: inputs, layers: layers, outputLayers: [layers.count - 1])
    return recipe.sparsifier.startsThinned
      ? network.thinned(to: recipe.density, &stream) : network
  }

  /// The network with a random share of each layer's weights.
  private func thinned(to density: Double, _ stream: inout RandomStream) -> Network {
    let wired = WiredNetwork(self)
    var values = wired.parameters.map(\.value)
    for layer in wired.weightsByLayer {
      let count = max(1, Int((density * Double(layer.count)).rounded()))
      var order = layer.map { UInt32($0) }
      stream.shuffle(&order)
      for index in order.dropFirst(count) { values[Int(index)] = 0 }
    }
    return wired.network(with: values)
  }
}
