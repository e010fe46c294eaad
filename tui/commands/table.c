/* SPDX-License-Identifier: MIT */
#include "tui/verb.h"

#define RUN_HELP "RUN is a run folder, a name under ./runs, or the beginning of such a name.\n"

const struct lw_verb lw_verbs[] = {
    {"train", "[CONFIG.yaml] [key=value ...]", "train a model and watch it learn",
     "Without CONFIG and data it trains the built-in sample. In a terminal the console opens on\n"
     "the run; leaving it (q, Ctrl-C, a dropped line) leaves the run going. Without a terminal, "
     "or\n"
     "with --plain, one line a second at most is printed and Ctrl-C stops the run after a\n"
     "checkpoint. The fields that CONFIG and key=value may set are listed below.\n",
     lw_train_options, lw_cmd_train},
    {"resume", "RUN [key=value ...]", "go on from a run's last good checkpoint",
     "The run goes on in the same folder. " RUN_HELP, lw_resume_options, lw_cmd_resume},
    {"attach", "[RUN]", "open the console on a run, running or finished",
     "Without RUN: the newest run under ./runs. " RUN_HELP, lw_attach_options, lw_cmd_attach},
    {"watch", "PATH...", "open the console on run folders or CSV files",
     "PATH is a run folder or any CSV file with a header line (Lightning's, Keras's). Several are\n"
     "drawn over one another.\n",
     lw_watch_options, lw_cmd_watch},
    {"runs", "[DIR]", "list runs", "DIR is the folder that holds the runs; default: ./runs.\n",
     lw_runs_options, lw_cmd_runs},
    {"pause", "RUN", "pause a run after the step it is in", RUN_HELP, lw_control_options,
     lw_cmd_control},
    {"continue", "RUN", "go on with a paused run", RUN_HELP, lw_control_options, lw_cmd_control},
    {"checkpoint", "RUN", "write a checkpoint now", RUN_HELP, lw_control_options, lw_cmd_control},
    {"stop", "RUN", "stop a run after a checkpoint", RUN_HELP, lw_control_options, lw_cmd_control},
    {"export", "RUN...", "write runs' metrics and models for other programs",
     "Without an option, or with --csv: every column of every run, with a smoothed copy beside "
     "each\nmetric. RUN may also be a CSV file with a header line there. --png, --svg "
     "and --pdf:\nthe panels of the console as a picture, 24 by 18 inches. Models leave one run at "
     "a time.\n",
     lw_export_options, lw_cmd_export},
    {"sample", "RUN [--prompt TEXT] [--tokens N] [--temperature X] [--top-k K] [--seed N]",
     "let a run's model write", RUN_HELP, NULL, lw_cmd_engine},
    {"doctor", "[--json] [--strict]", "say what this machine offers",
     "Devices, libraries, which attention a layer would get and why. --strict: exit 3 when\n"
     "something is not as it could be.\n",
     NULL, lw_cmd_engine},
    {"bench", "attention | train | console | data | drift | start [key=value ...] [--json]",
     "measure this machine",
     "console: bytes, CPU and time of the console's frames, on a run made for the purpose:\n"
     "    rows=N (default 2000000), cols=N, lines=N, seconds=N\n",
     NULL, lw_cmd_bench},
    {"profile", "DATA [key=value ...] [-o FILE.json]", "describe a data set",
     "Lengths and tokens of DATA (a file or folder that train reads), counted into a small file\n"
     "for leeway drift. key=value: tokenizer, document_separator, length_bins, length_max,\n"
     "max_seq_len, profile_items, drift_mode.\n",
     NULL, lw_cmd_engine},
    {"drift", "REFERENCE.json CURRENT.json [key=value ...]", "compare two data sets",
     "How far the current profile lies from the reference, and what that means. key=value:\n"
     "drift_mode (calibrated, reference), drift_warn, drift_alert, drift_thresholds. --png, --svg and\n"
     "--pdf draw the comparison.\n"
     "Exit codes: 0 ok, 3 warn, 4 alert, 5 unsure or no data, 2 profiles that do not fit.\n",
     lw_drift_options, lw_cmd_drift},
    {0},
};
