#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A single-host Slurm job of two ranks, on a Slurm of its own where none runs: needs slurmctld,
# slurmd, munged (Debian and Ubuntu: slurm-wlm munge) and root. doc/RANKS.md shows the same by hand.
# With Slurm's PMIx plugin the ranks meet through MPI; without it srun starts them with torchrun's
# variables. What srun without either gets is tested as well: one line and exit code 2, on each.
# Run in the build folder: sh tests/ranks/slurm.sh
set -eu

srcdir=$(dirname "$0")/../..
. "$srcdir/tests/lib.sh"
say() { echo "slurm.sh: $*"; }
for program in slurmctld slurmd munged srun sinfo; do
    command -v $program >/dev/null || { say "$program is missing"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { say "needs root"; exit 77; }

pids=
cleanup()
{
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in $pids; do
        wait "$pid" 2>/dev/null || true
    done
}

if ! sinfo >/dev/null 2>&1; then
    host=$(hostname -s)
    free_port
    controller=$port
    free_port
    mkdir -p "$here/state" "$here/spool" "$here/munge"
    chmod 755 "$here"
    dd if=/dev/urandom of="$here/munge/key" bs=1024 count=1 2>/dev/null
    chmod 400 "$here/munge/key"
    chmod 755 "$here/munge"
    munged --foreground --force --key-file="$here/munge/key" --socket="$here/munge/socket" \
        --pid-file="$here/munge/pid" --log-file="$here/munge/log" --seed-file="$here/munge/seed" &
    pids="$pids $!"
    cat >"$here/slurm.conf" <<EOF
ClusterName=leeway
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$here/munge/socket
CredType=cred/munge
SlurmctldPort=$controller
SlurmdPort=$port
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd.pid
SlurmctldLogFile=$here/slurmctld.log
SlurmdLogFile=$here/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
    SLURM_CONF=$here/slurm.conf
    export SLURM_CONF
    slurmctld -D >"$here/ctld.out" 2>&1 &
    pids="$pids $!"
    slurmd -D >"$here/slurmd.out" 2>&1 &
    pids="$pids $!"
    is_idle() { [ "$(sinfo -h -o %t)" = idle ]; }
    until_true is_idle ||
        { say "Slurm does not come up"; tail -n 5 "$here"/*.log "$here"/*.out; exit 1; }
fi

train="./leeway train task=lm_tiny max_steps=20 batch_size=2 threads=1 device=cpu"

say "without PMIx and without torchrun's variables"
# shellcheck disable=SC2086 # words
srun --mpi=none -n 2 --overcommit $train --run-dir "$here/none" >"$here/none.out" 2>&1 && code=0 ||
    code=$?
cat "$here/none.out"
[ "$code" -eq 2 ] || { say "exit code $code, not 2"; exit 1; }
[ "$(grep -c 'srun --mpi=pmix' "$here/none.out")" -eq 2 ] || { say "not one line a task"; exit 1; }

if srun --mpi=list 2>&1 | grep -qw pmix; then
    say "with PMIx"
    # shellcheck disable=SC2086
    srun --mpi=pmix -n 2 --overcommit $train --run-dir "$here/pmix"
    grep "gradients summed by MPI" "$here/pmix/events.log"
else
    say "this Slurm has no PMIx plugin"
fi

say "with torchrun's variables"
free_port
MASTER_ADDR=127.0.0.1 MASTER_PORT=$port
export MASTER_ADDR MASTER_PORT
# shellcheck disable=SC2016 # for the tasks' own shells
srun --mpi=none -n 2 --overcommit sh -c '
    RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID WORLD_SIZE=$SLURM_NTASKS
    export RANK LOCAL_RANK WORLD_SIZE
    exec '"$train"' --run-dir "$0"' "$here/tcp"
grep "gradients summed by TCP" "$here/tcp/events.log"
say "all is well"
