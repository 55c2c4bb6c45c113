# The base image, from Debian's packages where no registry has it; sourced by build.sh, after dockerd.sh.
# shellcheck shell=bash

# Makes sure that $1, the base that service.py names, is there; $2 is a folder, $3 a uv binary.
# Sets clean_base, which the final image begins with: without uv and this machine's CA.
# shellcheck disable=SC2034
make_base() {
  clean_base=$1
  if [[ -n $docker_is_ours ]] && docker image inspect polysent-debian > /dev/null 2>&1; then
    clean_base=polysent-debian
  elif has_image "$1"; then
    return
  else
    may_stand_in "$1" || return
    clean_base=polysent-debian
    _debian "$2"
  fi
  _with_uv "$1" "$2/context" "$3"
}

_debian() {
  local root="$1/rootfs" mirror
  command -v debootstrap > /dev/null || apt_install debootstrap
  # shellcheck disable=SC2016  # apt's own variables
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
    | awk '$2 == "bookworm" { print $1; exit }')
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,python3-minimal,python3-venv \
    bookworm "$root" ${mirror:+"$mirror"} > "$1/debootstrap.log" 2>&1
  tar -C "$root" --one-file-system -c \
    --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/man/*' . \
    | docker import -c 'CMD ["bash"]' \
      -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - polysent-debian > /dev/null
  rm -rf "$root"
}

# uv, how it finds packages here (pip's settings), and the CA by which it trusts them.
_with_uv() {
  local name=$1 context=$2 ca index
  rm -rf "$context"
  mkdir -p "$context/uv.d"
  cp "$3" "$context/uv"
  ca=${SSL_CERT_FILE:-$(python3 -m pip config get global.cert 2> /dev/null || true)}
  index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2> /dev/null || true)}
  echo 'system-certs = true' > "$context/uv.d/uv.toml"
  [[ -z $index ]] || echo "index-url = \"$index\"" >> "$context/uv.d/uv.toml"
  cp "${ca:-/etc/ssl/certs/ca-certificates.crt}" "$context/ca-certificates.crt"
  docker build -q --network none -t "$name" -f - "$context" > /dev/null << 'DOCKERFILE'
FROM polysent-debian
COPY uv /usr/local/bin/uv
COPY uv.d /etc/uv
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
DOCKERFILE
}
