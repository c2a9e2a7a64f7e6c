# What Linux does below the module, for the test step `svsm-guest`. Lines before
# this one set `nonce` and `own_nonce`, for reports, `unknown`, the GUID of a
# service that does not run, and `program`, which writes random numbers; all but
# the GUID in escapes of printf.

# What a kernel says when the processor, the hypervisor, the module or the memory
# is not what it should be. (Not `WARNING`: so begins advice about mitigations,
# too. And our ACPI tables are called SVSM.)
complaints() {
    dmesg | grep -v 'ACPI: ' |
        grep -E '#VC|GHCB|PVALIDATE|SVSM|[Uu]nexpected|BUG|cut here|Call Trace|Oops|stall|hung'
}
hexadecimal() { hexdump -v -e '/1 "%02x"'; }

# Only answers on the console.
dmesg -n 1
mount -t tmpfs -o size=95% tmpfs /tmp

echo "memory encryption: $(dmesg | sed -n 's/.*Memory Encryption Features active: *//p')"
echo "privilege level: $(dmesg | sed -n 's/.*SNP running at VMPL\([0-9]\).*/\1/p')"
echo "processors: $(nproc)"
echo "shared buffers: $(dmesg | grep -c 'software IO TLB: mapped')"
printf '%b' "$program" > /tmp/program
chmod +x /tmp/program
echo "random numbers: $(/tmp/program | hexadecimal)"

# All processors but the first go and come back. Each that has come back runs
# something. Only once: Linux, also without a module, leaves a processor's GHCB
# marked as in use when it stops it, and panics the second time.
last=$(($(nproc) - 1))
stopped=0
restarted=0
for cpu in $(seq "$last"); do
    echo 0 > "/sys/devices/system/cpu/cpu$cpu/online" && stopped=$((stopped + 1))
done
echo "processors left: $(nproc)"
for cpu in $(seq "$last"); do
    echo 1 > "/sys/devices/system/cpu/cpu$cpu/online"
    # The processor on which the program runs that reads this.
    [ "$(taskset -c "$cpu" cut -d ' ' -f 39 /proc/self/stat)" = "$cpu" ] &&
        restarted=$((restarted + 1))
done
echo "processors stopped: $stopped"
echo "processors restarted: $restarted"

# Seven tenths of the memory, in files with copies of busybox, of which each page
# differs from its neighbours. Three of the files are read back.
available() { sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
free=$(available)
for copy in 1 2 3 4 5 6 7 8; do cat /bin/busybox; done > /tmp/copies
size=$(wc -c < /tmp/copies)
expected=$(md5sum < /tmp/copies)
files=$((free * 1024 / 10 * 7 / size))
written=0
for file in $(seq "$files"); do
    cat /tmp/copies > "/tmp/memory.$file" && written=$((written + 1))
done
echo "memory used: $((written == files && $(available) < free * 4 / 10))"
changed=0
for file in 1 $(((files + 1) / 2)) "$files"; do
    [ "$(md5sum < "/tmp/memory.$file")" = "$expected" ] || changed=$((changed + 1))
done
echo "memory changed: $changed"
rm /tmp/memory.* /tmp/copies
echo "memory freed: $(($(available) > free * 9 / 10))"

# The second half of the disk becomes a copy of the first, by way of buffers that
# the host can read. The driver goes and comes back between, which makes its
# queues private and shared again.
half=$(($(blockdev --getsize64 /dev/vda) / 2 / 1048576))
part() { dd if=/dev/vda bs=1M skip="$1" count="$half" 2> /dev/null; }
forget() { sync; echo 3 > /proc/sys/vm/drop_caches; }
expected=$(part 0 | sha256sum)
echo "disk: ${expected%% *}"
part 0 | dd of=/dev/vda bs=1M seek="$half" 2> /dev/null
forget
device=$(basename "$(readlink /sys/block/vda/device)")
wrong=0
for round in $(seq 5); do
    echo "$device" > /sys/bus/virtio/drivers/virtio_blk/unbind
    [ -e /dev/vda ] && wrong=$((wrong + 1))
    echo "$device" > /sys/bus/virtio/drivers/virtio_blk/bind
    [ "$(part "$half" | sha256sum)" = "$expected" ] || wrong=$((wrong + 1))
done
echo "disk changed: $wrong"

# Before something is asked for that must fail.
echo "complaints: $(complaints | wc -l)"
complaints

# Reports of the module's level, with what it tells of its services, and of the
# guest's own.
cd /sys/kernel/config/tsm/report || exit 1
mkdir module own service || exit 2
printf '%b' "$nonce" > module/inblob
echo svsm > module/service_provider
cat module/outblob > /tmp/report || exit 3
echo "module's report: $(hexadecimal < /tmp/report)"
echo "manifest: $(hexadecimal < module/manifestblob)"
echo "certificates: $(hexadecimal < module/auxblob)"
printf '%b' "$own_nonce" > own/inblob
echo "highest level: $(cat own/privlevel_floor)"
echo 2 > own/privlevel
cat own/outblob > /tmp/report || exit 4
echo "own report: $(hexadecimal < /tmp/report)"

# No service of this name runs.
printf '%b' "$nonce" > service/inblob
echo svsm > service/service_provider
echo "$unknown" > service/service_guid
cat service/outblob > /tmp/report 2> /tmp/refusal
echo "unknown service: $(sed 's/.*: //' /tmp/refusal)"
exit 42
