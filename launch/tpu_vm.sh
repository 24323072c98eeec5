#!/usr/bin/env bash
# Runs launch.transfer on a Cloud TPU slice; `usage` below says how, docs/tpu.md says it at length.
set -euo pipefail

usage() {
  cat <<'EOF'
Run launch.transfer on a Cloud TPU slice, and resume after preemption.

  launch/tpu_vm.sh [--dry-run] [SETTING ...] COMMAND [ARGUMENT ...]

Commands, in the order of a run:
  create         request the slice as a queued resource, and wait until it is there
  setup          on all workers: mount the share if it is one, install this repository's HEAD
  start ARG ...  run `python -m launch.transfer ARG ...` on all workers, in the background;
                 --pod is added where the slice has several hosts
  status         state of the slice and of the run on each worker
  logs [LINES]   the last lines that each worker wrote (20)
  resume         recreate the slice if it is gone, set it up, and start the same command again
  watch          resume, again and again, until the run has its result.json
  fetch FOLDER   copy the run folder here, without checkpoints and the sources' predictions
  delete         delete the slice; what is on the share stays

Settings, each a flag or an environment variable:
  --project=ID             ZSL_TPU_PROJECT
  --zone=ZONE              ZSL_TPU_ZONE           such as us-west4-a
  --name=NAME              ZSL_TPU_NAME           of the slice and of its one run
  --accelerator-type=TYPE  ZSL_TPU_TYPE           v5litepod-8 (one host), v5litepod-16 (several), ...
  --runtime-version=IMAGE  ZSL_TPU_RUNTIME        default v2-alpha-tpuv5-lite, for v5e
  --spot=1                 ZSL_TPU_SPOT           cheaper, and preempted at any time; default 0
  --share=HOST:/PATH       ZSL_TPU_SHARE          NFS share (Filestore) that all workers mount, or
                                                  a folder in a bucket, gs://BUCKET/PATH
  --mount=FOLDER           ZSL_TPU_MOUNT          where they mount it; default /mnt/zsl_jax
  --home=FOLDER            ZSL_TPU_HOME           of code and Python; default /opt/zsl_jax
  --interval=SECONDS       ZSL_TPU_INTERVAL       between two looks at the slice; default 60
  --attempts=NUMBER        ZSL_TPU_ATTEMPTS       starts that watch makes at most; default 100

--dry-run prints the commands as they would run, for a slice that was preempted, and runs none.
Files that ARG names must lie on the share or in a bucket, --output too: the workers' own disks are
lost with them.
EOF
}

main() {
  exec 3>&1 # what --dry-run shows goes here, also where an answer is captured
  (( BASH_VERSINFO[0] >= 5 )) || fail "bash $BASH_VERSION is too old: install bash 5"
  read_settings "$@"
  set -- "${arguments[@]}"
  (( $# )) || fail "a command is missing; see --help"
  local command=$1
  shift
  case $command in
    create | setup | start | status | logs | resume | watch | fetch | delete) "$command" "$@" ;;
    *) fail "there is no command $command; see --help" ;;
  esac
}

read_settings() {
  project=${ZSL_TPU_PROJECT-} zone=${ZSL_TPU_ZONE-} name=${ZSL_TPU_NAME-} type=${ZSL_TPU_TYPE-}
  runtime=${ZSL_TPU_RUNTIME-v2-alpha-tpuv5-lite} spot=${ZSL_TPU_SPOT-0} share=${ZSL_TPU_SHARE-}
  mount=${ZSL_TPU_MOUNT-/mnt/zsl_jax} home=${ZSL_TPU_HOME-/opt/zsl_jax}
  interval=${ZSL_TPU_INTERVAL-60} attempts=${ZSL_TPU_ATTEMPTS-100} dry_run=
  settings=()
  while (( $# )) && [[ $1 == -* ]]; do
    case $1 in
      -h | --help) usage; exit ;;
      --dry-run) dry_run=yes ;;
      --project=*) project=${1#*=} ;;
      --zone=*) zone=${1#*=} ;;
      --name=*) name=${1#*=} ;;
      --accelerator-type=*) type=${1#*=} ;;
      --runtime-version=*) runtime=${1#*=} ;;
      --spot=*) spot=${1#*=} ;;
      --share=*) share=${1#*=} ;;
      --mount=*) mount=${1#*=} ;;
      --home=*) home=${1#*=} ;;
      --interval=*) interval=${1#*=} ;;
      --attempts=*) attempts=${1#*=} ;;
      *) fail "there is no setting $1; see --help (settings read --NAME=VALUE)" ;;
    esac
    settings+=("$1")
    shift
  done
  arguments=("$@")
  [[ $project && $zone ]] || fail "--project and --zone are missing; see --help"
  [[ $name =~ ^[a-z][-a-z0-9]*$ ]] ||
    fail "--name=$name must be small letters, digits and hyphens, a letter first"
  local folder
  for folder in "$mount" "$home"; do
    [[ $folder =~ ^/[-A-Za-z0-9_./]*[A-Za-z0-9]$ ]] ||
      fail "--mount and --home must be plain absolute paths, not $folder"
  done
  where=(--project="$project" --zone="$zone" --quiet)
  job=$mount/tpu_vm/$name logs=$mount/tpu_vm/$name # of this run: the command, and what it prints
  if in_bucket; then job=$share/tpu_vm/$name logs=$home; fi
}

