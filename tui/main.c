/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <signal.h>

#include "engine/base/io.h"
#include "tui/verb.h"

int main(int argc, char **argv)
{
    lw_fill_standard();
    signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, exit codes would be lost */
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers in files have a point in every language */
    return lw_verb_main(argc, argv);
}
