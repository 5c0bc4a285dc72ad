// SPDX-License-Identifier: Apache-2.0

/// A table of bounded size that forgets what was not asked for since the hand last passed (CLOCK, second
/// chance).
///
/// A look-up writes one flag where a least-recently-used list would relink. Complexity: O(1), amortised.
struct BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Slot: Sendable {
    let key: Key
    var value: Value
    var wasUsed: Bool
  }

  /// Entries; 0 = remembers nothing.
  let countMax: Int
  private var places: [Key: Int] = [:]
  private var slots: [Slot] = []
  private var hand = 0

  init(countMax: Int) { self.countMax = max(0, countMax) }

  var count: Int { slots.count }

  mutating func value(for key: Key) -> Value? {
    guard let place = places[key] else { return nil }
    slots[place].wasUsed = true
    return slots[place].value
  }

  mutating func insert(_ value: Value, for key: Key) {
    if let place = places[key] {
      slots[place].value = value
    } else if slots.count < countMax {
      places[key] = slots.count
      slots.append(Slot(key: key, value: value, wasUsed: false))
    } else if countMax > 0 {
      let place = victim()
      places[slots[place].key] = nil
      places[key] = place
      slots[place] = Slot(key: key, value: value, wasUsed: false)
    }
  }

  mutating func remove(_ key: Key) {
    guard let place = places.removeValue(forKey: key) else { return }
    let last = slots.removeLast()
    if place < slots.count {
      slots[place] = last
      places[last.key] = place
    }
  }

  mutating func removeAll(where isStale: (Value) -> Bool) {
    for key in slots.filter({ isStale($0.value) }).map(\.key) { remove(key) }
  }

  private mutating func victim() -> Int {
    while true {
      if hand >= slots.count { hand = 0 }
      let place = hand
      hand += 1
      if !slots[place].wasUsed { return place }
      slots[place].wasUsed = false
    }
  }
}