create() {
  several_hosts || true # checks the accelerator type
  local flags=(--node-id="$name" --accelerator-type="$type" --runtime-version="$runtime")
  [[ $spot == 0 ]] || flags+=(--spot)
  run gcloud compute tpus queued-resources create "$name" "${flags[@]}" "${where[@]}"
  wait_until_active
}

setup() {
  [[ $share == *:/* ]] ||
    fail "--share=$share must read HOST:/PATH, of an NFS share, or gs://BUCKET/PATH; see --help"
  local archive=${TMPDIR:-/tmp}/zsl_jax-$name.tar.gz
  run git -C "$(dirname "$0")/.." archive --format=tar.gz --output="$archive" HEAD
  run gcloud compute tpus tpu-vm scp "$archive" "$name:/tmp/zsl_jax.tar.gz" --worker=all "${where[@]}"
  run rm "$archive"
  on_workers all "set -e
    sudo rm -rf $home/ready $home/code
    sudo mkdir -p $home/code
    sudo tar -xzf /tmp/zsl_jax.tar.gz -C $home/code
    sudo bash $home/code/launch/tpu_worker.sh $(quoted "$share") $mount $home"
}

start() {
  local output
  output=$(output_of "$@")
  if in_bucket; then
    [[ $output == gs://* ]] || fail "--output=$output must be in a bucket: name gs://BUCKET/PATH"
  else
    [[ $output == "$mount"/* ]] ||
      fail "--output=$output must lie on the share: name a folder under $mount"
  fi
  local words
  words=$(quoted "$@")
  local program="cd $home/code
exec >> $logs/worker-\${HOSTNAME##*-}.log 2>&1
echo \"\$(date -Is) \$HOSTNAME\"
exec $home/venv/bin/python -m launch.transfer $words \"\$@\""
  if in_bucket; then
    printf '%s\n' "$program" | run gcloud storage cp - "$job/command.sh"
    printf '%s\n' "$output" | run gcloud storage cp - "$job/output"
  else
    on_workers 0 "set -e
      sudo mkdir -p $job
      printf '%s\n' $(quoted "$program") | sudo tee $job/command.sh > /dev/null
      printf '%s\n' $(quoted "$output") | sudo tee $job/output > /dev/null"
  fi
  launch
}

status() {
  find_state
  show "slice: ${state:-none}"
  if [[ $state == ACTIVE ]]; then
    show "$(workers_status)"
    show "run: $(progress)"
  fi
}

logs() {
  local workers=0
  ! in_bucket || workers=all
  on_workers $workers "tail -n $(quoted "${1-20}") $logs/worker-*.log"
}

resume() {
  find_state
  case $state in
    '') create ;;
    SUSPENDING | SUSPENDED | FAILED)
      run gcloud compute tpus queued-resources delete "$name" --force "${where[@]}"
      create
      ;;
    *) wait_until_active ;;
  esac
  local found mounted="mountpoint -q $mount"
  ! in_bucket || mounted=true
  found=$(ask "not ready" on_workers all \
    "test -e $home/ready && $mounted || echo not ready")
  [[ $found != *"not ready"* ]] || setup
  found=$(progress)
  if [[ $found == finished ]]; then
    show "the run is finished"
  elif found=$(workers_status) && is_running "$found"; then
    show "the run is under way"
  else
    launch
  fi
}

watch() {
  local attempt found
  for (( attempt = 1; attempt <= attempts; attempt++ )); do
    if bash "$0" "${settings[@]}" resume; then
      while found=$(workers_status) && is_running "$found"; do run sleep "$interval"; done
      [[ $(progress) != finished && ! $dry_run ]] || return 0
      ! grep -q ", status 2$" <<< "$found" ||
        fail "the run ended with an error that a new start does not mend; see: $0 logs"
    fi
    run sleep "$interval"
  done
  fail "no result after $attempts starts; see: $0 logs"
}

fetch() {
  (( $# == 1 )) || fail "fetch takes one folder, where the run folder's files go"
  if in_bucket; then
    run mkdir -p "$1"
    run gcloud storage cp "$(ask "$share/RUN" run gcloud storage cat "$job/output")/*" "$1/"
    return
  fi
  local archive=$1/.$name.tar.gz
  on_workers 0 "set -e
    sudo tar -czf /tmp/$name.tar.gz --exclude=./checkpoints --exclude=./sources \
      -C \"\$(cat $job/output)\" .
    sudo chmod 644 /tmp/$name.tar.gz"
  run mkdir -p "$1"
  run gcloud compute tpus tpu-vm scp "$name:/tmp/$name.tar.gz" "$archive" --worker=0 "${where[@]}"
  run tar -xzf "$archive" -C "$1"
  run rm "$archive"
}

delete() {
  run gcloud compute tpus queued-resources delete "$name" --force "${where[@]}"
}

# Start the command that is kept on the share or in the bucket, on all workers. As a service it outlives the
# connection, and at a preemption it gets SIGTERM before the share is unmounted.
launch() {
  local pod= command=$job/command.sh
  ! several_hosts || pod=" --pod"
  if in_bucket; then
    local program
    program=$(ask "exit" run gcloud storage cat "$job/command.sh")
    command=$home/command.sh
    on_workers all "printf '%s\n' $(quoted "$program") | sudo tee $command > /dev/null"
  fi
  on_workers all "sudo systemctl stop zsl_jax 2> /dev/null
    sudo systemctl reset-failed zsl_jax 2> /dev/null
    sudo systemd-run --unit=zsl_jax --setenv=HOME=/root --property=RequiresMountsFor=$mount \
--property=TimeoutStopSec=120 bash $command$pod"
}

# Whether the share is a folder in a bucket, from where nothing is mounted.
in_bucket() {
  [[ $share == gs://* ]]
}

# v5e and v6e are named by chips, older types by cores; one host has at most 8 of either.
several_hosts() {
  [[ $type =~ ^v[0-9a-z]+-[0-9]+$ ]] ||
    fail "--accelerator-type=$type must be a name such as v5litepod-8; see --help"
  (( ${type##*-} > 8 ))
}

# Sets `state`: that of the queued resource, empty where there is none.
find_state() {
  state=$(ask "${assumed-SUSPENDED}" run gcloud compute tpus queued-resources list "${where[@]}" \
    --filter="name~/$name\$" --format="value(state.state)")
}

wait_until_active() {
  assumed=ACTIVE
  while true; do
    find_state
    case $state in
      ACTIVE) return ;;
      '' | FAILED | SUSPENDING | SUSPENDED)
        fail "the slice is not available (${state:-no such request}); try again later, or elsewhere" ;;
    esac
    show "slice: $state"
    sleep "$interval"
  done
}

workers_status() {
  ask "worker: inactive, status 0" on_workers all "echo \"\$HOSTNAME: \$(systemctl is-active zsl_jax), \
status \$(systemctl show zsl_jax --property=ExecMainStatus --value)\""
}

# Whether the run is active on every worker, by their status.
is_running() {
  [[ $1 ]] && ! grep -qv ": active," <<< "$1"
}

progress() {
  if in_bucket; then
    local output
    output=$(ask "$share/RUN" run gcloud storage cat "$job/output")
    [[ $(ask "" run gcloud storage ls "$output/result.json" 2> /dev/null) ]] && echo finished ||
      echo unfinished
    return
  fi
  ask unfinished on_workers 0 "if sudo test -e \"\$(cat $job/output 2> /dev/null)/result.json\"
    then echo finished; else echo unfinished; fi"
}

# The value of --output among the arguments of launch.transfer; absl takes one hyphen or two.
output_of() {
  local value=
  while (( $# )); do
    case $1 in
      --output=* | -output=*) value=${1#*=} ;;
      --output | -output) value=${2-} ;;
    esac
    shift
  done
  printf '%s\n' "$value"
}

on_workers() { # WORKER COMMAND
  run gcloud compute tpus tpu-vm ssh "$name" --worker="$1" "${where[@]}" --command="$2"
}

run() {
  if [[ $dry_run ]]; then quoted "$@" >&3; else "$@"; fi
}

# The output of a command; in a dry run, the command is shown and the answer assumed.
ask() { # ASSUMED COMMAND ...
  local assumption=$1
  shift
  if [[ $dry_run ]]; then "$@"; printf '%s\n' "$assumption"; else "$@"; fi
}

show() { printf '%s\n' "$*" >&3; }

# The words as a shell reads them back, plain ones as they are.
quoted() {
  local word line=
  for word in "$@"; do
    [[ $word =~ ^[-A-Za-z0-9_./:=@%+,]+$ ]] || word=${word@Q}
    line+="$word "
  done
  printf '%s\n' "${line% }"
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

main "$@"
