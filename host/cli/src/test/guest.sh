# What a guest finds of its machine, for the test step `guest`.
echo "processors: $(nproc)"
echo "sleep states: $(dmesg | sed -n 's/.*ACPI: PM: (supports \(.*\))/\1/p')"
echo "power-management timer: $(cat /sys/devices/system/clocksource/clocksource0/available_clocksource)"
echo "complaints about ACPI: $(dmesg | grep -cE 'ACPI( BIOS)? (Error|Warning)')"
echo "serial port: $(sed -n 's/^ *\([0-9]*\):.* ttyS0$/\1/p' /proc/interrupts)"
echo "disk: $(head -n 1 /dev/vda)"
echo "interrupt of the disk: $(sed -n 's/^ *\([0-9]*\):.*IO-APIC.* virtio0$/\1/p' /proc/interrupts)"
exit 42
