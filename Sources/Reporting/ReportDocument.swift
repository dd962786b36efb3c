import Foundation

/// A report as a value: its content, not its layout. Written as Markdown and as one HTML page.
public struct ReportDocument: Sendable {
  public struct Cell: Sendable {
    public var text: String
    /// The number by which the column is sorted; nil for text and for empty cells.
    public var number: Double?
    /// How dark the cell is shaded, 0 to 1.
    public var shade: Double?

    public init(_ text: String, number: Double? = nil, shade: Double? = nil) {
      self.text = text
      self.number = number
      self.shade = shade
    }
  }

  public struct Table: Sendable {
    public var caption: String
    /// The first names the rows.
    public var columns: [String]
    public var rows: [[Cell]]
    /// Shown in small type below.
    public var note = ""

    public init(_ caption: String, columns: [String], rows: [[Cell]], note: String = "") {
      self.caption = caption
      self.columns = columns
      self.rows = rows
      self.note = note
    }
  }

  public struct Figure: Sendable {
    /// Also the name of its file, without ending.
    public var id: String
    public var caption: String
    /// A description for people who do not see it.
    public var description: String
    public var svg: [UInt8]
    /// The same for a screen as narrow as a phone's; nil where `svg` is read there as well.
    public var narrow: [UInt8]?
    /// Whether it is a network or graph drawn by Graphviz, whose edges can be highlighted.
    public var isGraph: Bool
    /// Whether two of its kind have room beside each other on a page.
    public var isHalf = false

    public init(
      _ id: String, caption: String, description: String, svg: [UInt8], narrow: [UInt8]? = nil,
      isGraph: Bool = false
    ) {
      self.id = id
      self.caption = caption
      self.description = description
      self.svg = svg
      self.narrow = narrow
      self.isGraph = isGraph
    }
  }

  /// A sentence under a word or two that say what it is about.
  public struct Statement: Equatable, Sendable {
    public var label: String
    public var text: String

    public init(_ label: String, _ text: String) {
      self.label = label
      self.text = text
    }
  }

  /// What came of a question.
  public struct Verdict: Equatable, Sendable {
    /// "yes", "no", "open" and the like, one word for one thing.
    public var answer: String
    public var text: String

    public init(_ answer: String, _ text: String) {
      self.answer = answer
      self.text = text
    }
  }

  public indirect enum Block: Sendable {
    case paragraph(String)
    /// Of a part of a section.
    case heading(String)
    case statements([Statement])
    /// A question, and what came of it.
    case verdicts(question: String, [Verdict])
    case list([String])
    case table(Table)
    case figure(Figure)
    /// Figures of which the reader chooses one at a time.
    case choice(label: String, [Figure])
    /// Shown when the reader asks for it; not printed while it is closed.
    case folded(String, [Block])

    var figures: [Figure] {
      switch self {
      case .figure(let figure): [figure]
      case .choice(_, let figures): figures
      case .folded(_, let blocks): blocks.flatMap(\.figures)
      case .paragraph, .heading, .statements, .verdicts, .list, .table: []
      }
    }
  }

  public struct Section: Sendable {
    public var title: String
    public var blocks: [Block]
    /// Whether it is the first screen, on which text and pictures stand beside each other.
    public var isOverview: Bool

    public init(_ title: String, _ blocks: [Block], isOverview: Bool = false) {
      self.title = title
      self.blocks = blocks
      self.isOverview = isOverview
    }

    /// Its address within the page.
    var anchor: String {
      let plain = title.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
      return String(plain).split(separator: "-").joined(separator: "-")
    }
  }

  public var title: String
  public var introduction: String
  public var sections: [Section]
  /// Below everything.
  public var colophon: String

  public init(title: String, introduction: String, sections: [Section], colophon: String) {
    self.title = title
    self.introduction = introduction
    self.sections = sections
    self.colophon = colophon
  }

  public var figures: [Figure] { sections.flatMap(\.blocks).flatMap(\.figures) }
}

// MARK: - Markdown

extension ReportDocument {
  /// - Parameter folder: where the figures are, relative to the file.
  public func markdown(figures folder: String) -> String {
    var text = "# \(Self.escaped(title))\n\n\(Self.escaped(introduction))\n"
    for section in sections {
      text += "\n## \(Self.escaped(section.title))\n"
      for block in section.blocks { text += "\n" + Self.markdown(block, folder) }
    }
    return text + "\n---\n\n\(Self.escaped(colophon))\n"
  }

  private static func markdown(_ block: Block, _ folder: String) -> String {
    switch block {
    case .paragraph(let text): return escaped(text) + "\n"
    case .heading(let text): return "### \(escaped(text))\n"
    case .statements(let statements):
      return statements.map { "**\(escaped($0.label))** \(escaped($0.text))\n" }
        .joined(separator: "\n")
    case .verdicts(let question, let verdicts):
      return "**\(escaped(question))**\n\n"
        + verdicts.map { "- **\(escaped($0.answer))**: \(escaped($0.text))\n" }.joined()
    case .folded(let title, let blocks):
      return "**\(escaped(title))**\n"
        + blocks.map { "\n" + markdown($0, folder) }.joined()
    case .list(let items): return items.map { "- \(escaped($0))\n" }.joined()
    case .table(let table):
      func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
      var text = "**\(escaped(table.caption))**\n\n"
      text += row(table.columns.map(escaped))
      text += row(table.columns.indices.map { $0 == 0 ? ":--" : "--:" })
      for cells in table.rows { text += row(cells.map { escaped($0.text) }) }
      return text + (table.note.isEmpty ? "" : "\n\(escaped(table.note))\n")
    case .figure(let figure): return markdown(figure, folder)
    case .choice(_, let figures):
      return figures.map { markdown($0, folder) }.joined(separator: "\n")
    }
  }

  private static func markdown(_ figure: Figure, _ folder: String) -> String {
    "![\(escaped(figure.description))](\(folder)/\(figure.id).svg)\n"
      + (figure.caption.isEmpty ? "" : "\n*\(escaped(figure.caption))*\n")
  }

  /// Text that Markdown and HTML in it leave as it is, on one line.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    // Scalar by scalar: some make one character with what follows them.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", "`", "*", "[", "]", "|":
        result.append("\\")
        result.append(scalar)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case _ where Character(scalar).isNewline: result.append(" ")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
