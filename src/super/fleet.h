// SPDX-License-Identifier: Apache-2.0
/* super/fleet.h - the roles as processes: started, joined, watched, restarted, ended. */
#pragma once

#include "super/settings.h"

/* Runs until it is told to stop; takes the settings. ERR_*: it could not start. */
MUST_USE bool fleet_serve(struct settings *settings, struct err *err);
