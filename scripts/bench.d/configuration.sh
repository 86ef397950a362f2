# scripts/bench configuration: objects that refer to each other, imported from one file; ten times as many against a tenth.

cargo build --release --bin muniment
start_postgres
machine
python3 -u scripts/bench.d/configuration.py "$work" "$rounds" "$rows" "$release/muniment" "$postgres_bin"
