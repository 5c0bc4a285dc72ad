// SPDX-License-Identifier: Apache-2.0

/// Words by their bytes, each with a number.
struct Trie: Sendable {
  /// One array of small nodes: a step is a look at a child and its siblings.
  private struct Node: Sendable {
    var byte: UInt8 = 0
    var value: Int32 = -1
    var child: Int32 = 0
    var sibling: Int32 = 0
  }

  private var all = [Node()]
  /// The children of the root by their byte, since they are many.
  private var roots = [Int32](repeating: Self.root, count: 256)

  static let root: Int32 = 0

  /// The number of a word that was inserted before, or the given one from now on.
  @discardableResult
  mutating func insert(_ word: some Sequence<UInt8>, value: Int) -> Int {
    var at = Self.root
    for byte in word {
      if let next = next(at, byte) {
        at = next
      } else {
        all.append(Node(byte: byte, sibling: all[Int(at)].child))
        all[Int(at)].child = Int32(all.count - 1)
        if at == Self.root { roots[Int(byte)] = Int32(all.count - 1) }
        at = Int32(all.count - 1)
      }
    }
    if all[Int(at)].value < 0 { all[Int(at)].value = Int32(value) }
    return Int(all[Int(at)].value)
  }

  func next(_ node: Int32, _ byte: UInt8) -> Int32? {
    if node == Self.root { return roots[Int(byte)] == Self.root ? nil : roots[Int(byte)] }
    var at = all[Int(node)].child
    while at != Self.root {
      if all[Int(at)].byte == byte { return at }
      at = all[Int(at)].sibling
    }
    return nil
  }

  /// The number of the word that ends at a node; `nil` inside of words.
  func value(_ node: Int32) -> Int? {
    let value = all[Int(node)].value
    return value < 0 ? nil : Int(value)
  }

  /// The first three bytes of every word, all of a shorter one.
  var beginnings: [[UInt8]] {
    var beginnings: [[UInt8]] = []
    func collect(_ node: Int32, _ bytes: [UInt8]) {
      if !bytes.isEmpty, bytes.count == 3 || value(node) != nil { beginnings.append(bytes) }
      if bytes.count == 3 { return }
      var child = all[Int(node)].child
      while child != Self.root {
        collect(child, bytes + [all[Int(child)].byte])
        child = all[Int(child)].sibling
      }
    }
    collect(Self.root, [])
    return beginnings
  }
}
