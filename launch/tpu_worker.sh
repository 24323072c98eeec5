#!/usr/bin/env bash
# Make one worker of a Cloud TPU slice ready: mount the share, unless it is in a bucket, and install
# this copy of the repository.
# `launch/tpu_vm.sh setup` runs it as root on each worker; a second time changes nothing.
#
# bash launch/tpu_worker.sh HOST:/PATH|gs://BUCKET/PATH MOUNT HOME
set -euo pipefail
share=$1 mount=$2 home=$3
export DEBIAN_FRONTEND=noninteractive

cd "$(dirname "$0")/.."
if [[ $share != gs://* ]] && ! mountpoint -q "$mount"; then
  mkdir -p "$mount"
  if ! command -v mount.nfs > /dev/null; then # a fresh machine still updates itself: wait for it
    apt-get -o DPkg::Lock::Timeout=600 update -q
    apt-get -o DPkg::Lock::Timeout=600 install -q -y nfs-common
  fi
  mount -t nfs -o hard "$share" "$mount"
  chmod 1777 "$mount"
fi
# The images of Cloud TPU have Python 3.10, which is too old; uv brings another.
python3 -m pip install -q uv
python3 -m uv venv -q --allow-existing --python 3.12 "$home/venv"
python3 -m uv pip install -q --python "$home/venv/bin/python" -r requirements-tpu.txt
touch "$home/ready"
