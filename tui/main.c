/* SPDX-License-Identifier: MIT */
#include <locale.h>

#include "tui/verb.h"

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers in files have a point in every language */
    return lw_verb_main(argc, argv);
}
