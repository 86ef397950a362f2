# scripts/bench commands: the cost of one command through HTTP.

cargo build --release --bin muniment --examples
start_postgres
machine=$(machine)
for database in muniment stock pgbench; do sql postgres -c "CREATE DATABASE $database"; done
sql pgbench -f scripts/bench.d/commands_table.sql

muniment_url=$(database_url muniment)
"$release/muniment" migrate --database-url "$muniment_url" >"$work/migrate.log"
token=$("$release/muniment" token create --name bench --role administrator --database-url "$muniment_url")
muniment_port=$(free_port)
MUNIMENT_RATE_LIMIT=0 start muniment "$muniment_port" "$release/muniment" serve \
  --listen "127.0.0.1:$muniment_port" --database-url "$muniment_url" --data-dir "$work/data"
stock_port=$(free_port)
DATABASE_URL=$(database_url stock) TOKEN=$token start stock "$stock_port" \
  "$release/examples/stock" --listen "127.0.0.1:$stock_port"

# measure_http SYSTEM CALLERS MODE: one line of JSON.
measure_http() {
  local port=${1}_port
  TOKEN=$token timeout $((seconds + 120)) "$release/examples/load" \
    --url "http://127.0.0.1:${!port}" --callers "$2" --seconds "$seconds" --mode "$3"
}

# As many bytes as the events of the two servers have.
payload='{"ApplicationCreated":{"id":"019342d5-7c1a-7000-8000-000000000001","name":"62742a1b3c4d5-17-1234","priority":"Moderate","connector":{"id":"019342d5-7c1a-7000-8000-000000000002","type":"file","fileGroups":[{"id":"019342d5-7c1a-7000-8000-000000000003","name":"Grants","content":"grants","isRequired":true,"format":"csv","columns":{"account":"user","entitlement":"permission"}}]},"isArchived":false,"lastUpdated":"2026-11-22T10:00:00.000000Z"}}'
metadata='{"actor":{"type":"token","id":"019342d5-7c1a-7000-8000-000000000004","name":"bench"},"requestId":"019342d57c1a70008000000000000005","correlationId":"019342d57c1a70008000000000000006","causation":null,"sourceAddress":"127.0.0.1","worker":null}'

# The row is sent with each insert, as a program would. The first second, in which 256 new backends fill
# their caches, is left out as it is for the servers.
measure_pgbench() { # CALLERS
  timeout $((seconds + 120)) "$postgres_bin/pgbench" -h "$work/postgres" -U postgres -n -M prepared \
    -c "$1" -j $(($1 > 1 ? 2 : 1)) -T $((seconds + 1)) -P 1 -f scripts/bench.d/commands_insert.sql \
    -D payload="$payload" -D metadata="$metadata" -D leaf_hash="\\x$(printf 'ab%.0s' {1..32})" pgbench 2>&1 >"$work/pgbench.log" |
    awk -v callers="$1" '
      /^progress:/ && n++ { rate += $4; latency += $7 }
      END { if (n < 2) exit 1
            printf "{\"mode\": \"create\", \"callers\": %d, \"rate\": %d, \"mean_us\": %d, \"errors\": 0}\n",
              callers, rate / (n - 1), 1000 * latency / (n - 1) }'
}

# measure SYSTEM CALLERS MODE: into the results. A checkpoint first, so that nobody pays for another's pages.
measure() {
  local line
  sql postgres -c CHECKPOINT
  if [[ $1 == pgbench ]]; then line=$(measure_pgbench "$2"); else line=$(measure_http "$@") || [[ -n $line ]]; fi
  echo "{\"round\": $round, \"system\": \"$1\", ${line#\{}" >>"$work/results"
  printf 'round %d  %3d callers  %-6s  %-8s %s\n' "$round" "$2" "$3" "$1" "$(sed -E 's/.*"rate": ?([0-9]+).*/\1/' <<<"$line")" >&2
}

for ((round = 1; round <= rounds; round++)); do
  # the order turns round: nobody always comes after the same neighbour
  if ((round % 2)); then systems=(muniment stock pgbench); else systems=(pgbench stock muniment); fi
  for callers in 1 32 256; do
    for system in "${systems[@]}"; do measure "$system" "$callers" create; done
    for system in "${systems[@]}"; do [[ $system == pgbench ]] || measure "$system" "$callers" rename; done
  done
done

status=0
printf '\n%s\n' "$machine"
python3 scripts/bench.d/commands_report.py "$work/results" "$seconds" || status=1
head -n 5 "$work/stock.log" # views that it could not update
echo
"$release/muniment" projections verify --database-url "$muniment_url" || status=1
exit $status
