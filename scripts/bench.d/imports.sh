# scripts/bench imports: grants by the hundred thousand, through HTTP, against COPY of the same rows.

cargo build --release --bin muniment
start_postgres
machine
python3 scripts/bench.d/imports_feed.py "$work" "$rows"
python3 -u scripts/bench.d/imports.py "$work" "$rounds" "$rows" "$release/muniment" "$postgres_bin"
