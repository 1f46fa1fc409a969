#!/bin/sh
# Makes the synthetic clips and the drawn photos again, from fixed seeds. Arguments go to make.py.
set -eu
cd "$(dirname "$0")/.."

missing=
for tool in espeak-ng flite ffmpeg python3; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "not installed:$missing (Debian: apt-get install espeak-ng flite ffmpeg python3-venv)" >&2
    exit 1
fi

# Below target/, so that `cargo clean` takes it along and the system's Python stays untouched.
venv=target/fixtures-venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r audio_fixtures/requirements.txt

"$venv/bin/python" audio_fixtures/make.py "$@"
"$venv/bin/python" audio_fixtures/languages.py
"$venv/bin/python" tests/photos/make.py
