/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <locale.h>

#include "tui/command.h"

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers in files have a point in every language */
    return lw_command_main(argc, argv);
}
