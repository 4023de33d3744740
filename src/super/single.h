// SPDX-License-Identifier: Apache-2.0
/* super/single.h - every role in one process. */
#pragma once

#include "super/admin.h"
#include "super/settings.h"

/* Runs until it is told to stop; takes the settings. ERR_*: it could not start. */
MUST_USE bool single_serve(struct settings *settings, struct err *err);
