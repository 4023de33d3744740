// SPDX-License-Identifier: Apache-2.0
/* vault/suffix.h - where registries end and their customers begin: the Public Suffix List, by
 * libpsl. Nobody can prove `co.uk`. Pure. */
#pragma once

#include "base/str.h"

/* `domain` is lower-case A-labels. A registry's suffix, or a single label. Suffixes of the list's
 * private part (github.io) are names of somebody, who may prove them. */
bool suffix_is_public(struct str domain);
/* Whether names below belong to others: a public suffix of either part. Proof of it does not reach
 * down. */
bool suffix_has_tenants(struct str domain);
/* The name at or above `domain` that was registered, a piece of it; `domain` itself when there is
 * none. */
struct str suffix_registered(struct str domain);
