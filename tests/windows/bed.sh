#!/usr/bin/env bash
# The Windows test bed: runs real Windows programs under Wine 10 on Linux (x86_64, as root).
#
#   bed.sh up                        make it if it is not there (about two minutes), else a moment
#   bed.sh run DIR -- PROG ARGS...   run a Windows program in DIR; exit code (modulo 256), stdin and
#                                    stdout are those of the program. PROG: the name of a program
#                                    of the cache, else as Windows finds it (`.\tool.exe`, `D:\x.exe`)
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
# makes a `run` fast (0.4 s for Deno), and goes away by itself ten minutes after the last one.
# Mounts made on this machine later on are not visible inside.
#
# Drives: D: is the root of this machine, E: its /dev/shm (another device, for moves across drives).
set -euo pipefail

bed=${UPDATER_SHIM_WINE_BED:-${XDG_CACHE_HOME:-$HOME/.cache}/updater-shim/wine-bed}
root=$bed/root
self=$(realpath -- "$0")
idle_minutes=10
source "${self%/*}/provision.sh"

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
  mkdir -p "$bed"
  touch "$bed/used"
  if ready; then return; fi
  exec 9>"$bed/lock"
  flock 9 # of two starts at the same time, one makes the bed, the other waits for it
  made || provision
  fetch_programs
  alive || start_holder
  exec 9>&-
}

ready() { made && alive && programs_there; }

# ---- the holder of the namespaces ----

alive() {
  local pid start
  { read -r pid start <"$bed/holder"; } 2>/dev/null && [[ $(start_time "$pid") == "$start" ]]
}

start_time() { cut -d' ' -f22 "/proc/$1/stat" 2>/dev/null; } # told apart from a later process of this pid

start_holder() {
  # Again: one that is just ending (of the provisioning) lets no other one begin.
  for _ in 1 2 3; do
    rm -f "$bed/holder"
    setsid unshare --mount --pid --fork "$self" __hold "$bed" </dev/null >"$bed/holder.log" 2>&1 9>&- &
    for _ in {1..200}; do alive && return; sleep 0.05; done
  done
  die "the Wine server did not start: $(cat "$bed/holder.log")"
}

hold() { # pid 1 of the namespaces; bash, because pid 1 has to reap what Wine leaves behind
  bed=$1 root=$1/root
  local stat server
  read -ra stat </proc/self/stat # the outer /proc, so this is the outer pid
  mount_inside
  inside wineserver --foreground --persistent &
  server=$!
  # Else the first program with a console starts it, and its reader never sees the end of stdout.
  inside wine explorer /desktop &
  inside wine cmd /c exit # the first start takes long
  echo "${stat[0]} ${stat[21]}" >"$bed/holder.tmp"
  mv "$bed/holder.tmp" "$bed/holder"
  while kill -0 "$server" && [[ -n $(find "$bed/used" -mmin -"$idle_minutes") ]]; do sleep 10; done
  rm -f "$bed/holder" # and the end of pid 1 ends all the others
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
  -u NODE_EXTRA_CA_CERTS # a path of this machine, which Deno would complain about
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
  local dir=${1:?a folder} limit=${UPDATER_SHIM_WINE_TIMEOUT:-120} program pid status=0
  [[ ${2:-} == -- && -n ${3:-} ]] || die "usage: bed.sh run DIR -- PROG ARGS..."
  program=$3 dir=$(realpath -s -- "$dir")
  shift 3
  up
  [[ -e $bed/programs/$program ]] && program=$(windows_path "$(realpath -s -- "$bed/programs/$program")")
  read -r pid _ <"$bed/holder"
  SECONDS=0
  nsenter --target "$pid" --mount --pid -- chroot "$root" /usr/bin/env --chdir="/host$dir" \
    "${wine_environment[@]}" timeout --foreground --signal=KILL "$limit" \
    wine "$program" "$@" || status=$?
  touch "$bed/used"
  if [[ $status == 137 && $SECONDS -ge $limit ]]; then
    echo "bed.sh: $program did not end within $limit s and was ended" >&2
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
