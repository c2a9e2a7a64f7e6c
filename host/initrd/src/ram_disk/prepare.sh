#!/bin/busybox sh
# First program of a test guest. What it tells begins with `svsm-guest: `.

export PATH=/bin HOME=/
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module; do
    insmod "/modules/$module" || echo "svsm-guest: module $module is not loaded"
done < /modules/order

# There only where configfs is built in or among the modules.
if [ -d /sys/kernel/config ]; then
    mount -t configfs configfs /sys/kernel/config
fi
