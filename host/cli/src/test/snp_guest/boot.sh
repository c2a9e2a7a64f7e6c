# What a kernel finds of SEV-SNP, and whether the machine is sound, for the test
# step `snp-boot`.

# What a kernel says when the processor, the hypervisor or the memory is not
# what it should be. (Not `WARNING`: so begins advice about mitigations, too.)
complaints='#VC|GHCB|PVALIDATE|[Uu]nexpected|BUG|cut here|Call Trace|Oops|stall|hung|unstable'

echo "memory encryption: $(dmesg | sed -n 's/.*Memory Encryption Features active: *//p')"
echo "processors: $(nproc)"
echo "shared buffers: $(dmesg | grep -c 'software IO TLB: mapped')"

# A hundred megabytes, each page different from its neighbours, written and read
# back: every page is taken into use for the first time.
mount -t tmpfs -o size=120m tmpfs /tmp
expected=$(md5sum < /bin/busybox)
size=$(wc -c < /bin/busybox)
copies=$((100000000 / size))
for copy in $(seq "$copies"); do cat /bin/busybox; done > /tmp/memory
echo "memory written: $(( $(wc -c < /tmp/memory) == copies * size ))"
wrong=0
for copy in 0 $((copies / 2)) $((copies - 1)); do
    found=$(dd if=/tmp/memory bs="$size" skip="$copy" count=1 2> /dev/null | md5sum)
    [ "$found" = "$expected" ] || wrong=$((wrong + 1))
done
echo "memory changed: $wrong"
rm /tmp/memory

# Hundredths of a second since the start.
uptime() { sed 's/ .*//; s/\.//' /proc/uptime; }
before=$(uptime)
sleep 1
slept=$(($(uptime) - before))
# A machine with other things to do may be late, but never early.
echo "slept a second: $((slept >= 99 && slept < 1000))"

# Every processor takes a turn with work of its own.
cpu=0
while [ "$cpu" -lt "$(nproc)" ]; do
    taskset -c "$cpu" md5sum /bin/busybox > "/tmp/sum.$cpu" &
    cpu=$((cpu + 1))
done
wait
echo "processors that worked: $(cat /tmp/sum.* | grep -c "^${expected%% *}")"

# At the end, for it is about all of the above, too.
echo "complaints: $(dmesg | grep -cE "$complaints")"
dmesg | grep -E "$complaints"
exit 42
