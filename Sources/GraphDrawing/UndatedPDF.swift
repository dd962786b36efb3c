/// PDF files that are the same in every run.
public enum UndatedPDF {
  private static let date = Array("19700101000000".utf8)

  /// Cairo writes when it was run; that is replaced by a date that says nothing.
  ///
  /// - Parameter bytes: a PDF file; one without such a date stays as it is.
  public static func of(_ bytes: [UInt8]) -> [UInt8] {
    guard let mark = bytes.firstRange(of: Array("/CreationDate (D:".utf8)),
      mark.upperBound + date.count <= bytes.count
    else { return bytes }
    var result = bytes
    result.replaceSubrange(mark.upperBound..<(mark.upperBound + date.count), with: date)
    return result
  }
}
