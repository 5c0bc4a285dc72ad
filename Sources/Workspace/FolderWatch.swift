// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Threads

/// Tells what changes in a folder, in batches: one as soon as nothing has changed for a moment.
///
/// The first batch comes at once, so that nothing is missed between a first look and the watch. An editor that
/// writes another file and renames it, a checkout of many files, a file that is written in pieces are one batch.
/// Each loop over it has a watch and a thread of its own, which end with it.
public struct FolderWatch: AsyncSequence, Sendable {
  public struct Batch: Sendable, Hashable {
    /// Files and folders that changed, came or went, as paths in the folder.
    public var paths: Set<String> = []
    /// It is not known what changed: everything has to be looked at.
    public var isWhole = false
  }

  /// What of the folder is watched.
  public struct Scope: Sendable, Hashable {
    /// Folders in it, with all that is in them.
    public var folders: [String]
    /// Files in the folder itself.
    public var files: [String]

    public init(folders: [String] = [], files: [String] = []) {
      self.folders = folders
      self.files = files
    }

    /// What a workspace is made of.
    public static let workspace = Scope(
      folders: ["agents", "tools", "lib", "evals", "files"], files: [configurationFile])
    public static let configurationFile = "perigee.yaml"
  }

  /// How long nothing may change before a batch is told.
  public static let settleTime = Duration.milliseconds(25)

  private let directory: String
  private let scope: Scope

  /// - Parameter directory: May be missing, be made anew, or be a link that leads elsewhere later.
  public init(_ directory: String, scope: Scope) {
    self.directory = directory
    self.scope = scope
  }

  public func makeAsyncIterator() -> Iterator { Iterator(directory, scope) }

  public struct Iterator: AsyncIteratorProtocol {
    private var signals: AsyncThrowingStream<Void, any Error>.Iterator
    private let mailbox = BatchMailbox()
    private let thread = SerialThread(name: "perigee-watch")

    fileprivate init(_ directory: String, _ scope: Scope) {
      let (stream, continuation) = AsyncThrowingStream<Void, any Error>.makeStream(
        bufferingPolicy: .bufferingNewest(1))
      signals = stream.makeAsyncIterator()
      do {
        let notifier = try FolderNotifier(directory, scope)
        continuation.onTermination = { _ in notifier.stop() }
        thread.async { [mailbox] in
          do {
            try notifier.run { batch in
              mailbox.add(batch)
              continuation.yield()
            }
            continuation.finish()
          } catch {
            continuation.finish(throwing: error)
          }
        }
      } catch {
        continuation.finish(throwing: error)
      }
    }

    /// - Throws: ``FolderWatchError`` when the system watches no more.
    public mutating func next() async throws -> Batch? {
      guard try await signals.next(isolation: #isolation) != nil else { return nil }
      return mailbox.take()
    }
  }
}

/// Why a folder is not watched, or no longer.
public struct FolderWatchError: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String
}

/// Batches that nobody has taken yet, put together to one.
private final class BatchMailbox: Sendable {
  private let batch = Mutex(FolderWatch.Batch())

  func add(_ more: FolderWatch.Batch) {
    batch.withLock {
      $0.paths.formUnion(more.paths)
      $0.isWhole = $0.isWhole || more.isWhole
    }
  }

  func take() -> FolderWatch.Batch {
    batch.withLock { batch in
      defer { batch = FolderWatch.Batch() }
      return batch
    }
  }
}
