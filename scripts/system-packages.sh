#!/usr/bin/env bash
# Installs the system packages that kioskd is built with; with the argument `test` also those that its tests need.
# What is there already is not asked for again, so a second run needs no network.
set -euo pipefail

say() { echo "system packages: $*"; }

build=(build-essential cmake pkg-config clang libclang-dev libasound2-dev)
# Chromium shows the pages; PulseAudio plays a file as if it were a microphone.
test=(chromium chromium-driver pulseaudio pulseaudio-utils libasound2-plugins)

# Debian cuts ensurepip out of python3 and puts it into python3-venv. A Python of another origin has it.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then build+=(python3-venv); fi

wanted=("${build[@]}")
if [[ ${1:-} == test ]]; then wanted+=("${test[@]}"); fi

# The command that stands for a package where dpkg cannot be asked; empty for libraries, which show when they are linked.
command_of() {
    case $1 in
        build-essential) echo c++ ;;
        cmake | clang | chromium | pulseaudio) echo "$1" ;;
        pkg-config) echo pkg-config ;;
        chromium-driver) echo chromedriver ;;
        pulseaudio-utils) echo pactl ;;
    esac
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    absent=()
    for package in "${wanted[@]}"; do
        tool=$(command_of "$package")
        if [[ -n $tool ]] && ! command -v "$tool" >/dev/null; then absent+=("$tool"); fi
    done
    say "this machine has no apt; needed are, under Debian's names: ${wanted[*]}"
    if ((${#absent[@]})); then
        say "not found: ${absent[*]}; install them with this system's package manager, then run this again"
        exit 1
    fi
    say "the programs among them are there; going on"
    exit 0
fi

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Some packages have other names elsewhere, and a browser may come as a snap, of which dpkg knows nothing.
is_present() {
    is_installed "$1" && return
    case $1 in
        chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
        chromium-driver) command -v chromedriver ;;
        # Since Debian 13 and Ubuntu 24.04 the tool is pkgconf, which provides the old name.
        pkg-config) command -v pkg-config ;;
        *) return 1 ;;
    esac >/dev/null
}

missing=()
for package in "${wanted[@]}"; do
    if ! is_present "$package"; then missing+=("$package"); fi
done
if ((${#missing[@]} == 0)); then
    say "all present"
    exit 0
fi
say "missing: ${missing[*]}"

as_root=()
if ((EUID != 0)); then
    if sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    elif command -v sudo >/dev/null && [[ -t 0 ]]; then
        say "sudo may ask for your password"
        as_root=(sudo)
    else
        say "installing takes root; run this once, then try again:"
        echo "    apt-get update && apt-get install --no-install-recommends ${missing[*]}"
        exit 1
    fi
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

say "refreshing the package lists"
apt update >/dev/null

has_candidate() { ! LC_ALL=C apt-cache policy "$1" | grep -q 'Candidate: (none)' && [[ -n $(apt-cache policy "$1") ]]; }

to_install=()
for package in "${missing[@]}"; do
    if has_candidate "$package"; then
        to_install+=("$package")
    elif [[ $package == chromium ]] && has_candidate chromium-browser; then
        # Ubuntu: a package of this name installs the snap.
        say "no chromium here; taking chromium-browser, which Ubuntu installs as a snap"
        to_install+=(chromium-browser)
    elif [[ $package == chromium-driver ]] && has_candidate chromium-chromedriver; then
        say "no chromium-driver here; taking chromium-chromedriver"
        to_install+=(chromium-chromedriver)
    else
        say "no package source of this machine has $package; enable one that does (on Ubuntu: universe), then run this again"
        exit 1
    fi
done

say "installing ${to_install[*]}"
apt install --yes --no-install-recommends "${to_install[@]}"
say "installed"
