#!/usr/bin/env bash
# Makes the database that POSTGRES_* name, once, then serves it.
set -euo pipefail
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  initdb -U "$POSTGRES_USER" --auth=scram-sha-256 --pwfile=<(echo "$POSTGRES_PASSWORD") -E UTF8 > /dev/null
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl -s -w start -o '-c listen_addresses= -c unix_socket_directories=/tmp'
  PGPASSWORD=$POSTGRES_PASSWORD createdb -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -s -w stop
fi
exec postgres -c 'listen_addresses=*' -c unix_socket_directories=/tmp
