// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How many times longer than usual code takes; for limits of time that a test must not reach.
public let slowness = isUnderThreadSanitizer ? 2 : 1

private let isUnderThreadSanitizer = dlsym(nil, "__tsan_init") != nil
