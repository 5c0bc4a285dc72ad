// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// A request that was never recorded, and how it differs from the nearest one that was.
struct CassetteMiss {
  /// Differences that are shown; a history that is one message off differs in all of them.
  static let differencesMax = 3

  private let name: String
  private let isEmpty: Bool
  /// `nil` when the cassette has none of its kind.
  private let nearest: (line: Int, differences: [RequestDifference])?

  init(of form: RequestForm, in cassette: Cassette) {
    name = cassette.name
    isEmpty = cassette.recordings.isEmpty
    nearest = cassette.recordings
      .filter { $0.recording.form.isOfEmbedding == form.isOfEmbedding }
      .map { (line: $0.line, differences: RequestDifference.between($0.recording.form.json, form.json)) }
      .min { Self.distance($0.differences) < Self.distance($1.differences) }
  }

  private static func distance(_ differences: [RequestDifference]) -> (Int, Int) {
    (differences.count, differences.first?.size ?? 0)
  }

  /// What differs where stands in `message`; the texts are content, and stand in `diagnostic`.
  var error: ModelError {
    guard let nearest else {
      return ModelError(.cassette, "nothing \(isEmpty ? "" : "like it ")is recorded in \(name)")
    }
    let places = nearest.differences.prefix(Self.differencesMax).map(\.place)
    let rest = nearest.differences.count - places.count
    let differs = places.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    return ModelError(
      .cassette,
      "this request is not recorded in \(name); the nearest, line \(nearest.line), differs in \(differs); "
        + "record it anew if that is meant",
      diagnostic: nearest.differences.prefix(Self.differencesMax).map(\.description).joined(separator: "\n"))
  }
}

/// One place in which two requests differ.
struct RequestDifference: CustomStringConvertible {
  /// `message 2 (user)`, `tool add`, `temperature`.
  let place: String
  /// `nil` = not there.
  let recorded: String?
  let asked: String?

  /// Characters around a difference that are shown, and of the difference itself.
  private static let context = 24
  private static let lengthMax = 80

  static func between(_ recorded: JSON, _ asked: JSON) -> [RequestDifference] {
    var found: [RequestDifference] = []
    for field in ["models", "temperature", "max_tokens", "output", "dimensions"]
    where recorded[field] != asked[field] {
      found.append(Self(place: field, recorded: text(recorded[field]), asked: text(asked[field])))
    }
    let tools = (recorded["tools"]?.array ?? [], asked["tools"]?.array ?? [])
    if tools.0 != tools.1 { found += Self.tools(tools.0, tools.1) }
    return messages(recorded["messages"]?.array ?? [], asked["messages"]?.array ?? [])
      + inputs(recorded["inputs"]?.array ?? [], asked["inputs"]?.array ?? []) + found
  }

  private static func messages(_ recorded: [JSON], _ asked: [JSON]) -> [RequestDifference] {
    (0..<max(recorded.count, asked.count)).compactMap { index -> RequestDifference? in
      let old: JSON? = index < recorded.count ? recorded[index] : nil
      let new: JSON? = index < asked.count ? asked[index] : nil
      if old == new { return nil }
      let place = "message \(index + 1) (\((new ?? old)?["role"]?.string ?? "?"))"
      let isText = old?["role"] == new?["role"] || old == nil || new == nil
      return Self(place: place, recorded: text(old, isText), asked: text(new, isText))
    }
  }

  private static func inputs(_ recorded: [JSON], _ asked: [JSON]) -> [RequestDifference] {
    (0..<max(recorded.count, asked.count)).compactMap { index -> RequestDifference? in
      let old: JSON? = index < recorded.count ? recorded[index] : nil
      let new: JSON? = index < asked.count ? asked[index] : nil
      return old == new
        ? nil : Self(place: "input \(index + 1)", recorded: old?.string, asked: new?.string)
    }
  }

  private static func tools(_ recorded: [JSON], _ asked: [JSON]) -> [RequestDifference] {
    func named(_ name: JSON?, _ tools: [JSON]) -> JSON? { tools.first { $0["name"] == name } }
    let gone = recorded.filter { named($0["name"], asked) == nil }.map {
      (name: $0["name"], tool: nil as JSON?)
    }
    let kept = asked.map { (name: $0["name"], tool: Optional($0)) }
    let differences = (kept + gone).compactMap { name, tool -> RequestDifference? in
      let old = named(name, recorded)
      return old == tool
        ? nil : Self(place: "tool \(name?.string ?? "?")", recorded: text(old), asked: text(tool))
    }
    if !differences.isEmpty { return differences }
    return [Self(place: "order of the tools", recorded: nil, asked: nil)]
  }

  /// A message is its text, if that is all there is to it.
  private static func text(_ json: JSON?, _ isText: Bool = false) -> String? {
    guard let json else { return nil }
    if isText, json["calls"] == nil, let content = json["content"]?.string { return content }
    return json.canonical.text
  }

  // MARK: Shown

  /// How much differs, in characters.
  var size: Int { max(changed.recorded.count, changed.asked.count) }

  private var changed: (start: Int, recorded: Substring, asked: Substring) {
    let old = recorded ?? ""
    let new = asked ?? ""
    let start = zip(old, new).prefix { $0 == $1 }.count
    let end = zip(old.dropFirst(start).reversed(), new.dropFirst(start).reversed()).prefix { $0 == $1 }.count
    return (start, old.dropFirst(start).dropLast(end), new.dropFirst(start).dropLast(end))
  }

  var description: String {
    let changed = changed
    return """
      \(place)
        recorded: \(Self.excerpt(recorded, changed.start, changed.recorded))
        asked:    \(Self.excerpt(asked, changed.start, changed.asked))
      """
  }

  private static func excerpt(_ text: String?, _ start: Int, _ changed: Substring) -> String {
    guard let text else { return "(not there)" }
    let from = max(0, start - context)
    let middle =
      changed.count > lengthMax
      ? "\(changed.prefix(lengthMax / 2))…\(changed.suffix(lengthMax / 2))" : String(changed)
    let before = text.dropFirst(from).prefix(start - from)
    let after = text.dropFirst(start + changed.count)
    let shown =
      "\(from > 0 ? "…" : "")\(before)\(middle)\(after.prefix(context))\(after.count > context ? "…" : "")"
    return shown.replacing("\n", with: "⏎")
  }
}
