// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Runs tasks on the event loop of a connection, where what they write needs no change of thread.
///
/// For what is short and never blocks: the other connections of the loop wait meanwhile.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
