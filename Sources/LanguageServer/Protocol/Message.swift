// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What a client sent. Source: JSON-RPC 2.0; LSP 3.17, Base Protocol.
enum Message: Sendable, Hashable {
  case request(RequestID, method: String, parameters: JSON)
  case notification(method: String, parameters: JSON)
  /// The answer to a request of ours.
  case response
  /// A request that was taken back before its turn came.
  case cancelled(RequestID)
  /// Nothing that could be done.
  case invalid(RequestID?, ResponseError)

  /// Reads the body of a message.
  init(_ body: [UInt8]) {
    let value: JSON
    do {
      value = try JSON(parsing: body)
    } catch {
      self = .invalid(nil, ResponseError(.parseError, "the message is not JSON: \(error)"))
      return
    }
    let id = value["id"].flatMap(RequestID.init)
    guard value["jsonrpc"] == "2.0" else {
      self = .invalid(id, ResponseError(.invalidRequest, "the message is not JSON-RPC 2.0"))
      return
    }
    let parameters = value["params"] ?? .null
    switch (value["method"]?.string, id) {
    case (let method?, let id?): self = .request(id, method: method, parameters: parameters)
    case (let method?, nil) where value["id"] == nil:
      self = .notification(method: method, parameters: parameters)
    case (nil, _) where value["result"] != nil || value["error"] != nil: self = .response
    default: self = .invalid(id, ResponseError(.invalidRequest, "the message names no method, or a wrong id"))
    }
  }
}

/// What tells requests apart.
enum RequestID: Sendable, Hashable {
  case number(Int64)
  case text(String)

  init?(_ json: JSON) {
    switch json {
    case .integer(let value): self = .number(value)
    case .string(let value): self = .text(value)
    default: return nil
    }
  }

  var json: JSON {
    switch self {
    case .number(let value): .integer(value)
    case .text(let value): .string(value)
    }
  }
}

/// Why a request was not answered with a result.
struct ResponseError: Error, Sendable, Hashable {
  enum Code: Int64, Sendable {
    case parseError = -32700
    case invalidRequest = -32600
    case methodNotFound = -32601
    case invalidParams = -32602
    case internalError = -32603
    case serverNotInitialized = -32002
    case requestCancelled = -32800
    /// The request is right and cannot be done.
    case requestFailed = -32803
  }

  let code: Code
  let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  var json: JSON { ["code": .integer(code.rawValue), "message": .string(message)] }
}
