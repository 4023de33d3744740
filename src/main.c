// SPDX-License-Identifier: Apache-2.0
/* main.c - the binary: server, roles and client are all commands of one table
 * (cli/command_table.c). */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
