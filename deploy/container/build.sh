#!/usr/bin/env bash
# `make container`: builds the image, writes its bill of materials, proves it. Needs root, Python 3.11 and a
# package index; Debian's packages where there is no Docker or no container registry.
#
#   CONTAINER_HOME  where everything lies that it makes (.polysent/container)
#   KEEP=1          leaves the Docker engine running that it started
#   SAVE=FILE       writes the image, as `docker save` does
#   GPU=1           builds the one for NVIDIA cards: VERSION-gpu, with CUDA's libraries (gigabytes)
set -euo pipefail
cd "$(dirname "$0")/../.."
here=deploy/container
home=${CONTAINER_HOME:-.polysent/container}
export PATH="$PATH:/usr/bin:/usr/sbin:/bin:/sbin" DOCKER_BUILDKIT=1
mkdir -p "$home"
home=$(cd "$home" && pwd)
export BENTOML_HOME="$home/bentoml" BENTOML_DO_NOT_TRACK=True
# shellcheck source-path=SCRIPTDIR
source "$here/dockerd.sh"
# shellcheck source-path=SCRIPTDIR
source "$here/base.sh"

say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }

missing=()
command -v git > /dev/null || missing+=(git)
python3.11 -c 'import venv, ensurepip' 2> /dev/null || missing+=(python3-venv)
((${#missing[@]} == 0)) || apt_install "${missing[@]}"

python=$home/venv/bin/python
if ! cmp -s "$here/requirements.txt" "$home/installed.txt"; then
  say "installing what builds and proves it"
  python3.11 -m venv --clear "$home/venv"
  "$python" -m pip -qq --disable-pip-version-check install -c constraints.txt \
    -r "$here/requirements.txt" onnx uv
  "$python" -m pip -qq --disable-pip-version-check install --target "$home/tools" --upgrade cyclonedx-bom
  cp "$here/requirements.txt" "$home/installed.txt"
fi
export PATH="$home/venv/bin:$PATH"

finish() {
  [[ ${KEEP:-} == 1 ]] || stop_docker
}
trap finish EXIT
start_docker "$home/docker"
say "Docker $(docker version --format '{{.Server.Version}}') answers"

base=$("$python" -c 'import service; print(service.image.base_image)')
make_base "$base" "$home" "$("$python" -c 'import uv; print(uv.find_uv_bin())')"
say "the base image is $clean_base"

variant=() engine=onnx proof=smoke suffix=
[[ -z ${GPU:-} ]] || variant=(-f "$here/bentofile-gpu.yaml") engine=cuda proof=cardless suffix=-gpu
version=$(git describe --tags --always --dirty)$suffix
rm -rf "$BENTOML_HOME/bentos/polysent"
bentoml build --version "$version" "${variant[@]}" > "$home/build.log" 2>&1 || { cat "$home/build.log" >&2; exit 1; }
bentoml containerize "polysent:$version" -t "polysent-bento:$version" --opt network=host \
  --opt progress=plain > "$home/containerize.log" 2>&1 || { tail -40 "$home/containerize.log" >&2; exit 1; }
docker build -q --network none --build-arg "BENTO=polysent-bento:$version" --build-arg "BASE=$clean_base" \
  --build-arg "ENGINE=$engine" --build-arg "VERSION=$version" \
  -t "polysent:$version" -t "polysent:latest$suffix" - < "$here/Dockerfile" > /dev/null
say "polysent:$version is built"

docker run --rm --network none -v "$home/tools:/tools:ro" -v "$PWD/$here/sbom.py:/sbom.py:ro" \
  --entrypoint python "polysent:$version" /sbom.py "$version" > "$home/sbom.json"
say "its bill of materials is $home/sbom.json"

[[ -z ${SAVE:-} ]] || docker save "polysent:$version" > "$SAVE"
"$python" -m "deploy.container.$proof" "polysent:$version" "$home"
say "done"
