// SPDX-License-Identifier: Apache-2.0
/* cli/cli.h - the command line, whole: what main() calls. */
#pragma once

/* Runs what the arguments say; returns the exit status (enum cli_exit in cli/command.h). */
int cli_main(int argc, char **argv);
