// SPDX-License-Identifier: Apache-2.0
import DequeModule
import JSONCodec

/// What waits to be done, in the order in which it came.
///
/// Whoever reads the input puts messages in as they come, also while one of them is being answered: so a request can
/// be taken back before its turn.
actor Inbox {
  enum Event: Sendable {
    case message(Message)
    /// Findings are due.
    case publish
    /// Something changed in the folder of a workspace.
    case changed(root: String)
    /// No more messages will come; with what was wrong with the last one.
    case end(ProtocolError?)
  }

  /// Events that may wait before the client does.
  static let countMax = 1024

  private var events: Deque<Event> = []
  private var taker: CheckedContinuation<Void, Never>?
  private var putters: [CheckedContinuation<Void, Never>] = []

  /// Takes in what a client sent at once; a cancellation reaches the request that it means, as long as that waits.
  func put(_ messages: [Message]) async {
    while events.count >= Self.countMax { await withCheckedContinuation { putters.append($0) } }
    for message in messages {
      if case .notification("$/cancelRequest", let parameters) = message {
        if let id = parameters["id"].flatMap(RequestID.init) { cancel(id) }
      } else {
        put(.message(message))
      }
    }
  }

  private func cancel(_ id: RequestID) {
    for (index, event) in events.enumerated() {
      if case .message(.request(id, _, _)) = event { events[index] = .message(.cancelled(id)) }
    }
  }

  /// Takes in what the server tells itself.
  func put(_ event: Event) {
    events.append(event)
    taker?.resume()
    taker = nil
  }

  /// The next event, as soon as there is one; asked for by one task.
  func next() async -> Event {
    while true {
      if let event = events.popFirst() {
        for putter in putters { putter.resume() }
        putters = []
        return event
      }
      await withCheckedContinuation { taker = $0 }
    }
  }
}
