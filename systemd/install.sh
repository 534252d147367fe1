#!/bin/sh
# Puts digitwatch into /opt/digitwatch and its service into the system. Run it as root in a checkout, also to upgrade:
# settings that are already there are kept, and those of this version laid beside them.
set -eu
umask 022 # what root installs, the user digitwatch must be able to read
here=$(dirname "$(realpath "$0")")

python3 -m venv /opt/digitwatch
/opt/digitwatch/bin/pip install --quiet --upgrade "$here/..[web]"
/opt/digitwatch/bin/digitwatch install-service
