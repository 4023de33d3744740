// SPDX-License-Identifier: Apache-2.0
/* spool/event_bytes.h - written events handled without reading them. Private to spool. */
#pragma once

#include "base/str.h"

enum { EVENT_POSITION_AT = 8, EVENT_BYTES_MIN = 64 };

/* Length of the first event in `bytes`, 0 when there is none whole. */
size_t event_bytes_len(struct str bytes);
/* Writes its position into an event whose length was found good. */
void event_bytes_place(char *bytes, uint64_t position);
