// SPDX-License-Identifier: Apache-2.0
#include "csqlite.h"

#include <sqlite3.h>

void csqlite_end_statistics(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
