#!/bin/sh
# Installs what the web demo and its tests need: LiteRT.js and playwright-core from npm, Chromium from
# Debian's packages. Node.js 20 or newer must be there. With --page: only what the page itself needs.
set -e
cd "$(dirname "$0")"
if [ "$1" = --page ]; then
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund
    exit
fi
npm ci --ignore-scripts --no-audit --no-fund
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    SUDO=""
    [ "$(id -u)" -eq 0 ] || SUDO=sudo
    $SUDO apt-get update
    $SUDO apt-get install --yes --no-install-recommends chromium fonts-dejavu-core libvulkan1
fi
