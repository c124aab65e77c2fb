#!/bin/sh
# Installs what the tests of this folder need, from Debian's packages (Debian 12, Ubuntu 24.04 and
# later), and Android's public API as a list from npm, into build/.
set -e
SUDO=""
[ "$(id -u)" -eq 0 ] || SUDO=sudo
$SUDO apt-get update
$SUDO apt-get install --yes --no-install-recommends \
    openjdk-17-jdk-headless junit5 libjna-java libjna-jni libandroid-json-java \
    aapt android-framework-res
command -v npm >/dev/null || $SUDO apt-get install --yes --no-install-recommends npm
npm install --no-save --prefix "$(dirname "$0")/build/android-api" \
    @nativescript/types-android@9.1.1
