// SPDX-License-Identifier: Apache-2.0
#ifndef CLH_LIBRARY_PROBE_H
#define CLH_LIBRARY_PROBE_H

#include <stddef.h>

/// Runs a script against the C libraries alone, in a plain state of its own, for tests.
///
/// Globals: the stock base, coroutine and math libraries; string, table, utf8 and json of this host;
/// `stock.string`, `stock.table` and `stock.utf8`. `budget_units` bounds what the libraries may charge; 0 is
/// no bound.
///
/// Returns 0 and the script's first result as text, or 1 and the error message, in `*out`: NUL-terminated,
/// to be freed by `clh_probe_free`, NULL when there is no memory. `*units`, which may be NULL, receives the
/// units charged under a bound.
int clh_probe(const char *script, size_t length, long budget_units, char **out, long *units);

void clh_probe_free(char *out);

#endif
