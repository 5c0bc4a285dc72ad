// SPDX-License-Identifier: Apache-2.0
#ifndef FUZZ_GRAMMAR_H
#define FUZZ_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_SCRIPT_BYTES_MAX ((size_t)8 << 10)

/// Writes a hostile script whose productions the bytes choose; returns its length, less than `room`.
size_t fuzz_write_script(const uint8_t *bytes, size_t count, char *out, size_t room);

#endif
