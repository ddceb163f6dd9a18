#!/usr/bin/env bash
if [[ ${1:-} == self-update ]]; then
  cd -- "$(dirname -- "$(realpath -- "$0")")" && exec ./updater-shim
  exit 1 # it could not be started
fi
echo "mytool 1.0.0"
