#!/usr/bin/env bash
# A sweep as a Slurm job array: sixteen tasks, each with its shard of the seeds.
#
#   sbatch docs/scale-out/slurm.sh
#   sbatch --dependency=afterany:JOB --wrap 'target/release/chaoslab merge out/shards/*.jsonl'
#
# A task that was preempted is queued again and goes on where its log ends.
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --time=02:00:00
#SBATCH --requeue
set -euo pipefail

shard="$SLURM_ARRAY_TASK_ID"
mkdir -p out/shards
# Failing seeds (1) and vacuous ones (3) are for `merge` to judge; anything else is a failed task.
status=0
target/release/chaoslab sweep scenarios --seeds 0..100000 \
  --shard "$shard/16" --jobs "$SLURM_CPUS_PER_TASK" \
  --log "out/shards/$shard.jsonl" --resume --time-limit 110min || status=$?
case $status in 0 | 1 | 3 | 5) ;; *) exit "$status" ;; esac
