// SPDX-License-Identifier: Apache-2.0
/* accept/verbs.h - the commands: one table of verb, handler, when it is allowed, and its help. */
#pragma once

#include "accept/command.h"
#include "accept/session.h"

/* Runs what was said, or refuses it. Waits. */
void verbs_run(struct session *s, struct command c);
/* The help of one verb, or of all when `verb` is empty, lines joined by '\n'. False: unknown. */
bool verbs_help(struct str verb, struct buf *to);

/* The handlers: each may assume what its row in the table demands. `args` lives in the workspace's
 * line, until the next line is read. All may wait. */
void cmd_ehlo(struct session *s, struct str args);
void cmd_helo(struct session *s, struct str args);
void cmd_starttls(struct session *s, struct str args);
void cmd_auth(struct session *s, struct str args);
void cmd_mail(struct session *s, struct str args);
void cmd_rcpt(struct session *s, struct str args);
void cmd_data(struct session *s, struct str args);
void cmd_bdat(struct session *s, struct str args);
void cmd_rset(struct session *s, struct str args);
void cmd_noop(struct session *s, struct str args);
void cmd_vrfy(struct session *s, struct str args);
void cmd_help(struct session *s, struct str args);
void cmd_quit(struct session *s, struct str args);
void cmd_http(struct session *s, struct str args);
