// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import JSONCodec
import NIOCore
import Telemetry

/// A request on its way to its route's handler.
final class Exchange: Sendable {
  let request: Request
  /// Values of the path's parameters, decoded, in the order of the template.
  let parameters: [String]
  let user: Principal
  let bodyBytesMax: Int
  /// `nil` when the request came by another way than a socket.
  let connection: Connection?
  /// Of this request, for what it makes others do; `nil` where no traces are kept.
  let trace: TraceContext?
  private let authenticator: Authenticator

  init(
    request: Request, parameters: [String], user: Principal, bodyBytesMax: Int, connection: Connection?,
    trace: TraceContext?, authenticator: Authenticator
  ) {
    self.request = request
    self.parameters = parameters
    self.user = user
    self.bodyBytesMax = bodyBytesMax
    self.connection = connection
    self.trace = trace
    self.authenticator = authenticator
  }

  /// Where the request came from, as far as that is known.
  var clientAddress: String? { authenticator.proxies.client(of: request, from: connection?.address) }

  /// Who asks, asked again: a token may have ended meanwhile, a key may be revoked.
  ///
  /// - Throws: As the ``Authenticator`` does.
  func identifyAgain() async throws -> Principal {
    try await authenticator.identify(request, from: connection)
  }

  /// Reads the body and checks it against `shape`.
  ///
  /// - Throws: ``Problem``: 413 before anything is read when the sender says that it is too large, 415, or 400 with
  ///   every fault.
  func body(_ shape: BodyShape) async throws -> JSONObject { try shape.decode(try await content()) }

  /// Reads a body whose fields its route checks itself.
  ///
  /// - Throws: ``Problem``: 413, 415, or 400 for what is no JSON object.
  func object() async throws -> JSONObject {
    let value: JSON
    do {
      value = try JSON(parsing: try await content())
    } catch let error as JSONError {
      throw Problem.invalid("the body is not JSON: \(error)")
    }
    guard let object = value.object else {
      throw Problem.invalid("the body must be an object, not \(value.typeName)")
    }
    return object
  }

  /// Reads a body of that type.
  ///
  /// - Throws: ``Problem``: 413, or 415 for one of another type.
  func content(of type: String) async throws -> [UInt8] {
    try checkSize()
    let sent = request.headers[.contentType] ?? ""
    guard sent.prefix(while: { $0 != ";" && $0 != " " }).lowercased() == type else {
      throw Problem.wrongType(sent, wanted: type)
    }
    return try await bytes()
  }

  private func checkSize() throws(Problem) {
    if let declared = request.declaredBodyBytes, declared > bodyBytesMax {
      throw Problem.bodyTooLarge(bytesMax: bodyBytesMax)
    }
  }

  private func content() async throws -> [UInt8] {
    try checkSize()
    if let contentType = request.headers.value(of: .contentType), !Self.isJSON(contentType) {
      throw Problem.wrongType(contentType, wanted: "application/json")
    }
    return try await bytes()
  }

  private func bytes() async throws -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      for try await chunk in request.body {
        // Chunks announce no length: they are counted as they come.
        guard bytes.count + chunk.readableBytes <= bodyBytesMax else {
          throw Problem.bodyTooLarge(bytesMax: bodyBytesMax)
        }
        if bytes.isEmpty { bytes.reserveCapacity(request.declaredBodyBytes ?? chunk.readableBytes) }
        bytes.append(contentsOf: chunk.readableBytesView)
      }
    } catch let problem as Problem {
      throw problem
    } catch {
      try Task.checkCancellation()
      throw Problem.bodyIncomplete
    }
    connection?.hasReadBody = true
    return bytes
  }

  /// `application/json`, `text/json` or any `+json`, whatever its parameters.
  private static func isJSON(_ contentType: String) -> Bool {
    if contentType == "application/json" { return true }
    let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    return type == "application/json" || type == "text/json" || type.hasSuffix("+json")
  }

  /// Checks the parameters of a route that is no list.
  ///
  /// - Throws: ``Problem`` 400 with every fault, parameters that do not exist included.
  func check(_ fields: [BodyShape.Field]) throws {
    let faults = Query.parse(request.uri.query ?? "").compactMap { name, value -> Problem.Fault? in
      guard let field = fields.first(where: { $0.name == name }) else {
        let names = fields.map(\.name).joined(separator: ", ")
        return .init(field: name, message: "is not a parameter here; there are \(names)")
      }
      return field.fault(in: .string(value)).map { .init(field: name, message: $0) }
    }
    guard faults.isEmpty else { throw Problem.invalid(faults) }
  }

  /// `?limit=&after=`.
  ///
  /// - Parameter others: Further parameters, which the route reads itself once they are checked.
  /// - Throws: ``Problem`` 400 with every fault, parameters that do not exist included.
  func page(beside others: [BodyShape.Field] = []) throws -> PageRequest {
    var page = PageRequest()
    var faults: [Problem.Fault] = []
    for (name, value) in Query.parse(request.uri.query ?? "") {
      switch name {
      case "limit":
        if let limit = Int(value), PageRequest.limits.contains(limit) {
          page.limit = limit
        } else {
          let bounds = PageRequest.limits
          faults.append(
            .init(
              field: name, message: "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
            ))
        }
      case "after": page.after = value
      default:
        if let field = others.first(where: { $0.name == name }) {
          if let message = field.fault(in: .string(value)) {
            faults.append(.init(field: name, message: message))
          }
          continue
        }
        let names = (others.map(\.name) + ["limit"]).joined(separator: ", ")
        faults.append(.init(field: name, message: "is not a parameter here; there are \(names) and after"))
      }
    }
    guard faults.isEmpty else { throw Problem.invalid(faults) }
    return page
  }
}

extension Exchange {
  /// The last value that a parameter has; `nil` = it is not there.
  func parameter(_ name: String) -> String? {
    Query.parse(request.uri.query ?? "").last { $0.name == name }?.value
  }

  /// Number of the last event that the client has seen; `nil` = it says none.
  ///
  /// - Throws: ``Problem`` 400 for one that is no number of at most 18 digits.
  func lastEventID() throws -> Int64? {
    guard let text = request.headers[.lastEventID] else { return nil }
    guard text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int64(text)
    else { throw Problem.noSuchEvent }
    return number
  }
}

extension Problem {
  static var noSuchEvent: Problem {
    .invalid([.init(field: "Last-Event-ID", message: "must be the id of an event")])
  }
}

extension PageRequest {
  static let limits = 1...200
}
