import Networks

/// Which operator is read by which function.
extension GraphReader {
  mutating func standardOperator() throws(GraphProblem) -> [GraphValue] {
    switch node.opType {
    case "Constant": return [.constant(try constantOfNode())]
    case "Identity": return [try operand(0)]
    case "Dropout":
      if has(2), try constant(2, "training_mode").values != [0] {
        throw fail("it drops values while training; export the model in evaluation mode")
      }
      return [try operand(0)]
    case "Cast", "CastLike": return [try cast()]
    case "Shape": return [try shapeOf()]
    case "Size":
      return [
        .constant(
          Tensor(shape: [], values: [Double(Shape.count(try operand(0).shape))], type: .int64))
      ]
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand", "Slice", "Gather",
      "Tile", "Pad", "GatherElements", "GatherND":
      return [try moved()]
    case "Split": return try split()
    case "Concat": return [try concatenate()]
    case "Gemm": return [try gemm()]
    case "MatMul": return [try matMul()]
    case "Einsum": return [try einsum()]
    case "Add": return [try sum(try operand(0), try secondOperand())]
    case "Sub": return [try sum(try operand(0), try negated(try secondOperand()))]
    case "Sum", "Mean": return [try sumOfAll()]
    case "Neg": return [try negated(try operand(0))]
    case "Mul": return [try product(try operand(0), try secondOperand())]
    case "Div": return [try quotient(try operand(0), try secondOperand())]
    case "Pow": return [try power()]
    case "Max", "Min": return [try extreme()]
    case "Where": return [try choice()]
    case "ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin":
      return [try reduce()]
    case "BatchNormalization": return [try batchNormalisation()]
    case "Clip": return [try clip()]
    case "PRelu": return [try leakyByChannel()]
    case "Abs":
      return [activated(.leakyRelu(slope: -1), try features(0))]
    case "Erfc", "Expm1", "Log1p": return [try leftOver()]
    default:
      if let activation = try elementwiseActivation() { return [activation] }
      if let operation = ElementwiseOperator(rawValue: node.opType) {
        return [try function(operation)]
      }
      throw fail(Self.reason(against: node.opType))
    }
  }

  /// Functions of TensorFlow that its exporter leaves as they are.
  private mutating func leftOver() throws(GraphProblem) -> GraphValue {
    let x = try features(0)
    func plusOne(_ value: GraphValue, _ one: Double) throws(GraphProblem) -> GraphValue {
      try sum(value, .constant(Tensor(shape: [], values: [one])))
    }
    switch node.opType {
    case "Expm1": return try plusOne(activated(.exponential, x), -1)
    case "Erfc": return try plusOne(activated(.errorFunction, scaled(x, by: -1)), 1)
    default:
      guard case .features(let argument) = try plusOne(.features(x), 1) else { return .features(x) }
      return try function(.logarithm, [argument])
    }
  }

  /// Why an operator is not supported, and what would work instead.
  private static func reason(against operation: String) -> String {
    switch operation {
    case "LayerNormalization", "InstanceNormalization", "GroupNormalization",
      "RMSNormalization", "MeanVarianceNormalization", "LpNormalization":
      "it divides every sample by its own deviation, which is no affine map; train with "
        + "BatchNormalization or without"
    case "ReduceL1", "ReduceL2":
      "it takes a sample's length, as normalisations do, which is no affine map; leave the normalisation out"
    case "Loop", "Scan":
      "it repeats a part of the graph, over time or over the samples of a training (as kernels and nearest "
        + "neighbours do); Filigree reads feed-forward networks"
    case "LSTM", "GRU", "RNN":
      "it repeats itself over time; Filigree reads feed-forward networks, so export one step"
    case "If": "what it does depends on values; export the branch that is meant"
    case "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool":
      "this operator is not supported: it slides over pictures or windows of time; Filigree reads networks of "
        + "features"
    case "Softmax", "LogSoftmax":
      "this operator is not supported: it divides by a sum of exponentials; export the values before it"
    case "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearMatMul",
      "MatMulInteger", "QGemm", "ConvInteger":
      "it rounds computed values to integers, which has no derivative; quantise the weights only, or "
        + "export the model before quantisation"
    case "Attention", "MultiHeadAttention":
      "it multiplies computed values in a way of its own; Filigree reads feed-forward networks"
    case "ArgMax", "ArgMin", "TopK", "NonZero", "OneHot":
      "this operator is not supported: it chooses by value; export the values before it"
    default:
      "this operator is not supported; Filigree reads networks made of \(supported)"
    }
  }

  mutating func machineLearningOperator() throws(GraphProblem) -> GraphValue {
    switch node.opType {
    case "Scaler": return try scaler()
    case "LinearRegressor": return try linearRegressor()
    case "ArrayFeatureExtractor": return try extracted()
    case "FeatureVectorizer": return try joined(axis: -1)
    case "TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble":
      throw fail("trees are no network: they have no slopes")
    case "SVMRegressor": throw fail("a support vector machine is no network of layers")
    case "LinearClassifier", "SVMClassifier", "ZipMap":
      throw fail("a classifier returns classes; Filigree reads regressors")
    case "Normalizer": throw fail("it divides every sample by its own norm, which is no affine map")
    case "Binarizer":
      throw fail("this function jumps, so that it has no slope there; it is not supported")
    default:
      throw fail(
        "this operator is not supported; of ai.onnx.ml Scaler, LinearRegressor and "
          + "ArrayFeatureExtractor are")
    }
  }

  /// Operators that onnxruntime's optimiser fuses from others.
  mutating func runtimeOperator() throws(GraphProblem) -> GraphValue {
    switch node.opType {
    case "FusedGemm":
      let affine = try gemm()
      let name = text("activation") ?? ""
      guard let activation = Self.activation(named: name, alpha: number("activation_alpha", 0.01))
      else { throw fail("its activation \"\(name)\" is not supported") }
      return try applied(activation, to: affine)
    case "FusedMatMul": return try matMul(alpha: number("alpha", 1))
    case "Gelu": return activated(.gelu, try features(0))
    case "BiasGelu":
      return try applied(.gelu, to: try sum(try operand(0), try operand(1)))
    case "FastGelu":
      let biased = has(1) ? try sum(try operand(0), try operand(1)) : try operand(0)
      return try applied(.geluByTanh, to: biased)
    case "QuickGelu":
      let alpha = number("alpha", 1.702)
      return try product(
        .constant(Tensor(shape: [], values: [1 / alpha])),
        activated(.silu, scaled(try features(0), by: alpha)))
    case "MatMulNBits":
      throw fail(
        "its weights are packed in a way of its own; quantise them in the format QDQ, which stores "
          + "DequantizeLinear, or use the model as it was before")
    default:
      throw fail(
        "operators of domain \"com.microsoft\" are made by onnxruntime's optimiser and this one is not "
          + "supported; use the model as it was before that")
    }
  }

}
