#!/bin/bash
#SBATCH --job-name=tfflow
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
#
# Trains on the nodes of a Slurm job, one worker with all its GPUs on each:
#
#     sbatch train/slurm.sh liteflownet_things --data-dir /data --output /shared/runs/things
#
# PYTHON is the interpreter [.venv/bin/python of the folder that it is submitted in]. Options of
# sbatch go before the script and win over the lines above. --output must be on a file system that
# all nodes share. A job that is requeued goes on from its last checkpoint.

set -eu
export PYTHON=${PYTHON:-.venv/bin/python}
export PORT=${PORT:-$((20000 + SLURM_JOB_ID % 20000))}
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
TFFLOW_CLUSTER=$(printf '"%s:'"$PORT"'", ' $hosts)
export TFFLOW_CLUSTER=${TFFLOW_CLUSTER%, }

if [ "$SLURM_NNODES" -eq 1 ]; then
    exec srun "$PYTHON" -m tfflow train "$@" --distribute mirrored
fi
# SLURM_PROCID is the worker's number; srun ends all workers when one fails.
srun --kill-on-bad-exit=1 bash -c '
    export TF_CONFIG="{\"cluster\": {\"worker\": [$TFFLOW_CLUSTER]}, \
\"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
    exec "$PYTHON" -m tfflow train "$@" --distribute multi-worker
' tfflow "$@"
