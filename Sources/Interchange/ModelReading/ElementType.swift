/// The types of numbers in ONNX files, by their codes there.
enum ElementType: Int32 {
  case float = 1
  case uint8, int8, uint16, int16, int32, int64, string, bool, float16, double, uint32, uint64
  case complex64, complex128, bfloat16
  case float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz, uint4, int4, float4e2m1

  var isFloat: Bool {
    switch self {
    case .float, .double, .float16, .bfloat16: true
    default: false
    }
  }

  /// In words, as a message needs it.
  var words: String {
    switch self {
    case .float: "32-bit float"
    case .double: "64-bit float"
    case .float16: "16-bit float"
    case .bfloat16: "bfloat16"
    case .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64: "\(self)"
    case .string: "text"
    case .bool: "true or false"
    case .complex64, .complex128: "complex numbers"
    case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz: "8-bit float"
    case .uint4, .int4: "4-bit integers"
    case .float4e2m1: "4-bit float"
    }
  }

  static func words(of code: Int32) -> String {
    ElementType(rawValue: code)?.words ?? "unknown (\(code))"
  }
}

extension Double {
  /// From the bits of an IEEE half.
  init(half bits: UInt16) {
    let sign = bits >> 15 == 0 ? 1.0 : -1.0
    let exponent = Int(bits >> 10 & 31)
    let fraction = Double(bits & 1023)
    switch exponent {
    case 0: self = sign * fraction * 0x1p-24
    case 31: self = fraction == 0 ? sign * .infinity : .nan
    default:
      self = sign * Double(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  }
}
