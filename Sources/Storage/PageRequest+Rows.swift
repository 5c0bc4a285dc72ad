// SPDX-License-Identifier: Apache-2.0
import Core

extension PageRequest {
  private var clampedLimit: Int { min(max(limit, 1), 200) }

  /// Rows to select: one more than the page holds tells whether another follows.
  var rows: Int64 { Int64(clampedLimit) + 1 }

  /// The page of the selected rows, with the cursor of its last one when more follow.
  func page<Row>(of rows: [Row], cursor: (Row) -> String) -> Page<Row> {
    guard rows.count > clampedLimit else { return Page(items: rows, next: nil) }
    let items = Array(rows.prefix(clampedLimit))
    return Page(items: items, next: items.last.map(cursor))
  }
}
