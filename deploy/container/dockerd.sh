# A Docker engine for this build alone, where none answers; sourced by build.sh.
# shellcheck shell=bash
# It has no bridge and no firewall rules, so that nothing of it is left behind when it has stopped.

dockerd_pid=

# Where Docker answers it is taken as it is; else Debian's is started below the folder $1.
start_docker() {
  local home
  home=$(mkdir -p "$1" && cd "$1" && pwd)
  if docker version > /dev/null 2>&1; then
    return
  fi
  export DOCKER_HOST="unix://$home/docker.sock"
  if docker version > /dev/null 2>&1; then # left by KEEP=1
    return
  fi
  setsid dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/dockerd.pid" \
    --host "$DOCKER_HOST" --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
    > "$home/dockerd.log" 2>&1 < /dev/null &
  dockerd_pid=$!
  for _ in $(seq 60); do
    if docker version > /dev/null 2>&1; then
      dockerd_pid=$(cat "$home/dockerd.pid")
      return
    fi
    [[ -d /proc/$dockerd_pid ]] || break
    sleep 0.5
  done
  tail -20 "$home/dockerd.log" >&2
  return 1
}

# Stops it, where it was started here.
stop_docker() {
  [[ -n $dockerd_pid ]] || return 0
  kill "$dockerd_pid" 2> /dev/null || true
  for _ in $(seq 60); do
    [[ -d /proc/$dockerd_pid ]] || return 0
    sleep 0.5
  done
  kill -9 "$dockerd_pid"
}
