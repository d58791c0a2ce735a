#!/usr/bin/env bash
# Sourced by demo, test, bench and bailiwick: installs what is missing and builds, with one line of progress a step.
# Usage: prepare PACKAGE... ; build_all CONFIGURATION TARGET
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0

say() { printf '%s\n' "$*" >&2; }

# What every part needs on a bare Debian 12 machine besides the .NET 10 SDK.
base_packages=(libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients libvirt0 qemu-system-x86 qemu-utils
  nftables iproute2 libsqlite3-0 busybox-static cpio kmod gcc libc6-dev tcpdump iputils-ping
  libtss2-esys-3.0.2-0 libtss2-mu0 swtpm swtpm-tools bubblewrap libseccomp2 wireguard-tools wireguard-go dnsmasq-base)

prepare() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || { say "These Debian packages are missing: ${missing[*]}. Run as root, or install them."; exit 2; }
    say "installing ${missing[*]}"
    local log; log=$(mktemp)
    # Services stay off: every libvirtd of ours runs inside a namespace of its own.
    local policy=/usr/sbin/policy-rc.d made_policy=
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; made_policy=1; }
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}"; } > "$log" 2>&1; then
      [ -z "$made_policy" ] || rm -f $policy
      tail -20 "$log" >&2
      say "Could not install the packages above; the reason is in the lines before this one."
      exit 2
    fi
    [ -z "$made_policy" ] || rm -f $policy
    rm -f "$log"
  fi
  # Debian's libvirt does not begin without this user, whoever its machines run as, and a package makes it that has all
  # of a system's daemons in it.
  if [ "$(id -u)" = 0 ] && ! getent passwd libvirt-qemu > /dev/null; then
    useradd --system --user-group --no-create-home --home-dir /var/lib/libvirt --shell /usr/sbin/nologin libvirt-qemu
  fi
  command -v dotnet > /dev/null || { say "The .NET 10 SDK is missing: install it so that 'dotnet' is on the PATH."; exit 2; }
}

# Builds one solution or solution filter, quietly; on failure shows what the compiler said. A fresh clone compiles once
# and is done, so the compiler does not profile itself (a third of the time), and all projects share one compiler.
build_all() {
  local configuration=$1 target=$2 log; log=$(mktemp)
  say "building $(basename "${target%.*}")"
  if ! DOTNET_TieredPGO=0 dotnet build "$root/$target" -c "$configuration" -v q --nologo -clp:NoSummary \
      -p:UseSharedCompilation=true > "$log" 2>&1; then
    grep -E 'error|warning' "$log" | sort -u | head -30 >&2 || tail -30 "$log" >&2
    say "The build of $target failed."
    exit 2
  fi
  rm -f "$log"
}
