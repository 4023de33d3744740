// SPDX-License-Identifier: Apache-2.0
/* accept/opening.h - a session from connect to greeting. */
#pragma once

#include "accept/session.h"

/* PROXY header, implicit TLS, vault and core, greeting. False: the session is over before it began
 * (a refusal may be piled up). Waits. */
MUST_USE bool opening(struct session *s);
