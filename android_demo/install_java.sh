#!/bin/sh
# Installs what the Java tests need, from Debian's packages (Debian 12, Ubuntu 24.04 and later).
set -e
SUDO=""
[ "$(id -u)" -eq 0 ] || SUDO=sudo
$SUDO apt-get update
$SUDO apt-get install --yes --no-install-recommends \
    openjdk-17-jdk-headless junit5 libjna-java libjna-jni
