#!/usr/bin/env bash
# `make compose`: brings compose.yaml up, promotes two versions, sees both answer, takes it down.
# After `make container`, in the same CONTAINER_HOME. Where no container registry answers, PostgreSQL and
# Prometheus are built from Debian's packages, under the names that compose.yaml uses: in an engine of our own.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=deploy/compose
home=$(cd "${CONTAINER_HOME:-.polysent/container}" && pwd)
export PATH="$home/venv/bin:$PATH:/usr/bin:/usr/sbin:/bin:/sbin" DOCKER_BUILDKIT=1
# shellcheck source-path=SCRIPTDIR/../container
source deploy/container/dockerd.sh

say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }

export POSTGRES_PASSWORD=${POSTGRES_PASSWORD:-proof} MLFLOW_PORT=${MLFLOW_PORT:-5055}
export SERVICE_PORT=${SERVICE_PORT:-3055} PROMETHEUS_PORT=${PROMETHEUS_PORT:-9055}
by=(docker-compose)
compose() { "${by[@]}" -p polysent-proof -f "$here/compose.yaml" "$@"; }

finish() {
  compose down -v --timeout 10 > "$home/compose.down.log" 2>&1 || true
  [[ ${KEEP:-} == 1 ]] || stop_docker
}
trap finish EXIT
start_docker "$home/docker"
if docker compose version > /dev/null 2>&1; then
  by=(docker compose)
elif ! command -v docker-compose > /dev/null; then
  apt_install docker-compose
fi

build() { docker build -q --network host -t "$1" -f "$2" "$3" > /dev/null; }
# There is what has this name, a registry has it, or it is built from the file $2.
provide() {
  has_image "$1" || { may_stand_in "$1" && build "$1" "$2" "$here/standins"; }
}
provide postgres:15 "$here/standins/postgres.Dockerfile"
provide prom/prometheus:v2.53.5 "$here/standins/prometheus.Dockerfile"
build polysent-mlflow:3.17.2 "$here/mlflow.Dockerfile" .
say "all images are there"

compose up -d > "$home/compose.up.log" 2>&1 || { cat "$home/compose.up.log" >&2; exit 1; }
say "all containers are started"
key=$(compose exec -T service polysent keys add proof | tr -d '\r')
python -m deploy.compose.prove "http://127.0.0.1:$MLFLOW_PORT" "http://127.0.0.1:$SERVICE_PORT" \
  "http://127.0.0.1:$PROMETHEUS_PORT" "$key" || { compose ps; compose logs --tail 30; exit 1; }
say "done"
