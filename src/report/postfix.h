// SPDX-License-Identifier: Apache-2.0
/* report/postfix.h - the Postfix-like form of log lines, for tools that read Postfix's. */
#pragma once

#include "report/lines.h"

void postfix_write(struct lines *l, const struct event *e);
