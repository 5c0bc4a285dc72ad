// SPDX-License-Identifier: Apache-2.0
// What Swift cannot call of SQLite: functions with a variable number of arguments.
#ifndef PERIGEE_CSQLITE_H
#define PERIGEE_CSQLITE_H

/// Ends the statistics of SQLite's memory, which nobody reads: each allocation takes a lock for them. Nothing when
/// SQLite is in use already.
void csqlite_end_statistics(void);

#endif
