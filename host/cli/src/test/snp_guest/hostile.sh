# What a guest does while its host attacks it, for the test step `snp-hostile`.

# Something to lose.
mount -t tmpfs -o size=64m tmpfs /tmp
cat /bin/busybox /bin/busybox > /tmp/treasure
expected=$(cat /bin/busybox /bin/busybox | md5sum)

# Fetches an attestation report, where the kernel can. One that it gives has
# come through a sealed message.
fetch() {
    entry=/sys/kernel/config/tsm/report/$1
    mkdir "$entry" && head -c 64 /dev/zero > "$entry/inblob" && cat "$entry/outblob" > "/tmp/$1" &&
        [ -s "/tmp/$1" ]
}
for name in first second; do
    if fetch $name 2> /dev/null; then echo "$name report: got"; else echo "$name report: none"; fi
done

echo "processors: $(nproc)"
[ "$(md5sum < /tmp/treasure)" = "$expected" ] || exit 1
exit 42
