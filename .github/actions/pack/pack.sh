#!/usr/bin/env bash
# What the action runs. Its inputs come as variables, so that none of them is ever code; the key is in
# a file of this user's for as long as it takes.
set -euo pipefail
umask 077

# The sources of this very commit: whoever pins the action by its digest pins them.
root=$(cd "$(dirname "$0")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lines() { # FUNCTION TEXT: calls it with each line that is not empty
  local line
  while IFS= read -r line; do
    if [[ -n $line ]]; then "$1" "$line"; fi
  done <<<"$2"
}

arguments=() folders=() github=0
add() {
  arguments+=("$1")
  if [[ $1 == --github=* ]]; then github=1; fi
}
add_folder() { folders+=("$1"); }

lines add "$PACK_OPTIONS"
# A release that is on GitHub already has its files and URLs there.
if ((github)); then
  output=release.json
else
  lines add_folder "$PACK_FOLDER"
  output=${folders[0]}/release.json
  arguments+=("${folders[@]}" "--url=$PACK_URL")
fi
if [[ -n $PACK_EXPIRES ]]; then arguments+=("--expires=$PACK_EXPIRES"); fi
if [[ -n $PACK_SECRET_KEY ]]; then
  printf '%s\n' "$PACK_SECRET_KEY" >"$work/key"
  arguments+=("--sign=$work/key")
  if [[ -n $PACK_PASSWORD ]]; then arguments+=(--password-env=PACK_PASSWORD); fi
fi
unset PACK_SECRET_KEY

touch "$work/before"
deno run --quiet --no-prompt --config "$root/deno.json" --frozen \
  --allow-read --allow-write --allow-net --allow-env --allow-sys=uid,gid,statfs \
  "$root/src/pack/main.ts" "${arguments[@]}" "--output=$output"

{
  echo "manifest=$output"
  echo 'files<<END_OF_FILES'
  find "$(dirname "$output")" -maxdepth 1 -newer "$work/before" \
    \( -name release.json -o -name release.json.minisig -o -name '*.patch' \) | sort
  echo END_OF_FILES
} >>"$GITHUB_OUTPUT"
