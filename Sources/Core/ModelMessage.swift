// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
import Synchronization

/// One message as the model sees it.
///
/// A reference: the next request of a turn, and the next turn of a session, have it again, with what was made of it.
public final class ModelMessage: Sendable {
  public enum Content: Sendable, Hashable {
    case system(String)
    /// - Parameter images: They come before the words.
    case user(String, images: [ModelImage])
    /// - Parameter verbatim: The same, as its provider wants it back; for that provider alone.
    case assistant(String?, calls: [ToolCallRequest], verbatim: VerbatimAnswer?)
    /// The answer to one call.
    case tool(callID: String, name: String, content: String)
  }

  private struct Wording {
    let dialect: ObjectIdentifier
    let json: RawJSON
  }

  public let content: Content
  private let wording = Mutex<Wording?>(nil)
  /// 0 = it was not asked for.
  private let knownDigest = Atomic<UInt64>(0)

  init(_ content: Content) { self.content = content }

  /// The message as JSON in a dialect; what the first one that asks has made of it is kept.
  public func json(in dialect: Any.Type, _ make: () -> RawJSON) -> RawJSON {
    let dialect = ObjectIdentifier(dialect)
    if let wording = wording.withLock({ $0 }) { return wording.dialect == dialect ? wording.json : make() }
    let json = make()
    // A picture is not worth holding twice.
    if json.bytes.count <= Self.keptBytesMax {
      wording.withLock { $0 = Wording(dialect: dialect, json: json) }
    }
    return json
  }

  private static let keptBytesMax = 256 << 10

  /// The same in every process for messages that are equal.
  var digest: UInt64 {
    let known = knownDigest.load(ordering: .relaxed)
    if known != 0 { return known }
    var hash = StableHash()
    content.combine(into: &hash)
    knownDigest.store(hash.value, ordering: .relaxed)
    return hash.value
  }
}

extension ModelMessage {
  public static func system(_ text: String) -> ModelMessage { ModelMessage(.system(text)) }

  public static func user(_ text: String, images: [ModelImage] = []) -> ModelMessage {
    ModelMessage(.user(text, images: images))
  }

  public static func assistant(
    _ text: String?, calls: [ToolCallRequest], verbatim: VerbatimAnswer? = nil
  ) -> ModelMessage { ModelMessage(.assistant(text, calls: calls, verbatim: verbatim)) }

  public static func tool(callID: String, name: String, content: String) -> ModelMessage {
    ModelMessage(.tool(callID: callID, name: name, content: content))
  }
}

extension ModelMessage: Hashable {
  public static func == (left: ModelMessage, right: ModelMessage) -> Bool {
    left === right || left.content == right.content
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(content) }
}

extension ModelMessage {
  /// Bytes of what the model reads; a little for what is around it.
  var estimatedBytes: Int {
    switch content {
    case .system(let text): text.utf8.count + 16
    case .user(let text, let images):
      text.utf8.count + 16 + images.count * ModelImage.estimatedBytes
    case .assistant(let text, let calls, _):
      (text?.utf8.count ?? 0) + calls.reduce(16) { $0 + $1.name.utf8.count + $1.arguments.utf8.count + 16 }
    case .tool(_, _, let content): content.utf8.count + 16
    }
  }
}

extension ModelMessage.Content {
  fileprivate func combine(into hash: inout StableHash) {
    switch self {
    case .system(let text):
      hash.combine(1)
      hash.combine(text)
    case .user(let text, let images):
      hash.combine(2)
      hash.combine(text)
      for image in images {
        hash.combine(image.url)
        hash.combine(image.detail.rawValue)
      }
    case .assistant(let text, let calls, _):
      hash.combine(3)
      hash.combine(text ?? "")
      for call in calls {
        hash.combine(call.id)
        hash.combine(call.name)
        hash.combine(call.arguments)
      }
    case .tool(let callID, let name, let content):
      hash.combine(4)
      hash.combine(callID)
      hash.combine(name)
      hash.combine(content)
    }
  }
}
