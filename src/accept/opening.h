// SPDX-License-Identifier: Apache-2.0
/* accept/opening.h - a session from connect to greeting, and after a handshake. */
#pragma once

#include "accept/session.h"

/* PROXY header, implicit TLS, vault and core, greeting. False: the session is over before it began
 * (a refusal may be piled up). Waits. */
MUST_USE bool opening(struct session *s);
/* A certificate was shown in the handshake just made: vault says whose it is. False: the session is
 * over. Waits. */
bool opening_certificate(struct session *s);
