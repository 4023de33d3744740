// SPDX-License-Identifier: Apache-2.0
/* io/sandbox_files.h - what sandbox.c needs to know of Landlock's state in this process. */
#pragma once

#include "io/sandbox.h"

/* What sandbox_enter_files() has put in force; 0 when the kernel has no Landlock, -1 before it. */
int sandbox_files_abi(void);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_LOGS_ONLY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_LOGS_ONLY 1
#endif
#endif
#ifndef SANDBOX_LOGS_ONLY
#define SANDBOX_LOGS_ONLY 0
#endif
