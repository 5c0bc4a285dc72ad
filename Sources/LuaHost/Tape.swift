// SPDX-License-Identifier: Apache-2.0
internal import CLuaHost
internal import JSONCodec

/// Reads values that C wrote.
struct TapeReader {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  /// - Parameter bytes: Read in place; must stay valid as long as the reader.
  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset >= bytes.count }

  /// Reads the next value; `nil` at the end.
  mutating func value() -> LuaValue {
    guard let byte = take(UInt8.self) else { return .nil }
    switch clh_tag(UInt32(byte)) {
    case CLH_TAG_FALSE: return .bool(false)
    case CLH_TAG_TRUE: return .bool(true)
    case CLH_TAG_INTEGER: return .integer(take(Int64.self) ?? 0)
    case CLH_TAG_NUMBER: return .number(take(Double.self) ?? 0)
    case CLH_TAG_STRING: return text()
    case CLH_TAG_ARRAY: return .array(array())
    case CLH_TAG_TABLE: return .table(fields())
    case CLH_TAG_NULL: return .null
    default: return .nil
    }
  }

  /// Reads the elements of an array whose tag has been read.
  private mutating func array() -> [LuaValue] {
    let count = Int(take(UInt32.self) ?? 0)
    var elements: [LuaValue] = []
    elements.reserveCapacity(min(count, bytes.count - offset))
    for _ in 0..<count where !isAtEnd { elements.append(value()) }
    return elements
  }

  /// Reads an array of arguments; empty when the next value is no array.
  mutating func arguments() -> [LuaValue] {
    guard let byte = take(UInt8.self), clh_tag(UInt32(byte)) == CLH_TAG_ARRAY else { return [] }
    return array()
  }

  private mutating func fields() -> [LuaField] {
    let count = Int(take(UInt32.self) ?? 0)
    var fields: [LuaField] = []
    fields.reserveCapacity(min(count, bytes.count - offset))
    for _ in 0..<count where !isAtEnd {
      let key = String(decoding: slice(), as: UTF8.self)
      fields.append(LuaField(key, value()))
    }
    return fields
  }

  private mutating func text() -> LuaValue {
    let slice = slice()
    if let string = String(validating: slice, as: UTF8.self) { return .string(string) }
    return .bytes(Array(slice))
  }

  private mutating func slice() -> UnsafeRawBufferPointer {
    let count = min(Int(take(UInt32.self) ?? 0), bytes.count - offset)
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  private mutating func take<Number: BitwiseCopyable>(_ type: Number.Type) -> Number? {
    guard bytes.count - offset >= MemoryLayout<Number>.size else {
      offset = bytes.count
      return nil
    }
    defer { offset += MemoryLayout<Number>.size }
    return bytes.loadUnaligned(fromByteOffset: offset, as: type)
  }
}

/// Writes values for C to push.
struct TapeWriter {
  let tape: OpaquePointer

  func write(_ value: LuaValue) {
    switch value {
    case .nil: clh_tape_nil(tape)
    case .null: clh_tape_null(tape)
    case .bool(let value): clh_tape_boolean(tape, value)
    case .integer(let value): clh_tape_integer(tape, value)
    case .number(let value): clh_tape_number(tape, value)
    case .string(let value): write(value)
    case .bytes(let bytes): bytes.withUnsafeBytes { clh_tape_string(tape, $0.baseAddress, $0.count) }
    case .json(let json): json.bytes.withUnsafeBytes { clh_tape_json(tape, $0.baseAddress, $0.count) }
    case .array(let elements):
      clh_tape_array(tape, elements.count)
      for element in elements { write(element) }
    case .table(let fields):
      clh_tape_table(tape, fields.count)
      for field in fields { write(field.key, field.value) }
    }
  }

  /// Writes an error that C raises in the script.
  func raise(_ error: HostError) {
    clh_tape_raise(tape)
    clh_tape_table(tape, error.detail == nil ? 3 : 4)
    write("code", .string(error.code))
    write("message", .string(error.message))
    write("retryable", .bool(error.retryable))
    if let detail = error.detail { write("detail", .json(detail)) }
  }

  private func write(_ key: String, _ value: LuaValue) {
    key.withUTF8Bytes { clh_tape_key(tape, $0.baseAddress, $0.count) }
    write(value)
  }

  private func write(_ string: String) {
    string.withUTF8Bytes { clh_tape_string(tape, $0.baseAddress, $0.count) }
  }
}

extension ScriptError {
  /// Reads the report of a failure. See `report.c` for its order.
  init(report bytes: UnsafeRawBufferPointer) {
    var reader = TapeReader(bytes)
    let failure = clh_failure(UInt32(truncatingIfNeeded: reader.value().integer ?? 0))
    let text = reader.value().lossyString ?? "the script failed"
    self.init(Kind(failure), text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? text)
    script = reader.value().lossyString
    line = reader.value().integer.flatMap { $0 > 0 ? Int($0) : nil }
    traceback = reader.value().lossyString
    guard let code = reader.value().lossyString else { return }
    let message = reader.value().lossyString ?? text
    let retryable = reader.value().bool ?? false
    let detail = reader.value().lossyString.map { RawJSON(trusted: Array($0.utf8)) }
    hostError = HostError(code: code, message: message, retryable: retryable, detail: detail)
  }
}

extension ScriptError.Kind {
  fileprivate init(_ failure: clh_failure) {
    switch failure {
    case CLH_FAILURE_RESULT: self = .badResult
    case CLH_FAILURE_STACK: self = .stackOverflow
    case CLH_FAILURE_MEMORY: self = .memoryLimit
    default: self = .runtime
    }
  }
}

extension LuaValue {
  fileprivate var lossyString: String? {
    switch self {
    case .string(let value): value
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }
}
