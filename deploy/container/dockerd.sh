# A Docker engine for this build alone, where none answers; sourced by build.sh and compose/prove.sh.
# shellcheck shell=bash
# It has no bridge and no firewall rules, so that nothing of it is left behind when it has stopped.

dockerd_pid=
docker_is_ours=

# Where Docker answers it is taken as it is; else one is started below the folder $1.
start_docker() {
  local home
  home=$(mkdir -p "$1" && cd "$1" && pwd)
  if [[ ${DOCKER_HOST:-} != "unix://$home/docker.sock" ]] && docker version > /dev/null 2>&1; then
    return
  fi
  export DOCKER_HOST="unix://$home/docker.sock"
  docker_is_ours=1
  { command -v dockerd && command -v docker; } > /dev/null || apt_install docker.io
  if [[ $(command -v dockerd) == */sbin/dockerd ]]; then # Debian's: any other client may want a plug-in
    mkdir -p "$home/bin"
    ln -sf /usr/bin/docker "$home/bin/docker"
    export PATH="$home/bin:$PATH"
  fi
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

# Whether the image $1 is there, or a registry has it.
has_image() {
  docker image inspect "$1" > /dev/null 2>&1 || timeout 60 docker pull -q "$1" > /dev/null 2>&1
}

# Fails where a stand-in for the image $1 would take its name among somebody else's images.
may_stand_in() {
  [[ -z $docker_is_ours ]] || return 0
  printf '%s\n' "$1 is not to be had, and a stand-in under its name does not belong into your Docker." \
    "Load it (docker load), or use an engine of this build's own: DOCKER_HOST=unix:///none" >&2
  return 1
}

apt_install() {
  say "installing $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "$@" > /dev/null
}
