import LinearAlgebra
import Networks
import Structure

extension HessianEvaluator {
  /// For every output which pairs of inputs (first · inputs + second) some unit that bends sees together: where none
  /// does, the output is exactly a sum in which the two stand apart.
  package var pairsSeen: [[Bool]] {
    let width = inputCount
    var inputsBehind = [[Bool]](repeating: [], count: graph.unitCount)
    for unit in 0..<graph.unitCount {
      var behind = [Bool](repeating: false, count: width)
      for edge in graph.edges(into: unit) {
        let source = graph.source[edge]
        if source < width {
          behind[source] = true
        } else {
          for column in 0..<width where inputsBehind[source - width][column] {
            behind[column] = true
          }
        }
      }
      inputsBehind[unit] = behind
    }
    return ancestors.map { units in
      var seen = [Bool](repeating: false, count: width * width)
      for unit in units where graph.activation[unit] != .identity {
        let inputs = (0..<width).filter { inputsBehind[unit][$0] }
        for first in inputs {
          for second in inputs { seen[first * width + second] = true }
        }
      }
      return seen
    }
  }

  /// For every output which inputs reach it.
  var inputsReaching: [[Bool]] {
    ancestors.map { units in
      var isReached = [Bool](repeating: false, count: inputCount)
      for unit in units {
        for edge in graph.edges(into: unit) where graph.source[edge] < inputCount {
          isReached[graph.source[edge]] = true
        }
      }
      return isReached
    }
  }

  /// For every output whether its function has kinks: then its Hessian, zero between them, does not say how it bends.
  var outputsWithKinks: [Bool] {
    ancestors.map { units in
      units.contains {
        graph.activation[$0] != .identity && graph.activation[$0].isPiecewiseLinear
      }
    }
  }
}
