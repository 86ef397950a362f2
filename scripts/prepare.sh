# Sourced by the scripts: installs what is missing when root, else says in one sentence what to install.

need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null && return
  install_package "$2"
}

install_package() {
  if ((EUID)) || ! command -v apt-get >/dev/null; then
    echo "Please install $1 (Debian: apt-get install $1) and run this again." >&2
    exit 1
  fi
  echo "Installing $1 ..." >&2
  if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >/dev/null 2>&1; then
    apt-get update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >/dev/null
  fi
}

has_postgres() {
  local folder
  for folder in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin ${PATH//:/ }; do
    [[ -x $folder/initdb && -x $folder/postgres ]] && return
  done
  return 1
}

prepare() {
  if ! command -v cargo >/dev/null; then
    [[ -f $HOME/.cargo/env ]] && source "$HOME/.cargo/env"
    command -v cargo >/dev/null || { echo "Please install Rust (rustup.rs) and run this again." >&2; exit 1; }
  fi
  need cc gcc
  need curl curl
  has_postgres || install_package postgresql
}
