// SPDX-License-Identifier: Apache-2.0
// What Swift cannot call of SQLite: functions with a variable number of arguments.
#ifndef PERIGEE_CSQLITE_H
#define PERIGEE_CSQLITE_H

#include <sqlite3.h>

/// Ends the statistics of SQLite's memory, which nobody reads: each allocation takes a lock for them. Nothing when
/// SQLite is in use already.
void csqlite_end_statistics(void);

/// Sets aside memory for what statements of this connection need for a moment: prepared ones that are kept use up what
/// SQLite has by itself. Nothing when some of that is in use already.
void csqlite_set_aside(sqlite3 *connection, int pieces, int bytes);

#endif
