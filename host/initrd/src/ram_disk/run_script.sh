
sh /script
status=$?
# The line must stand alone: the script may have left one open, and the kernel
# may have something to say.
dmesg -n 1
printf '\nsvsm-guest: exit status %s (%s)\n' "$status" "$mark"
# Sets nothing new, but waits until the console has taken everything.
stty echo
poweroff -f
