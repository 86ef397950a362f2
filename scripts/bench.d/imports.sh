# scripts/bench imports: grants by the hundred thousand, through HTTP, against COPY of the same rows.

cargo build --release --bin muniment --example load
start_postgres
machine

# feed FOLDER OPTIONS...: about ten grants an account. Nothing but grants is written, and nothing else changes.
feed() {
  local accounts=$((rows < 10 ? 1 : rows / 10))
  "$release/muniment" sample "$work/$1" --applications 1 --people "$accounts" --accounts "$accounts" \
    --entitlements 5000 --grants "$rows" --only grants "${@:2}"
}
feed before
feed after --change 2 # 1 % of the grants given up, each for another

python3 -u scripts/bench.d/imports.py "$work" "$rounds" "$rows" "$release/muniment" "$postgres_bin" "$release/examples/load"
