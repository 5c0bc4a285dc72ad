// SPDX-License-Identifier: Apache-2.0

/// One row of the table that reading, variables, printing and documentation are made from.
struct Key<Root: Sendable>: Sendable {
  /// Dotted path from `Root`.
  let path: String
  let documentation: String
  let type: String
  let shape: TextShape
  /// Whether an element without this key is refused.
  var isRequired = false
  /// Keys of the elements, when this is a map of named elements.
  let elements: [ElementKey]
  /// Names of the elements that there are now.
  let names: @Sendable (Root) -> [String]
  /// Whether a variable or a flag may name an element that is not there yet.
  let addsNames: Bool
  let read: @Sendable (_ entry: Tree.Entry, _ path: String, _ root: inout Root, inout Reading) -> Void
  /// Values in force, by full path.
  let values: @Sendable (_ root: Root, _ path: String) -> [ShownValue]
  let rows: @Sendable (_ root: Root, _ path: String) -> [Configuration.Reference]
}

/// Path of a key inside an element, and how its text is understood.
struct ElementKey: Sendable {
  let path: String
  let shape: TextShape
}

/// One value in force.
struct ShownValue: Sendable {
  let path: String
  let value: String
  let secrecy: Secrecy
}

extension Key {
  /// A key with one value.
  static func value<Value>(
    _ path: String, _ property: any WritableKeyPath<Root, Value> & Sendable, _ codec: Codec<Value>,
    required: Bool = false, _ documentation: String
  ) -> Key {
    Key(
      path: path, documentation: documentation, type: codec.type, shape: codec.shape, isRequired: required,
      elements: [],
      names: { _ in [] }, addsNames: false,
      read: { entry, path, root, reading in
        do throws(Mismatch) {
          root[keyPath: property] = try codec.decode(entry.value)
          reading.sources[path] = entry.source
        } catch {
          let found = codec.secrecy == .open ? ", not \(entry.value.found)" : ""
          reading.refuse(
            error.source ?? entry.value.source, "\(path) \(error.message ?? "must be \(codec.type)\(found)")",
            hint: error.hint)
        }
      },
      values: { root, path in
        [ShownValue(path: path, value: codec.encode(root[keyPath: property]), secrecy: codec.secrecy)]
      },
      rows: { root, path in
        [
          Configuration.Reference(
            path: path, type: codec.type, default: required ? nil : codec.encode(root[keyPath: property]),
            description: documentation)
        ]
      })
  }

  /// A key that holds named elements, each a map with the same keys.
  ///
  /// - Parameters:
  ///   - placeholder: Stands for a name in the reference.
  ///   - new: What an element is before its keys are read.
  ///   - addsNames: Whether a variable may name a new element: not where names hold more than words.
  static func map<Element>(
    _ path: String, _ property: any WritableKeyPath<Root, [String: Element]> & Sendable,
    _ keys: [Key<Element>],
    placeholder: String, new: Element, addsNames: Bool = true, _ documentation: String
  ) -> Key {
    Key(
      path: path, documentation: documentation, type: "a map of names", shape: .yaml,
      elements: keys.map { ElementKey(path: $0.path, shape: $0.shape) },
      names: { $0[keyPath: property].keys.sorted() }, addsNames: addsNames,
      read: { entry, path, root, reading in
        guard let elements = reading.map(entry, path) else { return }
        for element in elements {
          let elementPath = "\(path).\(element.key)"
          var value = root[keyPath: property][element.key] ?? new
          guard let entries = reading.map(element, elementPath) else { continue }
          reading.places[elementPath] = reading.places[elementPath] ?? element.source
          reading.read(entries, keys, into: &value, base: elementPath)
          root[keyPath: property][element.key] = value
        }
      },
      values: { root, path in
        root[keyPath: property].sorted { $0.key < $1.key }.flatMap { name, element in
          keys.flatMap { $0.values(element, "\(path).\(name).\($0.path)") }
        }
      },
      rows: { _, path in
        keys.flatMap { $0.rows(new, "\(path).<\(placeholder)>.\($0.path)") }
      })
  }

  /// A key that holds a list of elements, each a map with the same keys; a later source replaces it whole.
  static func list<Element>(
    _ path: String, _ property: any WritableKeyPath<Root, [Element]> & Sendable, _ keys: [Key<Element>],
    new: Element, _ documentation: String
  ) -> Key {
    Key(
      path: path, documentation: documentation, type: "a list of maps", shape: .yaml, elements: [],
      names: { _ in [] }, addsNames: false,
      read: { entry, path, root, reading in
        guard let items = entry.value.items ?? (entry.value.value == .null ? [] : nil) else {
          reading.refuse(entry.value.source, "\(path) must be a list of maps, not \(entry.value.found)")
          return
        }
        reading.forget(path)
        root[keyPath: property] = items.enumerated().compactMap { index, item in
          let itemPath = "\(path).\(index + 1)"
          guard case .map(let entries) = item.value else {
            reading.refuse(item.source, "\(itemPath) must be a map, not \(item.found)")
            return nil
          }
          var element = new
          reading.places[itemPath] = item.source
          reading.read(entries, keys, into: &element, base: itemPath)
          return element
        }
      },
      values: { root, path in
        root[keyPath: property].enumerated().flatMap { index, element in
          keys.flatMap { $0.values(element, "\(path).\(index + 1).\($0.path)") }
        }
      },
      rows: { _, path in keys.flatMap { $0.rows(new, "\(path)[].\($0.path)") } })
  }
}
