# scripts/bench reviews: a certification of grants by the hundred thousand, an automation, decisions by filter, pages, against the
# journal's own bulk rate.

cargo build --release --bin muniment --example bulk
start_postgres
machine

# feed FOLDER GRANTS: about ten grants an account, each account somebody's.
feed() {
  local accounts=$(($2 < 10 ? 1 : $2 / 10))
  "$release/muniment" sample "$work/$1" --applications 1 --people "$accounts" --accounts "$accounts" --entitlements 5000 --grants "$2"
}
feed small 10000
feed large "$rows"

python3 -u scripts/bench.d/reviews.py "$work" "$rounds" "$rows" "$release/muniment" "$postgres_bin" "$release/examples/bulk"
