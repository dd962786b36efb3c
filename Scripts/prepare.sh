# Sourced by the other scripts: what a fresh machine needs before anything is built.

say() { printf '%s\n' "$*" >&2; }
stop() { say "$(basename "$0"): $*"; exit 1; }

# The toolchain that Package.swift asks for.
need_swift() {
  command -v swift >/dev/null 2>&1 ||
    stop "Swift is missing. Install Swift 6.2 or later from https://www.swift.org/install and run this again."
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case "$version" in
    [0-5].* | 6.[01]) stop "Swift $version is too old; 6.2 or later is needed (https://www.swift.org/install)." ;;
  esac
}

# Installs those of the named Debian packages that are missing.
need_packages() {
  command -v dpkg-query >/dev/null 2>&1 || {
    say "This is not a Debian system; make sure that these are installed: $*"
    return 0
  }
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "Installing Debian packages: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || stop "please install as root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq >&2 || stop "apt-get update failed"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    stop "apt-get could not install: ${missing[*]}"
}

# Graphviz and NetCDF with their headers, gnuplot, fonts that drawings can be set in (Latin; Arabic, Hebrew,
# Greek and Cyrillic; Chinese, Japanese and Korean).
need_libraries() { need_packages pkg-config libgraphviz-dev libnetcdf-dev gnuplot-nox \
  fonts-liberation fonts-dejavu-core fonts-droid-fallback "$@"; }

# Builds in release and says how long it took; further arguments go to swift build.
build() {
  local begin=$SECONDS
  say "Building (the first time takes a few minutes) …"
  swift build -c release "$@" >&2 || stop "the build failed"
  say "Built in $((SECONDS - begin)) s."
}
