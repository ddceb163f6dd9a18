#!/usr/bin/env bash
if [[ ${1:-} == self-update ]]; then
  folder=$(dirname -- "$(realpath -- "$0")")
  [[ $# -gt 1 ]] || cd -- "$folder" || exit
  exec "$folder/updater-shim" "${@:2}"
fi
echo "mytool 1.0.0"
