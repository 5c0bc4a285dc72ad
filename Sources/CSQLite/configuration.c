// SPDX-License-Identifier: Apache-2.0
#include "csqlite.h"

void csqlite_end_statistics(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

void csqlite_set_aside(sqlite3 *connection, int pieces, int bytes) {
  sqlite3_db_config(connection, SQLITE_DBCONFIG_LOOKASIDE, (void *)0, bytes, pieces);
}
