// SPDX-License-Identifier: Apache-2.0

/// A response with its whole body.
public struct HTTPResponse: Sendable {
  public let status: Int
  public let headers: HTTPHeaders
  public let body: [UInt8]
  /// Where the response came from, after redirects.
  public let url: String

  public init(status: Int, headers: HTTPHeaders, body: [UInt8], url: String) {
    self.status = status
    self.headers = headers
    self.body = body
    self.url = url
  }
}

/// The fields of a response in the order in which they came; read from the received text when asked for.
public struct HTTPHeaders: Sendable, Sequence {
  /// Field lines, each ended by a line feed.
  private let lines: [UInt8]

  init(lines: [UInt8]) { self.lines = lines }

  public init(_ fields: [(name: String, value: String)] = []) {
    var lines: [UInt8] = []
    for (name, value) in fields { lines += Array("\(name): \(value)\n".utf8) }
    self.lines = lines
  }

  /// Value of the first field of that name, whatever its case.
  public subscript(name: String) -> String? {
    var name = name
    return name.withUTF8 { name in
      var iterator = makeIterator()
      while let field = iterator.nextField() {
        if field.name.count == name.count,
          zip(field.name, name).allSatisfy({ $0.lowercased == $1.lowercased })
        {
          return String(decoding: field.value, as: UTF8.self)
        }
      }
      return nil
    }
  }

  public func makeIterator() -> Iterator { Iterator(lines: lines) }

  public struct Iterator: IteratorProtocol {
    fileprivate let lines: [UInt8]
    private var at = 0

    fileprivate init(lines: [UInt8]) { self.lines = lines }

    public mutating func next() -> (name: String, value: String)? {
      nextField().map {
        (name: String(decoding: $0.name, as: UTF8.self), value: String(decoding: $0.value, as: UTF8.self))
      }
    }

    fileprivate mutating func nextField() -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
      while at < lines.count {
        let end = lines[at...].firstIndex(of: UInt8(ascii: "\n")) ?? lines.count
        let line = lines[at..<end]
        at = end + 1
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
        return (line[..<colon], line[(colon + 1)...].trimmed)
      }
      return nil
    }
  }
}

extension UInt8 {
  fileprivate var lowercased: UInt8 {
    self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self
  }

  fileprivate var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
}

extension ArraySlice<UInt8> {
  fileprivate var trimmed: ArraySlice<UInt8> {
    guard let first = firstIndex(where: { !$0.isSpace }), let last = lastIndex(where: { !$0.isSpace }) else {
      return []
    }
    return self[first...last]
  }
}
