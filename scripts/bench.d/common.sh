# Shared by the benchmarks: a temporary PostgreSQL in $work/postgres and the servers under test.

export RUST_BACKTRACE=0 # else each error of anyhow pays for one
release=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d /tmp/muniment-bench.XXXXXX) # not under $TMPDIR, which the user postgres may not reach
chmod 755 "$work"
servers=()
trap finish EXIT
trap 'exit 130' INT TERM

finish() {
  local pid
  for pid in "${servers[@]}"; do
    kill "$pid" 2>/dev/null || continue
    timeout 10 tail --pid="$pid" -f /dev/null || kill -KILL "$pid"
  done
  [[ ! -f $work/postgres/postmaster.pid ]] || as_postgres pg_ctl -D "$work/postgres" -m immediate -t 30 stop >/dev/null
  rm -rf "$work"
}

# as_postgres PROGRAM ARGS...: PostgreSQL refuses root, so root becomes postgres.
as_postgres() {
  local program=$postgres_bin/$1
  shift
  if ((EUID)); then "$program" "$@"; else (cd / && runuser -u postgres -- "$program" "$@"); fi
}

start_postgres() {
  for postgres_bin in "$(pg_config --bindir 2>/dev/null || true)" $(ls -dr /usr/lib/postgresql/*/bin 2>/dev/null || true); do
    [[ ! -x $postgres_bin/initdb ]] || break
  done
  mkdir "$work/postgres"
  ((EUID)) || chown postgres "$work/postgres"
  as_postgres initdb -D "$work/postgres" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
  # 400 connections: pgbench alone takes 256
  as_postgres pg_ctl -D "$work/postgres" -l "$work/postgres/log" -t 60 -w start >/dev/null \
    -o "-c listen_addresses='' -c unix_socket_directories='$work/postgres' -c unix_socket_permissions=0700" \
    -o "-c shared_buffers=1GB -c max_wal_size=4GB -c max_connections=400"
}

sql() { # DATABASE, PSQL ARGS...
  "$postgres_bin/psql" -h "$work/postgres" -U postgres -d "$1" -qX -v ON_ERROR_STOP=1 "${@:2}"
}

database_url() { echo "postgres://postgres@localhost/$1?host=$work/postgres"; }

free_port() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The machine on one line; a load at the start spoils the numbers.
machine() {
  echo "$(git rev-parse --short HEAD 2>/dev/null || echo 'no commit'), $("$postgres_bin/postgres" --version)," \
    "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg) at the start"
}

# start NAME PORT COMMAND...: a server under test; returns when it listens.
start() {
  local name=$1 port=$2
  "${@:3}" >"$work/$name.log" 2>&1 &
  servers+=($!)
  for _ in {1..300}; do
    if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  echo "$name does not listen on port $port:" >&2
  tail -n 20 "$work/$name.log" >&2
  exit 1
}
