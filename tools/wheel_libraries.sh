#!/bin/sh
# The libraries a wheel is built with, in the containers of cibuildwheel and on
# its Macs; auditwheel and delocate then put them into the wheel.
set -eu
if command -v dnf > /dev/null; then
    dnf install -y epel-release dnf-plugins-core
    dnf config-manager --set-enabled crb
    dnf install -y pkgconf-pkg-config libuv-devel openssl-devel msgpack-devel \
        zlib-devel libxcrypt-devel lua-devel
elif command -v apk > /dev/null; then
    apk add pkgconf linux-headers libuv-dev openssl-dev msgpack-c-dev \
        zlib-dev libxcrypt-dev lua5.4-dev
else
    brew install pkgconf libuv openssl@3 msgpack lua
fi
