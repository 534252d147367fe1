#!/bin/sh
# Puts digitwatch and its files where the service expects them. Run it as root from a checkout, also to upgrade:
# settings that are already there are kept, and those of this version laid beside them.
set -eu
umask 022 # what root installs, the user digitwatch must be able to read
here=$(dirname "$(realpath "$0")")

python3 -m venv /opt/digitwatch
/opt/digitwatch/bin/pip install --quiet --upgrade "$here/..[web]"

put() { # FILE PLACE
    install -D --mode=644 "$here/$1" "$2"
    echo "$2"
}
put digitwatch.service /etc/systemd/system/digitwatch.service
put digitwatch.socket /etc/systemd/system/digitwatch.socket
put digitwatch-inbox.service /etc/systemd/system/digitwatch-inbox.service
put digitwatch-inbox.path /etc/systemd/system/digitwatch-inbox.path
put sysusers.conf /etc/sysusers.d/digitwatch.conf
put tmpfiles.conf /etc/tmpfiles.d/digitwatch.conf
put digitwatch.logrotate /etc/logrotate.d/digitwatch

# The settings are those of config.yaml with the folders below /srv/digitwatch.
settings=/etc/digitwatch/config.yaml
[ -e $settings ] && settings=$settings.new
install -D --mode=644 /dev/null $settings
sed 's|digitwatch-data/|/srv/digitwatch/|' "$here/../config.yaml" > $settings
echo $settings
