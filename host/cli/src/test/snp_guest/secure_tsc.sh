# What a kernel makes of a time stamp counter that is its own, for the test step
# `snp-boot`.

echo "features: $(dmesg | sed -n 's/.*SEV: Status: *//p')"
echo "processors: $(nproc)"
echo "clock: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
# The kernel compares a counter that it does not trust with other clocks.
echo "doubts: $(dmesg | grep -cE 'Refined TSC|Fast TSC|unstable')"

# Hundredths of a second since the start, by the time stamp counter, and seconds
# by the battery's clock, which knows nothing of it: from a new second to the
# third one after it.
uptime() { sed 's/ .*//; s/\.//' /proc/uptime; }
battery() { cat /sys/class/rtc/rtc0/since_epoch; }
next_second() {
    second=$(battery)
    while [ "$(battery)" = "$second" ]; do :; done
}
next_second
before=$(uptime)
last=$(($(battery) + 3))
while [ "$(battery)" -lt "$last" ]; do :; done
passed=$(($(uptime) - before))
# A machine with other things to do reads a clock late, at either end.
echo "three seconds: $((passed > 200 && passed < 400))"
exit 42
